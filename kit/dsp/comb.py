"""The comb filter: an average of the signal with itself, whole pitch periods earlier and later."""

import numpy as np

from kit.dsp.spectrum import HOP, WINDOW_LENGTH

# The newest 60 ms: 20 ms of past, the frame that is filtered, 20 ms of future (the look-ahead).
HISTORY = 6 * HOP
FRAME_START = 2 * HOP
MARGIN = FRAME_START
MAX_PAIRS = 5


def tap_pairs(period: int) -> int:
    """Taps on each side: as many whole periods (samples) as fit the margin, at most 5."""
    assert period >= 1, period
    return min(MAX_PAIRS, MARGIN // period)


def tap_weights(period: int) -> np.ndarray:
    """The weights of the taps -K..K, a raised cosine cut to the pairs that fit; they sum to 1."""
    pairs = tap_pairs(period)
    weights = 0.5 - 0.5 * np.cos(
        np.pi * (np.arange(-pairs, pairs + 1) + MAX_PAIRS + 1) / (MAX_PAIRS + 1)
    )
    return weights / weights.sum()


def noise_gain(period: int) -> float:
    """Share of the energy of white noise that passes (sigma_w^2); 0.125 with all taps."""
    return float(np.sum(tap_weights(period) ** 2))


def comb_filter(history: np.ndarray, period: int) -> np.ndarray:
    """Comb-filter the frame in the middle of the history.

    history: (2880,) samples, newest last. period: pitch period in samples. Returns the filtered
    frame (960,).
    """
    weights = tap_weights(period)
    pairs = len(weights) // 2
    starts = FRAME_START - period * np.arange(-pairs, pairs + 1)
    return weights @ np.stack([history[start : start + WINDOW_LENGTH] for start in starts])
