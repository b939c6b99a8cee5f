"""The weight blob PNWB: every weight of a model in one file that runs in place.

firmware_src/nn/pn_blob.h has the format.
"""

import struct
import zlib

from kit.codegen.golden import golden_crc, golden_outputs
from kit.codegen.weights import Packing, pack_matrix, pad_model, padded
from kit.model.architecture import Architecture
from kit.model.quantise import Matrix, QuantisedModel

_MAGIC = b"PNWB"
_VERSION = 2
_HEADER_BYTES = 64
_ENTRY_BYTES = 24
_ALIGNMENT = 64
_CRC_START = 16
SHA_BYTES = 16


def graph_id(arch: Architecture) -> int:
    """32 bits that change with the architecture or any width."""
    widths = (arch.fc, arch.conv1, arch.conv2, arch.gru, arch.gru_strength)
    return zlib.crc32(("percepnet 1 " + " ".join(map(str, widths))).encode())


def settings(model: QuantisedModel) -> tuple[int, int]:
    """(lookahead frames, post-filter 0 or 1) of the model's metadata."""
    return int(model.metadata.get("lookahead_frames", 2)), int(
        model.metadata.get("post_filter", True)
    )


def matrix_bytes(name: str, matrix: Matrix, packing: Packing) -> tuple[bytes, int]:
    """Packed weights, bias, multipliers, list of blocks; and the length of that list."""
    packed = pack_matrix(name, matrix.weight, packing)
    words = matrix.bias.astype("<i4").tobytes() + matrix.multiplier.astype("<i4").tobytes()
    if packed.blocks is None:
        return packed.weights + words, 0
    return packed.weights + words + packed.blocks.astype("<u2").tobytes(), packed.blocks.size


def render_blob(model: QuantisedModel, packing: Packing) -> bytes:
    """The blob of a quantised model."""
    matrices = pad_model(model)
    offset = padded(_HEADER_BYTES + _ENTRY_BYTES * len(matrices), _ALIGNMENT)
    table, payload = b"", b""
    for name, matrix in matrices.items():
        data, list_words = matrix_bytes(name, matrix, packing)
        rows, cols = matrix.weight.shape
        table += struct.pack(
            "<6I",
            offset + len(payload),
            zlib.crc32(data),
            rows | cols << 16,
            matrix.left,
            matrix.right,
            list_words,
        )
        payload += data.ljust(padded(len(data), _ALIGNMENT), b"\0")
    lookahead, post_filter = settings(model)
    fields = (graph_id(model.arch), packing.number, len(matrices), lookahead | post_filter << 8)
    checked = struct.pack("<4I", *fields) + model.sha256[:SHA_BYTES]
    checked += struct.pack("<4I", golden_crc(*golden_outputs(model)), 0, 0, 0) + table
    checked = checked.ljust(offset - _CRC_START, b"\0") + payload
    head = struct.pack("<3I", _VERSION, _CRC_START + len(checked), zlib.crc32(checked))
    return _MAGIC + head + checked
