"""Weights to send, by whatever names them, and their signatures."""

import struct
import zlib
from pathlib import Path

import pytest

from kit.codegen.blob import render_blob
from kit.codegen.weights import PACKINGS
from kit.errors import KitError
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.model.random_model import random_weights
from kit.paths import MODELS
from kit.update.weights import read_signature, read_weights, source_hash

SMALL = Architecture(fc=5, conv1=7, conv2=9, gru=11, gru_strength=3)


def header(size: int, crc: int) -> bytes:
    return b"PNWB" + struct.pack("<3I", 2, size, crc)


def blob(size: int) -> bytes:
    """What has the size and the checksum that it says, and nothing else of a blob."""
    content = bytes(range(16, 16 + size - 16))
    return header(size, zlib.crc32(content)) + content


def written(folder: Path, content: bytes) -> str:
    path = folder / "weights.pnwb"
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("size", [64, 65, 200])
def test_a_whole_blob_is_taken_as_it_is(tmp_path: Path, size: int) -> None:
    assert read_weights(written(tmp_path, blob(size)), "rm16") == blob(size)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (blob(200)[:199], "199 of 200 bytes"),
        (blob(200) + b"\0", "201 of 200 bytes"),
        (blob(200)[:63], "63 of 64 bytes"),
        (blob(63), "63 of 64 bytes"),
        (b"PNWB", "4 of 64 bytes"),
        (blob(200)[:-1] + b"\0", "its checksum is wrong"),
        (header(200, 0) + blob(200)[16:], "its checksum is wrong"),
    ],
)
def test_a_damaged_blob_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(KitError, match=words):
        read_weights(written(tmp_path, content), "rm16")


def test_a_model_is_packed_for_the_program(tmp_path: Path) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(write_tflite(random_weights(SMALL), SMALL, {}))
    model = load_model(path)
    for layout in PACKINGS:
        weights = read_weights(str(path), layout)
        assert weights == render_blob(quantise(model), PACKINGS[layout])
        assert source_hash(weights) == model.sha256[:6].hex()


def test_a_model_of_the_kit_is_taken_by_its_name() -> None:
    assert read_weights("tiny", "rm16") == read_weights(str(MODELS / "tiny.tflite"), "rm16")


def test_a_file_comes_before_a_model_of_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny").write_bytes(blob(200))
    monkeypatch.chdir(tmp_path)
    assert read_weights("tiny", "rm16") == blob(200)


def test_what_is_not_there_is_named_with_what_is() -> None:
    with pytest.raises(KitError, match="no weights `nothing`") as refused:
        read_weights("nothing", "rm16")
    assert "tiny" in refused.value.hint


def test_a_signature_has_64_bytes(tmp_path: Path) -> None:
    path = tmp_path / "signature"
    for size in (0, 63, 65):
        path.write_bytes(bytes(size))
        with pytest.raises(KitError, match="is no Ed25519 signature"):
            read_signature(path)
    with pytest.raises(KitError, match="is no Ed25519 signature"):
        read_signature(tmp_path / "missing")
    path.write_bytes(bytes(range(64)))
    assert read_signature(path) == bytes(range(64))
