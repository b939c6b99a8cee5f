"""The network in floating point over whole recordings, many times faster than step by step.

Products that wait for no earlier step are taken for all steps at once; float32, as in the .tflite.
"""

import numpy as np

from kit.model.architecture import CONV1_FRAMES, CONV2_FRAMES, GRU_NAMES, Architecture


class FloatNetwork:
    """A network that begins each recording with nothing heard.

    weights: by the names and shapes of `Architecture.weight_shapes`.
    """

    def __init__(self, weights: dict[str, np.ndarray], arch: Architecture) -> None:
        self._weights = {name: np.asarray(weights[name], np.float32) for name in weights}
        self._arch = arch

    def run(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Answer a recording. features: [steps, 70], real units. Returns gains and strengths in
        0..1, [steps, 34] each.
        """
        a0 = np.tanh(self._dense("fc", np.asarray(features, np.float32)))
        c1 = np.tanh(self._dense("conv1", _with_earlier(a0, CONV1_FRAMES)))
        c2 = np.tanh(self._dense("conv2", _with_earlier(c1, CONV2_FRAMES)))
        seen = [c2]
        for name in GRU_NAMES:
            seen.append(self._gru(name, seen[-1]))
        gains = self._dense("gains", np.concatenate(seen, axis=1))
        s = self._gru("gru_strength", np.concatenate([seen[GRU_NAMES.index("gru3") + 1], c2], 1))
        return _sigmoid(gains), _sigmoid(self._dense("strengths", s))

    def _dense(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _gru(self, name: str, x: np.ndarray) -> np.ndarray:
        """All states of a layer, [steps, units], from its inputs [steps, n]."""
        w, units = self._weights, self._arch.gru_shapes()[name][1]
        heard = x @ w[f"{name}.weight_ih"].T + w[f"{name}.bias_ih"]
        recurrent, bias = w[f"{name}.weight_hh"], w[f"{name}.bias_hh"]
        states = np.empty((len(x), units), np.float32)
        h = np.zeros(units, np.float32)
        for step, row in enumerate(heard):
            own = recurrent @ h + bias
            r, z = np.split(_sigmoid(row[: 2 * units] + own[: 2 * units]), 2)
            n = np.tanh(row[2 * units :] + r * own[2 * units :])
            h = states[step] = n + z * (h - n)
        return states


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(0.5 * x)


def _with_earlier(x: np.ndarray, frames: int) -> np.ndarray:
    """Each step beside those before it, oldest first: [steps, n] to [steps, frames * n]."""
    padded = np.concatenate([np.zeros((frames - 1, x.shape[1]), x.dtype), x])
    return np.concatenate([padded[i : i + len(x)] for i in range(frames)], axis=1)
