"""The network alone, in the firmware's own C, with any model: no building, and no waiting."""

import functools
from typing import Any

import cffi
import numpy as np

from kit import host
from kit.codegen.blob import graph_id, render_blob
from kit.codegen.weights import find_packing, padded, padded_shapes
from kit.errors import ModelError
from kit.model.activation import tanh_table
from kit.model.architecture import BANDS, FEATURES
from kit.model.quantise import QuantisedModel

# Of the layouts the one whose kernels every x86-64 has, the quick ones among them.
LAYOUT = "nr32c4"
_BLOB_ALIGNMENT = 64
_WIDTHS = ("fc", "conv1", "conv2", "gru", "gru_strength")


class FirmwareNetwork:
    """A streaming network with its states; the same bits as IntegerReference, many times faster.

    Raises ModelError if the firmware refuses the model.
    """

    def __init__(self, model: QuantisedModel) -> None:
        self._ffi, self._lib = _library()
        packing = find_packing(LAYOUT)
        self._blob = _aligned(render_blob(model, packing))
        self._tanh = np.ascontiguousarray(tanh_table(), np.int16)
        self._model = self._ffi.new("pn_nn_model_t *")
        self._describe(model, packing.number)
        size = self._lib.pn_nn_state_size(self._model)
        # cffi's own memory is aligned for every C type; long double asks for 16 bytes.
        self._state = self._ffi.new("long double[]", -(-size // 16))
        self.reset()

    def _describe(self, model: QuantisedModel, layout: int) -> None:
        """Fill in the C description of the model: shapes first, then weights, out of the blob."""
        base = self._model[0]
        base.graph_id, base.layout = graph_id(model.arch), layout
        base.tanh_table = self._ffi.from_buffer("int16_t[]", self._tanh)
        for name in _WIDTHS:
            setattr(base, name, padded(getattr(model.arch, name)))
        for place, shape in enumerate(padded_shapes(model.arch).values()):
            matrix = self._ffi.cast("pn_matrix_t *", self._lib.pn_nn_matrix(self._model, place))
            matrix.rows, matrix.cols = shape
        data = self._ffi.from_buffer(self._blob)
        status = self._lib.pn_blob_load(data, len(self._blob), self._model, self._model)
        if status:
            reason = self._ffi.string(self._lib.pn_blob_strerror(status)).decode()
            raise ModelError(f"the firmware refuses the model: {reason}")

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._lib.pn_nn_reset(self._model, self._state)

    def run(self, features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps in a row. features_q12: int16 [steps, 70]. Returns int16 Q15 [steps, 34] twice."""
        features = np.ascontiguousarray(features_q12, np.int16)
        gains, strengths = (np.empty((len(features), BANDS), np.int16) for _ in range(2))
        x, g, s = (self._ffi.from_buffer("int16_t[]", a) for a in (features, gains, strengths))
        for step in range(len(features)):
            self._lib.pn_nn_step(
                self._model, self._state, x + step * FEATURES, g + step * BANDS, s + step * BANDS
            )
        return gains, strengths


@functools.cache
def _library() -> tuple[cffi.FFI, Any]:
    return host.load("pn_nn.h", "pn_blob.h")


def _aligned(blob: bytes) -> np.ndarray:
    """The blob in memory as the firmware wants it, uint8 (bytes,)."""
    room = np.zeros(len(blob) + _BLOB_ALIGNMENT, np.uint8)
    start = -room.ctypes.data % _BLOB_ALIGNMENT
    room[start : start + len(blob)] = np.frombuffer(blob, np.uint8)
    return room[start : start + len(blob)]
