"""Pitch of a frame: correlations at 12 kHz, a Viterbi search over frames, refinement at 48 kHz."""

import dataclasses

import numpy as np

from kit.dsp.pipeline import Pitch, split_hops
from kit.dsp.spectrum import HOP, WINDOW_LENGTH

PERIOD_MIN, PERIOD_MAX = 60, 768
PERIOD_INITIAL = 300
HISTORY = 6 * HOP
FRAME_START = 2 * HOP  # of frame t - 2 within the history

DECIMATION = 4
BLOCK = HOP // DECIMATION
LAGS = np.arange(PERIOD_MIN // DECIMATION, PERIOD_MAX // DECIMATION + 1)

# Low-pass for decimation: -3.8 dB at 2 kHz, below -49 dB from 5 kHz.
_HALF = [-54, -64, -82, -97, -93, -47, 66, 266, 562, 951, 1412, 1909, 2396, 2821, 3136, 3304]
LOW_PASS = np.array(_HALF + _HALF[::-1]) / 32768

OCTAVE_RATIO = 1.1  # by how much a lag must beat its half
OCTAVE_KEEP = 0.8  # what is left of its score otherwise
OCTAVE_COST = 0.01  # per octave above the shortest lag
REACH = 4  # decimated lags that a path may move per frame
MOVE_COST = 0.01  # per squared lag
RESTART_COST = 0.8  # for leaving the best path for any lag
CANDIDATES = 9  # periods tried at 48 kHz

# log2(lag), piecewise linear between powers of two, from the shortest lag on.
_MANTISSAS, _EXPONENTS = np.frexp(LAGS)
_OCTAVES = 2 * _MANTISSAS + _EXPONENTS - (2 * _MANTISSAS[0] + _EXPONENTS[0])


@dataclasses.dataclass(frozen=True)
class Sums:
    """Over one hop or more, for every lag (178,): correlation, and mean energy of both segments."""

    correlation: np.ndarray
    energy: np.ndarray

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.correlation + other.correlation, self.energy + other.energy)

    @staticmethod
    def zero() -> "Sums":
        """Sums over silence."""
        return Sums(np.zeros(len(LAGS)), np.zeros(len(LAGS)))


class PitchTracker:
    """Streaming pitch: push a history each hop, get the pitch of the frame two hops back."""

    def __init__(self) -> None:
        self._decimated = np.zeros(LAGS[-1] + BLOCK)
        self._sums = [Sums.zero(), Sums.zero()]  # of the hops t - 2 and t - 1
        self._path = np.zeros(len(LAGS))  # score of the best path that ends at each lag, at most 0
        self._period = PERIOD_INITIAL

    def push(self, history: np.ndarray) -> Pitch:
        """Take hop t; return the pitch of frame t - 2, which is history[960:1920].

        history: (2880,) high-passed samples, int16 LSB, newest last. Silence keeps the period.
        """
        self._decimated = np.concatenate([self._decimated[BLOCK:], decimate(history)])
        self._sums.append(hop_sums(self._decimated))
        scores = lag_scores(self._sums[0] + self._sums[1] + self._sums[2])
        self._sums.pop(0)
        lag = LAGS[self._extend_paths(scores)]
        pitch = refine(history, int(lag) * DECIMATION)
        if pitch.correlation == 0.0:
            pitch = Pitch(self._period, 0.0)
        self._period = pitch.period
        return pitch

    def _extend_paths(self, scores: np.ndarray) -> int:
        """Viterbi step with the scores (178,) of frame t - 1; returns the lag's index at t - 2."""
        moves = np.arange(-REACH, REACH + 1)
        padded = np.pad(self._path, REACH, constant_values=-np.inf)
        origins = np.lib.stride_tricks.sliding_window_view(padded, len(moves))
        values = origins - MOVE_COST * moves**2
        path = np.maximum(values.max(axis=1), -RESTART_COST) + scores
        best = int(path.argmax())
        if values[best].max() < -RESTART_COST:
            origin = int(self._path.argmax())
        else:
            origin = best + int(moves[values[best].argmax()])
        self._path = path - path[best]
        return origin


def decimate(history: np.ndarray) -> np.ndarray:
    """The newest hop of the history (2880,) at 12 kHz (120,)."""
    samples = history[len(history) - DECIMATION * (BLOCK - 1) - len(LOW_PASS) :]
    return np.convolve(samples, LOW_PASS, "valid")[::DECIMATION]


def hop_sums(decimated: np.ndarray) -> Sums:
    """Sums of the newest 120 of the decimated samples (312,) with their past."""
    segments = np.lib.stride_tricks.sliding_window_view(decimated, BLOCK)[::-1]
    newest, delayed = segments[0], segments[LAGS]
    energies = np.sum(segments**2, axis=1)
    return Sums(delayed @ newest, (energies[0] + energies[LAGS]) / 2)


def lag_scores(sums: Sums) -> np.ndarray:
    """Normalised correlation (178,), less what keeps multiples of the period from winning."""
    silent = sums.energy == 0.0
    raw = np.where(silent, 0.0, sums.correlation / np.where(silent, 1.0, sums.energy))
    has_half = 2 * LAGS[0] <= LAGS
    half = np.zeros(len(LAGS))
    half[has_half] = raw[LAGS[has_half] // 2 - LAGS[0]]
    loses = has_half & (raw < OCTAVE_RATIO * half)
    return np.where(loses, OCTAVE_KEEP * raw, raw) - OCTAVE_COST * _OCTAVES


def refine(history: np.ndarray, coarse: int) -> Pitch:
    """The period near `coarse` with the highest normalised correlation over frame t - 2.

    The pairs x(n), x(n - period) are centred on the frame: n starts half a period after it does.
    """
    low = min(max(coarse - CANDIDATES // 2, PERIOD_MIN), PERIOD_MAX - CANDIDATES + 1)
    start = FRAME_START + coarse // 2
    segments = np.lib.stride_tricks.sliding_window_view(history, WINDOW_LENGTH)
    frame = segments[start]
    delayed = segments[start - low - np.arange(CANDIDATES)]
    energies = frame @ frame + np.sum(delayed**2, axis=1)
    if not energies.all():
        return Pitch(coarse, 0.0)
    correlations = 2 * (delayed @ frame) / energies
    best = int(correlations.argmax())
    if correlations[best] <= 0.0:
        return Pitch(coarse, 0.0)
    return Pitch(low + best, float(min(correlations[best], 1.0)))


def track(highpassed: np.ndarray) -> list[Pitch]:
    """Pitch of a whole high-passed signal (samples,), int16 LSB.

    One entry per hop, as the pipeline wants it: entry t is the pitch of frame t - 2.
    """
    tracker, history, pitches = PitchTracker(), np.zeros(HISTORY), []
    for hop in split_hops(highpassed):
        history = np.concatenate([history[HOP:], hop])
        pitches.append(tracker.push(history))
    return pitches
