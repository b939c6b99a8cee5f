"""The 70 inputs of the network: level-free log band energies, coherences, period, correlation."""

import numpy as np

from kit.dsp.bands import BANDS

FEATURES = 2 * BANDS + 2

LEVEL_FLOOR = 24.0
_LEVEL_RISE = 0.25
_LEVEL_FALL = 0.02
_LOG_SCALE = 6.0
_LOG_RANGE = (-6.0, 2.0)
_PERIOD_CENTRE = 300.0


class LevelTracker:
    """Slow peak hold of the frame level, log2 of energy: takes the recording level out of features.

    It closes a quarter of the way to a louder frame and falls by 0.02 (6 dB per second) towards a
    quieter one. The floor keeps near-silence from being blown up to the level of speech.
    """

    def __init__(self) -> None:
        self._level = LEVEL_FLOOR

    def update(self, band_energies: np.ndarray) -> float:
        """Take in one frame's band energies (34,); return the tracked level, log2 of energy."""
        frame_level = np.log2(1.0 + band_energies.sum())
        if frame_level > self._level:
            self._level += _LEVEL_RISE * (frame_level - self._level)
        else:
            self._level = max(frame_level, self._level - _LEVEL_FALL)
        self._level = max(self._level, LEVEL_FLOOR)
        return self._level


def log_bands(band_energies: np.ndarray, level: float) -> np.ndarray:
    """Log2 band energies (34,) relative to the tracked level, divided by 6 and clamped to -6..2."""
    return np.clip((np.log2(band_energies + 1.0) - level) / _LOG_SCALE, *_LOG_RANGE)


def assemble(
    log_part: np.ndarray, coherences: np.ndarray, period: int, correlation: float
) -> np.ndarray:
    """The network's input (70,): log bands, coherences, [68] period, [69] pitch correlation.

    log_part is of the newest frame t; the rest is of frame t - 2. period: samples at 48 kHz.
    Real units (C: Q12).
    """
    pitch_part = [(period - _PERIOD_CENTRE) / _PERIOD_CENTRE, correlation]
    return np.concatenate([log_part, coherences, pitch_part])
