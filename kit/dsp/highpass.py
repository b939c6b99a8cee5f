"""The high-pass in front of everything: removes DC and rumble below about 30 Hz at 48 kHz."""

import numpy as np

NUMERATOR = (1.0, -2.0, 1.0)
DENOMINATOR = (1.0, -1.99599, 0.99600)


class HighPass:
    """Second-order recursive filter over a stream; starts from silence."""

    def __init__(self) -> None:
        self._state = (0.0, 0.0)

    def process(self, samples: np.ndarray) -> np.ndarray:
        """Filter the next samples (n,) of the stream; returns float64 (n,) in the same unit."""
        b0, b1, b2 = NUMERATOR
        _, a1, a2 = DENOMINATOR
        s1, s2 = self._state
        out = []
        for x in np.asarray(samples, dtype=np.float64).tolist():
            y = b0 * x + s1
            s1 = b1 * x - a1 * y + s2
            s2 = b2 * x - a2 * y
            out.append(y)
        self._state = (s1, s2)
        return np.array(out)
