"""What the shipped model and the fixed-point signal path do to difficult input."""

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import scipy.stats
import soundfile

from kit import host
from kit.denoiser import HOP_SAMPLES, LATENCY_SAMPLES, SAMPLE_RATE_HZ, Denoiser
from kit.evaluate.metrics import score
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


@pytest.mark.parametrize("dbfs", [-50, -35, -20])
def test_clean_speech_in_is_clean_speech_out(dbfs):
    clean = at_level(recording("clean"), dbfs)
    scores = score(clean, denoise(clean))
    assert abs(scores.level_db) < 0.5 and scores.pesq > 3.9, scores


def test_a_stream_that_goes_on_sounds_as_it_began():
    """The network's memory settles within seconds and stays there."""
    noisy, clean = recording("noisy"), recording("clean")
    out = denoise(np.tile(noisy, 12)).reshape(12, -1)
    first, last = (score(clean, out[i]) for i in (0, -1))
    assert last.pesq > first.pesq - 0.05, (first, last)
    assert abs(last.level_db - first.level_db) < 0.5, (first, last)


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


def music() -> np.ndarray:
    """Four seconds of struck chords, int16."""
    time_s = np.arange(4 * SECOND) / SAMPLE_RATE_HZ
    total = np.zeros(len(time_s))
    for onset, root in ((0.0, 220.0), (1.0, 261.6), (2.0, 196.0), (3.0, 220.0)):
        since = np.maximum(time_s - onset, 0.0)
        for step in (1.0, 1.26, 1.5, 2.0):
            for k in range(1, 6):
                tone = np.sin(2 * np.pi * k * root * step * since)
                total += (time_s >= onset) * tone * np.exp(-2.5 * since) / k
    return np.rint(2000.0 * total).astype(np.int16)


def whisper() -> np.ndarray:
    """The clean recording with its voice replaced by breath: noise in the shape of the speech."""
    clean = recording("clean").astype(float)
    _, _, spectrum = scipy.signal.stft(clean, SAMPLE_RATE_HZ, nperseg=960)
    smooth = scipy.ndimage.uniform_filter1d(np.abs(spectrum), 9, axis=0)
    breath = np.random.default_rng(3).standard_normal(len(clean))
    _, _, noise = scipy.signal.stft(breath, SAMPLE_RATE_HZ, nperseg=960)
    _, out = scipy.signal.istft(smooth * noise / np.abs(noise).mean(), SAMPLE_RATE_HZ, nperseg=960)
    return np.clip(np.rint(out[: len(clean)]), -32768, 32767).astype(np.int16)


def hard_sounds() -> dict[str, np.ndarray]:
    """Sounds by name, int16."""
    clean = recording("clean", 4)
    clicks = np.zeros(4 * SECOND, np.int16)
    clicks[::9973] = 32767
    jumps = np.concatenate([at_level(part, db) for part, db in zip(
        np.array_split(clean, 6), (-60, -20, -55, -15, -60, -25), strict=True)])  # fmt: skip
    offset = clean.astype(int) + 8000 * (np.arange(len(clean)) // SECOND % 2)
    return {
        "music": music(),
        "whisper": whisper()[: 4 * SECOND],
        "clicks": clicks,
        "level jumps": jumps,
        "clipped": np.clip(clean.astype(int) * 20, -32768, 32767).astype(np.int16),
        "steps of DC": np.clip(offset, -32768, 32767).astype(np.int16),
        "full-scale noise": np.random.default_rng(1).integers(
            -32768, 32768, 4 * SECOND, dtype=np.int16
        ),
    }


@pytest.mark.parametrize("name", hard_sounds())
def test_hard_sounds_come_out_without_new_clicks(name):
    """Where the output bends, the input around it bends nearly as much."""
    pcm = hard_sounds()[name]
    out = denoise(pcm).astype(float)
    bend_in = np.abs(np.diff(pcm.astype(float), 2))
    around = scipy.ndimage.maximum_filter1d(bend_in, 2 * HOP_SAMPLES + 1)
    excess = np.abs(np.diff(out, 2)) / (around + 0.02 * bend_in.max() + 8.0)
    assert excess.max() < 1.2, (name, excess.max(), int(excess.argmax()))


def test_a_whisper_is_kept():
    pcm = whisper()
    lost_db = level_db(pcm) - level_db(denoise(pcm))
    assert lost_db < 6.0, lost_db


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
