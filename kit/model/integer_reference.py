"""The network in integers: this file defines every output bit; the C code equals it."""

import numpy as np

from kit.model.activation import sigmoid_q15, tanh_q15, to_int8
from kit.model.architecture import CONV1_FRAMES, CONV2_FRAMES, FEATURES, GRU_NAMES
from kit.model.quantise import Matrix, QuantisedModel


def requantise(accumulator: np.ndarray, matrix: Matrix) -> np.ndarray:
    """Accumulators (int64) to Q16: a doubling high multiply, a right shift; both round ties up."""
    product = (accumulator << matrix.left) * matrix.multiplier.astype(np.int64)
    high = (product + (1 << 30)) >> 31
    return (high + ((1 << matrix.right) >> 1)) >> matrix.right


class IntegerReference:
    """A streaming integer network with its states."""

    def __init__(self, model: QuantisedModel) -> None:
        self._model = model
        # Sums stay below 2^31, so float64 products are exact, and fast.
        self._weights = {name: m.weight.astype(np.float64) for name, m in model.matrices.items()}
        self.reset()

    def reset(self) -> None:
        """Forget everything heard so far."""
        arch = self._model.arch
        self._frames1 = np.zeros(CONV1_FRAMES * arch.fc, np.int64)
        self._frames2 = np.zeros(CONV2_FRAMES * arch.conv1, np.int64)
        self._h_q15 = {name: np.zeros(n, np.int64) for name, (_, n) in arch.gru_shapes().items()}

    def step(self, features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One hop. features_q12: int16 [70]. Returns gains, strengths, int16 Q15 [34], 0..32767."""
        assert features_q12.shape == (FEATURES,)
        a0 = self._tanh_layer("fc", features_q12.astype(np.int64))
        self._frames1 = np.concatenate([self._frames1[a0.size :], a0])
        c1 = self._tanh_layer("conv1", self._frames1)
        self._frames2 = np.concatenate([self._frames2[c1.size :], c1])
        c2 = self._tanh_layer("conv2", self._frames2)
        grus = {}
        x = c2
        for name in GRU_NAMES:
            x = grus[name] = self._gru(name, x)
        gains = sigmoid_q15(self._affine("gains", np.concatenate([c2, *grus.values()])))
        s = self._gru("gru_strength", np.concatenate([grus["gru3"], c2]))
        strengths = sigmoid_q15(self._affine("strengths", s))
        return gains.astype(np.int16), strengths.astype(np.int16)

    def run(self, features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps in a row. features_q12: int16 [steps, 70]. Returns int16 Q15 [steps, 34] twice."""
        steps = [self.step(row) for row in features_q12]
        return np.array([gains for gains, _ in steps]), np.array([s for _, s in steps])

    def _affine(self, name: str, x: np.ndarray) -> np.ndarray:
        matrix = self._model.matrices[name]
        accumulator = (self._weights[name] @ x).astype(np.int64) + matrix.bias
        return requantise(accumulator, matrix)

    def _tanh_layer(self, name: str, x: np.ndarray) -> np.ndarray:
        return to_int8(tanh_q15(self._affine(name, x)))

    def _gru(self, name: str, x: np.ndarray) -> np.ndarray:
        """One GRU step; returns its new state's int8 rounding."""
        h = self._h_q15[name]
        xr, xz, xn = np.split(self._affine(f"{name}.ih", x), 3)
        hr, hz, hn = np.split(self._affine(f"{name}.hh", to_int8(h)), 3)
        r, z = sigmoid_q15(xr + hr), sigmoid_q15(xz + hz)
        n = tanh_q15(xn + ((r * hn + (1 << 14)) >> 15))
        self._h_q15[name] = n + ((z * (h - n) + (1 << 14)) >> 15)
        return to_int8(self._h_q15[name])
