"""The network's kernels one by one, on the matrices of a model."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from kit.bench.calls import timed
from kit.bench.contestant import Contestant
from kit.bench.ours import Library
from kit.model.architecture import Architecture
from kit.model.quantise import matrix_names

_SEED = 5
_SUM = 1 << 20
_GATES = 3
_TANH_LAYERS = ("fc", "conv1", "conv2")


def contestants(library: Library, isa: str | None) -> list[Contestant]:
    """Each kernel once for each shape that the model has, through all ways to call it."""
    kernels = library.ffi.new("pn_kernels_t *")
    layout = library.lib.pn_model.layout
    name = library.ffi.NULL if isa is None else isa.encode()
    library.require(library.lib.pn_dispatch_select(layout, name, kernels), isa)
    found: dict[str, Contestant] = {}
    model = library.ffi.addressof(library.lib, "pn_model")
    for index, matrix in enumerate(matrix_names(Architecture(**library.manifest["widths"]))):
        call = _Call(library, kernels, library.lib.pn_nn_matrix(model, index))
        for shape, run in call.forms(matrix):
            found.setdefault(shape, Contestant(shape, "kernel", run))
    return list(found.values())


class _Call:
    """Kernels on one matrix, with random input."""

    def __init__(self, library: Library, kernels: Any, matrix: Any) -> None:
        rng = np.random.default_rng(_SEED)
        ffi, self._rows, self._cols = library.ffi, matrix.rows, matrix.cols
        # The table goes along as itself, not as its address: a call must keep it alive.
        self._first = (kernels, ffi.cast("void *", matrix))
        self._table = ffi.cast("void *", library.lib.pn_model.tanh_table)
        self._x = ffi.new("int8_t[]", rng.integers(-127, 128, 2 * self._cols).tolist())
        self._x16 = ffi.new("int16_t[]", rng.integers(-32768, 32768, self._cols).tolist())
        self._sums = ffi.new("int32_t[]", rng.integers(-_SUM, _SUM, self._rows).tolist())
        self._y = ffi.new("int32_t[]", 2 * self._rows)
        self._s8 = ffi.new("int8_t[]", self._rows)
        self._h = ffi.new("int16_t[]", self._rows)

    def forms(self, name: str) -> list[tuple[str, Callable[[], int]]]:
        """Name and call of each kernel that the network runs for the matrix of a name."""
        shape, lib = f"{self._rows} x {self._cols}", timed()[1]
        if name == "fc":
            gemv = [(f"s16s8_gemv {shape}", self._with(lib.timed_s16s8_gemv, self._x16, self._y))]
        else:
            gemv = [(f"s8_gemv {shape}", self._with(lib.timed_s8_gemv, self._x, self._y))]
        if name != "fc" and not name.endswith(".hh"):
            two = self._with(lib.timed_s8_gemv_2col, self._x, self._y)
            gemv.append((f"s8_gemv_2col {shape}", two))
        if name.endswith(".hh"):
            operands = (self._sums, self._table, self._h, self._s8)
            gru = self._with(lib.timed_s32_gru, *operands)
            return [*gemv, (f"s32_gru {self._rows // _GATES}", gru)]
        if name in _TANH_LAYERS:
            tanh = self._with(lib.timed_s32_tanh, self._sums, self._table, self._s8)
            return [*gemv, (f"s32_tanh {self._rows}", tanh)]
        return gemv

    def _with(self, function: Callable[..., int], *operands: Any) -> Callable[[], int]:
        return functools.partial(function, *self._first, *operands)
