"""Weights whose checksums are right, made to overflow what runs them: they are refused."""

import dataclasses
import struct
import zlib

import numpy as np
import pytest

from kit import host
from kit.codegen.blob import render_blob
from kit.codegen.weights import PACKINGS, padded_shapes
from kit.model.import_ import Model
from kit.model.quantise import Matrix, matrix_names, quantise
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from tests.host.update_device import built_in_architecture, host_packing, make_blob, sealed

ENTRIES_AT, ENTRY_BYTES = 64, 24
SHAPES = padded_shapes(built_in_architecture())
INT32_MAX = 2**31 - 1


def load(blob: bytes, layout: str = host_packing().name) -> int:
    """pn_blob_load's verdict, in a program whose weights have a layout."""
    ffi, lib = host.load("pn_blob.h", "pn_model.h")
    memory = ffi.new("uint8_t[]", len(blob) + 64)
    aligned = memory + -int(ffi.cast("uintptr_t", memory)) % 64
    ffi.buffer(aligned, len(blob))[:] = blob
    built_in = ffi.new("pn_nn_model_t *", lib.pn_model)
    built_in.layout = PACKINGS[layout].number
    return lib.pn_blob_load(aligned, len(blob), built_in, ffi.new("pn_nn_model_t *"))


class Forgery:
    """A good blob to change, sealed again with checksums that fit."""

    def __init__(self) -> None:
        self.blob = bytearray(make_blob(1))

    def entry(self, matrix: str) -> int:
        return ENTRIES_AT + ENTRY_BYTES * matrix_names(built_in_architecture()).index(matrix)

    def weight(self, matrix: str, value: int) -> None:
        """The first weight."""
        struct.pack_into("<b", self.blob, self._offset(matrix), value)

    def bias(self, matrix: str, value: int, row: int = 0) -> None:
        rows, cols = SHAPES[matrix]
        struct.pack_into("<i", self.blob, self._offset(matrix) + rows * cols + 4 * row, value)

    def multiplier(self, matrix: str, value: int, row: int = 0) -> None:
        self.bias(matrix, value, SHAPES[matrix][0] + row)

    def shifts(self, matrix: str, left: int, right: int) -> None:
        struct.pack_into("<2I", self.blob, self.entry(matrix) + 12, left, right)

    def seal(self) -> bytes:
        for matrix, (rows, cols) in SHAPES.items():
            at = self._offset(matrix)
            crc = zlib.crc32(self.blob[at : at + rows * cols + 8 * rows])
            struct.pack_into("<I", self.blob, self.entry(matrix) + 4, crc)
        return sealed(bytes(self.blob))

    def _offset(self, matrix: str) -> int:
        return struct.unpack_from("<I", self.blob, self.entry(matrix))[0]


def test_good_weights_are_taken() -> None:
    _, lib = host.load("pn_blob.h", "pn_model.h")
    assert load(Forgery().seal()) == lib.PN_BLOB_OK


@pytest.mark.parametrize("layout", PACKINGS)
@pytest.mark.parametrize(
    ("name", "share"),
    [
        pytest.param("conv1", 0.6, id="block sparse"),
        pytest.param("strengths", 0.0, id="dense, its last tile not a whole one"),
    ],
)
def test_each_row_is_proven_by_its_own_weights(layout: str, name: str, share: float) -> None:
    """Every row has as much bias as its own weights leave room for, to the last unit."""
    _, lib = host.load("pn_blob.h", "pn_model.h")
    arch = built_in_architecture()
    weights = sparsify(random_weights(arch, 3), arch, share)
    model = quantise(Model(weights, arch, {"post_filter": True}, bytes(32)))
    matrix = model.matrices[name]
    room = (1 << 30 if matrix.right else 1 << 31) >> matrix.left
    reach = matrix.bound(127) - np.abs(matrix.bias.astype(np.int64))
    for over, verdict in ((-1, lib.PN_BLOB_OK), (0, lib.PN_BLOB_MATRIX)):
        bias = (room - reach + over).astype(np.int32)
        forged = dataclasses.replace(matrix, bias=bias if over else bias_of_last(matrix, bias))
        matrices = {**model.matrices, name: forged}
        blob = render_blob(dataclasses.replace(model, matrices=matrices), PACKINGS[layout])
        assert load(blob, layout) == verdict, over


def bias_of_last(matrix: Matrix, bias: np.ndarray) -> np.ndarray:
    """A bias that is too large in the last row alone."""
    return np.where(np.arange(len(bias)) == len(bias) - 1, bias, matrix.bias)


@pytest.mark.parametrize("matrix", SHAPES)
@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda forged, matrix: forged.bias(matrix, INT32_MAX), id="bias"),
        pytest.param(lambda forged, matrix: forged.bias(matrix, -(2**31)), id="least bias"),
        pytest.param(lambda forged, matrix: forged.multiplier(matrix, -1), id="multiplier"),
        pytest.param(lambda forged, matrix: forged.shifts(matrix, 30, 0), id="left shift"),
        pytest.param(lambda forged, matrix: forged.weight(matrix, -128), id="weight"),
    ],
)
def test_what_could_overflow_is_refused(forge, matrix: str) -> None:
    _, lib = host.load("pn_blob.h", "pn_model.h")
    forged = Forgery()
    forge(forged, matrix)
    assert load(forged.seal()) == lib.PN_BLOB_MATRIX


def test_gates_that_overflow_together_are_refused() -> None:
    """Each matrix of a GRU stays in 32 bits; their sum would not."""
    _, lib = host.load("pn_blob.h", "pn_model.h")
    for parts, verdict in ((["ih"], lib.PN_BLOB_OK), (["ih", "hh"], lib.PN_BLOB_MATRIX)):
        forged = Forgery()
        for part in parts:
            forged.bias(f"gru1.{part}", 2**29)
            forged.multiplier(f"gru1.{part}", INT32_MAX)
            forged.shifts(f"gru1.{part}", 1, 0)
        assert load(forged.seal()) == verdict, parts
