"""A day of sound in one stream, faster than real time."""

import resource
import tracemalloc

import numpy as np
import pytest

from kit import host
from kit.denoiser import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from tests.host.test_sound import level_db, recording

HOUR_S = 3600
HOURS = 24
RESIDENT_KB = 2000


def whole_hops(pcm: np.ndarray) -> np.ndarray:
    return pcm[: len(pcm) // HOP_SAMPLES * HOP_SAMPLES]


def carried_on(denoiser: Denoiser) -> Denoiser:
    """Another denoiser, elsewhere in memory, that goes on where this one is."""
    ffi, lib = host.load()
    other = Denoiser()
    ffi.memmove(other._state, denoiser._state, lib.pn_state_size())
    return other


def delay_of(out: np.ndarray, noisy: np.ndarray) -> int:
    """By how many samples the output is late, both repeated for ever."""
    spectrum = np.fft.rfft(out.astype(float)) * np.conj(np.fft.rfft(noisy.astype(float)))
    return int(np.argmax(np.fft.irfft(spectrum)))


def test_a_carried_state_goes_on_with_the_same_bytes() -> None:
    noisy = whole_hops(recording("noisy", 3))
    one, pieces, outs = Denoiser(), Denoiser(), []
    for start in range(0, len(noisy), 50 * HOP_SAMPLES):
        pieces = carried_on(pieces)
        outs.append(pieces.process(noisy[start : start + 50 * HOP_SAMPLES]))
    np.testing.assert_array_equal(np.concatenate(outs), one.process(noisy))


@pytest.mark.long
def test_a_day_of_sound_changes_nothing() -> None:
    """Speech in noise, over and over for 24 hours: level, delay and memory stay what they were
    after the first hour, and each hour by itself, from the state at its beginning, gives the same
    bytes.
    """
    noisy = whole_hops(recording("noisy"))
    day = Denoiser()
    levels, memory, resident = [], [], []
    tracemalloc.start()
    for _ in range(HOURS):
        hour = carried_on(day)
        for _ in range(HOUR_S * SAMPLE_RATE_HZ // len(noisy)):
            out = day.process(noisy)
            np.testing.assert_array_equal(hour.process(noisy), out)
        levels.append(level_db(out))
        memory.append(tracemalloc.get_traced_memory()[0])
        resident.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        assert delay_of(out, noisy) == LATENCY_SAMPLES
    assert max(levels) - min(levels) < 0.1, levels
    assert max(memory) - memory[0] < 100_000, "the Python side keeps nothing either"
    assert max(resident) - resident[0] < RESIDENT_KB, resident
