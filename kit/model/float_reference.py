"""The network in float64 NumPy: what the .tflite computes, one streaming step at a time."""

import numpy as np

from kit.model.architecture import GRU_NAMES, Architecture


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


class FloatReference:
    """A streaming network with its states.

    weights: by the names and shapes of `Architecture.weight_shapes`, any float type.
    """

    def __init__(self, weights: dict[str, np.ndarray], arch: Architecture) -> None:
        self._weights = {name: np.asarray(w, np.float64) for name, w in weights.items()}
        self._arch = arch
        self.reset()

    def reset(self) -> None:
        """Forget everything heard so far."""
        self._conv1 = np.zeros(self._arch.state_shapes()["conv1"][1])
        self._conv2 = np.zeros(self._arch.state_shapes()["conv2"][1])
        self._h = {name: np.zeros(units) for name, (_, units) in self._arch.gru_shapes().items()}

    def step(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """One hop. features: [70], real units. Returns gains [34] and strengths [34] in 0..1."""
        a0 = np.tanh(self._dense("fc", features))
        frames1 = np.concatenate([self._conv1, a0])
        self._conv1 = frames1[a0.size :]
        c1 = np.tanh(self._dense("conv1", frames1))
        frames2 = np.concatenate([self._conv2, c1])
        self._conv2 = frames2[c1.size :]
        c2 = np.tanh(self._dense("conv2", frames2))
        x = c2
        for name in GRU_NAMES:
            x = self._gru(name, x)
        gains = self._dense("gains", np.concatenate([c2, *(self._h[name] for name in GRU_NAMES)]))
        s = self._gru("gru_strength", np.concatenate([self._h["gru3"], c2]))
        return _sigmoid(gains), _sigmoid(self._dense("strengths", s))

    def run(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Steps in a row. features: [steps, 70]. Returns gains and strengths, [steps, 34] each."""
        steps = [self.step(row) for row in features]
        return np.array([gains for gains, _ in steps]), np.array([s for _, s in steps])

    def _dense(self, name: str, x: np.ndarray) -> np.ndarray:
        return self._weights[f"{name}.weight"] @ x + self._weights[f"{name}.bias"]

    def _gru(self, name: str, x: np.ndarray) -> np.ndarray:
        w, h = self._weights, self._h[name]
        xr, xz, xn = np.split(w[f"{name}.weight_ih"] @ x + w[f"{name}.bias_ih"], 3)
        hr, hz, hn = np.split(w[f"{name}.weight_hh"] @ h + w[f"{name}.bias_hh"], 3)
        z = _sigmoid(xz + hz)
        n = np.tanh(xn + _sigmoid(xr + hr) * hn)
        self._h[name] = n + z * (h - n)
        return self._h[name]
