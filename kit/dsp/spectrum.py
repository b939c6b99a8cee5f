"""Short-time spectra: the power-complementary window, the transform, the overlap-add back."""

import numpy as np

SAMPLE_RATE = 48_000
HOP = 480
WINDOW_LENGTH = 2 * HOP
BINS = HOP + 1


def window(length: int) -> np.ndarray:
    """Vorbis window w (length,), for analysis and synthesis: w[n]^2 + w[n + length/2]^2 = 1."""
    sine = np.sin(np.pi * (np.arange(length) + 0.5) / length)
    return np.sin(np.pi / 2 * sine**2)


WINDOW = window(WINDOW_LENGTH)


def transform(samples: np.ndarray) -> np.ndarray:
    """Windowed spectrum of 20 ms frames, not normalised: sum_n w(n) s(n) exp(-2 pi i k n / 960).

    samples: (..., 960). Returns complex (..., 481), bins 50 Hz apart.
    """
    return np.fft.rfft(samples * WINDOW, axis=-1)


class OverlapAdd:
    """Turns the spectra of successive frames back into samples; starts from silence."""

    def __init__(self) -> None:
        self._tail = np.zeros(HOP)

    def push(self, spectrum: np.ndarray) -> np.ndarray:
        """Add the frame of a spectrum (481,); return the hop (480,) that it completes."""
        frame = np.fft.irfft(spectrum, WINDOW_LENGTH) * WINDOW
        hop = self._tail + frame[:HOP]
        self._tail = frame[HOP:]
        return hop
