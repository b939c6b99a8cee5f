"""What the shipped model and the fixed-point signal path do to difficult input."""

import numpy as np
import pytest
import scipy.signal
import scipy.stats
import soundfile

from kit import host
from kit.denoiser import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from kit.paths import ROOT

DEMO = ROOT / "kit" / "demo"
SECOND = SAMPLE_RATE_HZ


def recording(name: str, seconds: int = 10) -> np.ndarray:
    """The demo's `clean` or `noisy`, int16."""
    return soundfile.read(DEMO / f"{name}.flac", frames=seconds * SECOND, dtype="int16")[0]


def at_level(pcm: np.ndarray, dbfs: float) -> np.ndarray:
    """The recording at an RMS level, int16."""
    samples = pcm.astype(float)
    rms = np.sqrt(np.mean(samples**2))
    return np.clip(np.rint(samples * 32768 * 10 ** (dbfs / 20) / rms), -32768, 32767).astype("i2")


def level_db(pcm: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(pcm.astype(float) ** 2)))


def denoise(pcm: np.ndarray) -> np.ndarray:
    return Denoiser().denoise(pcm, SAMPLE_RATE_HZ)


def test_silence_stays_silent():
    assert not denoise(np.zeros(SECOND, np.int16)).any()


def test_a_constant_offset_disappears():
    out = denoise(np.full(3 * SECOND, -20000, np.int16))
    assert np.abs(out[SECOND : 2 * SECOND].astype(int)).max() <= 1


@pytest.mark.parametrize("period", [2, 3, 480, 2400])
def test_nothing_sounds_on_after_a_full_scale_square_wave(period):
    square = np.where(np.arange(SECOND) % period < period / 2, 32767, -32768)
    out = denoise(np.concatenate([square, np.zeros(2 * SECOND)]).astype(np.int16))
    assert np.abs(out[2 * SECOND :].astype(int)).max() <= 1


def test_the_result_does_not_depend_on_the_level():
    noisy = recording("noisy")
    ratios = [level_db(denoise(at_level(noisy, db))) - db for db in (-50, -40, -30, -20)]
    assert max(ratios) - min(ratios) < 1.0, ratios


def test_clean_speech_keeps_its_level_at_every_level():
    for dbfs in (-50, -35, -20):
        clean = at_level(recording("clean"), dbfs)
        lost_db = level_db(clean) - level_db(denoise(clean))
        assert -0.5 < lost_db < 1.0, (dbfs, lost_db)


def test_noise_is_lowered_more_than_speech():
    clean, noisy = recording("clean"), recording("noisy")
    noise = (noisy.astype(int) - clean).astype(np.int16)
    taken_from_noise = level_db(noise) - level_db(denoise(noise))
    taken_from_speech = level_db(clean) - level_db(denoise(clean))
    assert taken_from_noise > taken_from_speech + 10, (taken_from_noise, taken_from_speech)


def test_the_delay_is_the_same_from_first_to_last():
    clean = recording("clean")
    late = Denoiser().process(clean[: len(clean) // HOP_SAMPLES * HOP_SAMPLES])
    for start in (0, 3 * SECOND, 7 * SECOND):
        piece = slice(start, start + 2 * SECOND)
        sent, got = clean[piece].astype(float), late[piece].astype(float)
        lags = scipy.signal.correlate(got, sent, "full")
        assert np.argmax(lags) - (len(sent) - 1) == LATENCY_SAMPLES


class Processor:
    """The C interface itself, for what `Denoiser` leaves out."""

    def __init__(self) -> None:
        self.ffi, self.lib = host.load()
        self._memory = np.zeros(self.lib.pn_state_size() + 16, np.uint8)
        pointer = self.ffi.from_buffer(self._memory) + -self._memory.ctypes.data % 16
        self.state = self.ffi.cast("pn_state_t *", pointer)
        assert self.lib.pn_init(self.state, SAMPLE_RATE_HZ, self.ffi.NULL) == 0

    def frame(self, pcm: np.ndarray) -> np.ndarray:
        out = np.empty(HOP_SAMPLES, np.int16)
        source = self.ffi.from_buffer("int16_t[]", np.ascontiguousarray(pcm))
        self.lib.pn_process(self.state, source, self.ffi.from_buffer("int16_t[]", out))
        return out


def test_changes_of_strength_do_not_click():
    """A steady tone in bypass curves no more while the strength goes up and down than otherwise."""
    tone = np.rint(8000 * np.sin(2 * np.pi * 1000 * np.arange(6 * SECOND) / SAMPLE_RATE_HZ))
    processor, out = Processor(), []
    for i, hop in enumerate(tone.astype(np.int16).reshape(-1, HOP_SAMPLES)):
        if i % 50 == 0:
            processor.lib.pn_set_strength(processor.state, 0 if i // 50 % 2 == 0 else 100)
        out.append(processor.frame(hop))
    curvature = np.abs(np.diff(np.concatenate(out).astype(float), 2))[SECOND:]
    steady = np.abs(np.diff(tone, 2)).max()
    assert curvature.max() < 1.1 * steady, (curvature.max(), steady)


def voice_probabilities(pcm: np.ndarray) -> np.ndarray:
    processor, probabilities = Processor(), []
    for hop in pcm[: len(pcm) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES):
        processor.frame(hop)
        probabilities.append(processor.lib.pn_voice_probability(processor.state) / 32768)
    return np.array(probabilities)


def test_voice_probability_tells_speech_from_pauses():
    clean, noisy = recording("clean"), recording("noisy")
    hops = len(clean) // HOP_SAMPLES
    energy = np.mean(clean[: hops * HOP_SAMPLES].reshape(hops, -1).astype(float) ** 2, axis=1)
    quiet = energy < 1e-4 * energy.max()
    loud = energy > 1e-2 * energy.max()
    # The probability belongs to the frame that leaves, three hops after it came in.
    found = np.roll(voice_probabilities(noisy), -3)
    order = scipy.stats.rankdata(found[quiet | loud])
    ranks = order[loud[quiet | loud]]
    area = (ranks.sum() - loud.sum() * (loud.sum() + 1) / 2) / (loud.sum() * quiet.sum())
    assert area > 0.85, (area, loud.sum(), quiet.sum())
    assert not voice_probabilities(np.zeros(SECOND, np.int16)).any()
