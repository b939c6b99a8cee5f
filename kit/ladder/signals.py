"""What the ladder's modules share: signals in pairs, the high-pass, the firmware's pitch."""

import dataclasses

import numpy as np

from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import Pitch
from kit.evaluate.engine import features_of

_Q12_ONE = 4096
_PERIOD_CENTRE = 300


@dataclasses.dataclass(frozen=True)
class Pair:
    """A noisy signal and its clean target: int16 at 48 kHz, shape (n,), time-aligned."""

    noisy: np.ndarray
    clean: np.ndarray


def to_int16(signal: np.ndarray) -> np.ndarray:
    """Round a signal in int16 LSB, saturating."""
    return np.clip(np.rint(signal), -32768, 32767).astype(np.int16)


def behind_highpass(signal: np.ndarray) -> np.ndarray:
    """What the denoiser's own high-pass leaves of int16 (n,): in phase with its output."""
    return to_int16(HighPass().process(signal))


def pitches(signal: np.ndarray) -> list[Pitch]:
    """The pitch that the firmware finds in int16 (hops * 480,): entry t is of frame t - 2."""
    real = features_of(signal)[:, -2:] / _Q12_ONE
    return [Pitch(round(_PERIOD_CENTRE * (1 + period)), float(r)) for period, r in real]
