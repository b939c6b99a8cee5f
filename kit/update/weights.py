"""Weights to send, from whatever names them: a blob, a .tflite, one of the kit's models."""

import struct
import zlib
from pathlib import Path

from kit.codegen.blob import render_blob
from kit.codegen.weights import find_packing
from kit.errors import KitError
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.paths import MODELS
from kit.update.protocol import HEADER_BYTES, SIGNATURE_BYTES, blob_crc

_MAGIC = b"PNWB"
_SIZE_AT, _CHECKED_FROM = 8, 16
_SHA_AT, _HASH_BYTES = 32, 6


def read_weights(name: str, layout: str) -> bytes:
    """The blob of a .pnwb file, a .tflite file or a model's name; layout: that a target's program
    packs its weights in.

    Raises KitError when there is no such thing, or it is damaged. Whether a blob fits a program,
    its device says.
    """
    path = Path(name)
    if not path.is_file() and (MODELS / f"{name}.tflite").is_file():
        path = MODELS / f"{name}.tflite"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in MODELS.glob("*.tflite")))
        raise KitError(
            f"no weights `{name}`", hint=f"a .tflite file, a .pnwb file, or a model: {known}"
        )
    content = path.read_bytes()
    if content.startswith(_MAGIC):
        _check_whole(path, content)
        return content
    return render_blob(quantise(load_model(path)), find_packing(layout))


def read_signature(path: Path) -> bytes:
    """An Ed25519 signature. Raises KitError for a file that cannot be one."""
    if not path.is_file() or path.stat().st_size != SIGNATURE_BYTES:
        raise KitError(
            f"{path} is no Ed25519 signature: those have {SIGNATURE_BYTES} bytes",
            hint="openssl pkeyutl -sign -rawin -inkey KEY.pem -in WEIGHTS.pnwb -out SIGNATURE",
        )
    return path.read_bytes()


def source_hash(blob: bytes) -> str:
    """The hash of the .tflite that a blob was made of, as boards and reports tell it."""
    return blob[_SHA_AT : _SHA_AT + _HASH_BYTES].hex()


def _check_whole(path: Path, blob: bytes) -> None:
    says = struct.unpack_from("<I", blob, _SIZE_AT)[0] if len(blob) >= HEADER_BYTES else 0
    if len(blob) < HEADER_BYTES or len(blob) != says:
        raise KitError(
            f"{path} is cut short: {len(blob)} of {max(says, HEADER_BYTES)} bytes",
            hint="make it again: ./tools/percepnet build",
        )
    if zlib.crc32(blob[_CHECKED_FROM:]) != blob_crc(blob):
        raise KitError(
            f"{path} is damaged: its checksum is wrong", hint="make it again from the .tflite"
        )
