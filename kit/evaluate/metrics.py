"""Measures of speech quality of an output against its clean reference; all at 16 kHz."""

import dataclasses
import warnings

import numpy as np
import soxr

with warnings.catch_warnings():
    # The packages warn about their own use of Python, not about ours of them.
    warnings.simplefilter("ignore")
    import pesq
    import pystoi

METRIC_RATE_HZ = 16000


@dataclasses.dataclass(frozen=True)
class Scores:
    """PESQ-WB (MOS, 1.0..4.6), STOI (0..1), SI-SDR (dB)."""

    pesq: float
    stoi: float
    si_sdr_db: float


def score(reference: np.ndarray, output: np.ndarray, sample_rate_hz: int = 48000) -> Scores:
    """Score one recording. reference, output: int16, shape (samples,), aligned.

    A measure that cannot judge (too short, or no speech in the reference) is nan.
    """
    ref, out = (_at_metric_rate(x, sample_rate_hz) for x in (reference, output))
    return Scores(_pesq_wb(ref, out), _stoi(ref, out), si_sdr(ref, out))


def _at_metric_rate(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    return soxr.resample(samples.astype(np.float64) / 32768.0, sample_rate_hz, METRIC_RATE_HZ)


def _pesq_wb(reference: np.ndarray, output: np.ndarray) -> float:
    if not np.any(reference) or not np.any(output):
        return float("nan")
    try:
        return float(pesq.pesq(METRIC_RATE_HZ, reference, output, "wb"))
    except (pesq.NoUtterancesError, pesq.BufferTooShortError):
        return float("nan")


def _stoi(reference: np.ndarray, output: np.ndarray) -> float:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = float(pystoi.stoi(reference, output, METRIC_RATE_HZ))
    return float("nan") if caught else value


def si_sdr(reference: np.ndarray, output: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio in dB; nan for a silent reference."""
    power = float(np.dot(reference, reference))
    if power == 0.0:
        return float("nan")
    target = float(np.dot(reference, output)) / power * reference
    error = output - target
    return float(10.0 * np.log10((np.dot(target, target) + 1e-20) / (np.dot(error, error) + 1e-20)))
