"""Measures of speech quality of an output against its clean reference; all at 16 kHz."""

import dataclasses
import math
import statistics
import warnings
from collections.abc import Iterable

import numpy as np
import soxr

with warnings.catch_warnings():
    # The packages warn about their own use of Python, not about ours of them.
    warnings.simplefilter("ignore")
    import pesq
    import pystoi

METRIC_RATE_HZ = 16000
# The reference code of PESQ is made for sentences and crashes on minutes.
PESQ_MOST_S = 30


@dataclasses.dataclass(frozen=True)
class Scores:
    """PESQ-WB (MOS, 1.0..4.6), STOI and ESTOI (0..1), SI-SDR (dB), level over the reference's (dB).

    nan: not to be judged, for it is too short or has no speech.
    """

    pesq: float
    stoi: float
    estoi: float
    si_sdr_db: float
    level_db: float


def score(reference: np.ndarray, output: np.ndarray, sample_rate_hz: int = 48000) -> Scores:
    """Score one recording. reference, output: int16, shape (samples,), aligned."""
    ref, out = (_at_metric_rate(x, sample_rate_hz) for x in (reference, output))
    return Scores(
        pesq_wb(ref, out),
        _stoi(ref, out, extended=False),
        _stoi(ref, out, extended=True),
        si_sdr(ref, out),
        _level_db(reference, output),
    )


def mean(values: Iterable[float]) -> float:
    """Mean of what could be judged; nan when nothing could."""
    known = [v for v in values if not math.isnan(v)]
    return statistics.fmean(known) if known else math.nan


def _at_metric_rate(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    return soxr.resample(samples.astype(np.float64) / 32768.0, sample_rate_hz, METRIC_RATE_HZ)


def pesq_wb(reference: np.ndarray, output: np.ndarray) -> float:
    """PESQ-WB at 16 kHz; of a long recording the mean over pieces of equal length."""
    pieces = -(-len(reference) // (PESQ_MOST_S * METRIC_RATE_HZ))
    if pieces == 0:
        return math.nan
    return mean(
        _pesq_of_piece(*pair)
        for pair in zip(
            np.array_split(reference, pieces), np.array_split(output, pieces), strict=True
        )
    )


def _pesq_of_piece(reference: np.ndarray, output: np.ndarray) -> float:
    if not np.any(reference) or not np.any(output):
        return math.nan
    try:
        return float(pesq.pesq(METRIC_RATE_HZ, reference, output, "wb"))
    except (pesq.NoUtterancesError, pesq.BufferTooShortError):
        return math.nan


def _stoi(reference: np.ndarray, output: np.ndarray, extended: bool) -> float:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # ESTOI adds a little noise from NumPy's global generator: the same at every call.
        np.random.seed(0)
        value = float(pystoi.stoi(reference, output, METRIC_RATE_HZ, extended=extended))
    return math.nan if caught else value


def si_sdr(reference: np.ndarray, output: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB; nan for a silent reference."""
    power = float(np.dot(reference, reference))
    if power == 0.0:
        return math.nan
    target = float(np.dot(reference, output)) / power * reference
    error = output - target
    return float(10.0 * np.log10((np.dot(target, target) + 1e-20) / (np.dot(error, error) + 1e-20)))


def _level_db(reference: np.ndarray, output: np.ndarray) -> float:
    energies = [float(np.sum(x.astype(np.float64) ** 2)) for x in (output, reference)]
    return 10.0 * math.log10(energies[0] / energies[1]) if all(energies) else math.nan
