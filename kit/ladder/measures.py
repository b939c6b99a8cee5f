"""What a signal is worth: standard scores, and two that tell what the comb and post-filter do."""

import dataclasses

import numpy as np

from kit.dsp import comb
from kit.dsp.spectrum import HOP
from kit.evaluate.metrics import score
from kit.ladder.signals import behind_highpass, pitches

VOICED_CORRELATION = 0.6
ACTIVE_DB = -30.0  # below the loudest hop
PAUSE_DB = -45.0
# Hops before and after that must be quiet too: room and post-filter let speech decay.
PAUSE_MARGIN = (9, 1)
SEGMENT_RANGE_DB = (-10.0, 35.0)
# Rounding to 16 bits: what a digital silence is taken for.
_LSB_NOISE = 1 / 12


@dataclasses.dataclass(frozen=True)
class Scores:
    """Scores of one signal against the clean one; NaN where the recording has nothing to judge.

    harmonic_snr_db: in voiced frames, the clean harmonics over the error between them.
    pause_noise_db: sound in pauses, relative to the speech as loud as it came out.
    """

    pesq: float
    stoi: float
    si_sdr_db: float
    segmental_snr_db: float
    harmonic_snr_db: float
    pause_noise_db: float


class Judge:
    """Scores signals against a clean one, int16 (n,), as the denoiser's high-pass leaves it."""

    def __init__(self, clean: np.ndarray) -> None:
        self._reference = behind_highpass(clean)
        self._clean = self._reference.astype(np.float64)
        level_db = _hop_levels_db(self._clean)
        self._active = level_db > level_db.max() + ACTIVE_DB
        quiet = np.pad(level_db <= level_db.max() + PAUSE_DB, PAUSE_MARGIN, constant_values=True)
        self._pause = np.lib.stride_tricks.sliding_window_view(quiet, sum(PAUSE_MARGIN) + 1).all(1)
        self._voiced = self._find_voiced(clean)

    def _find_voiced(self, clean: np.ndarray) -> list[tuple[int, int]]:
        """(step, period) of each loud frame of clear pitch; step t is of the hops t-3 and t-2."""
        return [
            (t, pitch.period)
            for t, pitch in enumerate(pitches(clean))
            if t >= 5
            and pitch.correlation > VOICED_CORRELATION
            and self._active[t - 3 : t - 1].all()
        ]

    def score(self, pcm: np.ndarray) -> Scores:
        """Score a signal, int16, of the clean one's shape."""
        out = pcm.astype(np.float64)
        scale = out @ self._clean / (self._clean @ self._clean)
        target = scale * self._clean
        common = score(self._reference, pcm)
        return Scores(
            common.pesq,
            common.stoi,
            common.si_sdr_db,
            segmental_snr_db=self._segmental_snr_db(out),
            harmonic_snr_db=self._harmonic_snr_db(target, out - target),
            pause_noise_db=self._pause_noise_db(out, target),
        )

    def _segmental_snr_db(self, out: np.ndarray) -> float:
        """Mean over the hops with speech, each limited to -10..35 dB."""
        snr_db = _hop_levels_db(self._clean) - _hop_levels_db(out - self._clean)
        return float(np.mean(np.clip(snr_db[self._active], *SEGMENT_RANGE_DB)))

    def _harmonic_snr_db(self, target: np.ndarray, error: np.ndarray) -> float:
        """Mean over voiced frames: the target that a comb filter passes over the error it stops."""
        ratios = []
        for t, period in self._voiced:
            history = slice((t - 5) * HOP, (t + 1) * HOP)
            harmonics = comb.comb_filter(target[history], period)
            frame = error[history][comb.FRAME_START :][: len(harmonics)]
            between = frame - comb.comb_filter(error[history], period)
            ratios.append(_power_db(harmonics) - _power_db(between))
        return float(np.mean(np.clip(ratios, *SEGMENT_RANGE_DB))) if ratios else np.nan

    def _pause_noise_db(self, out: np.ndarray, target: np.ndarray) -> float:
        if not self._pause.any():
            return np.nan
        return _power_db(_hops(out)[self._pause]) - _power_db(_hops(target)[self._active])


def _hops(signal: np.ndarray) -> np.ndarray:
    return signal[: len(signal) // HOP * HOP].reshape(-1, HOP)


def _hop_levels_db(signal: np.ndarray) -> np.ndarray:
    return 10 * np.log10(np.mean(_hops(signal) ** 2, axis=1) + _LSB_NOISE)


def _power_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2) + _LSB_NOISE))
