"""A day of sound in one stream, faster than real time."""

import tracemalloc

import numpy as np
import pytest

from kit.denoiser import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from tests.host.test_sound import level_db, recording

HOUR_S = 3600


@pytest.mark.long
def test_a_day_of_sound_changes_nothing() -> None:
    """Speech in noise, over and over for 24 hours: level, delay and memory stay what they were
    after the first minutes, and the outputs repeat.
    """
    noisy = recording("noisy")
    noisy = noisy[: len(noisy) // HOP_SAMPLES * HOP_SAMPLES]
    loops = 24 * HOUR_S * SAMPLE_RATE_HZ // len(noisy)
    denoiser = Denoiser()
    levels, memory = [], []
    tracemalloc.start()
    for loop in range(loops):
        out = denoiser.process(noisy)
        if loop % 36 == 18:
            levels.append(level_db(out))
            memory.append(tracemalloc.get_traced_memory()[0])
    settled = levels[1:]
    assert max(settled) - min(settled) < 0.1, settled
    assert max(memory) - memory[0] < 100_000, "the Python side keeps nothing either"
    late = denoiser.process(noisy).astype(float)
    again = np.fft.irfft(np.fft.rfft(late) * np.conj(np.fft.rfft(noisy.astype(float))))
    assert int(np.argmax(again)) == LATENCY_SAMPLES
