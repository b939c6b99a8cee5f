"""The C library at its five sample rates: delay, reconstruction, and the features of 48 kHz."""

import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr

from kit import host
from kit.build import build
from kit.denoiser import RATES_HZ, Denoiser, denoise_file
from kit.errors import KitError
from kit.paths import ROOT
from kit.remote import denoise_on
from kit.target import load_target

SPEECH = ROOT / "kit" / "demo" / "clean.flac"
BANDS = 34
# Bands whose triangle lies below half the rate, and two less: the resampler's edge.
COMMON_BANDS = {8000: 19, 16000: 25, 24000: 28, 32000: 30}


def speech_at(rate_hz: int) -> np.ndarray:
    """Six seconds of speech, int16."""
    samples, _ = soundfile.read(SPEECH, frames=6 * 48000)
    return np.rint(soxr.resample(samples, 48000, rate_hz) * 32000).astype(np.int16)


def run(pcm: np.ndarray, rate_hz: int, gain_q15: int = 32767) -> tuple[np.ndarray, ...]:
    """Features (hops, 70), output in int16 LSB, period in 48 kHz samples and correlation."""
    ffi, lib = host.load("pn_frame.h")
    frame = ffi.new("pn_frame_t *")
    lib.pn_frame_init(frame, lib.pn_rate_find(rate_hz))
    hop = rate_hz // 100
    hops = len(pcm) // hop
    features, out = np.zeros((hops, 70), np.int16), np.zeros((hops, hop), np.int32)
    pitch = np.zeros((hops, 2))
    gains = ffi.new("int16_t[]", [gain_q15] * BANDS)
    strengths = ffi.new(f"int16_t[{BANDS}]")
    for t in range(hops):
        source = ffi.from_buffer("int16_t[]", pcm[t * hop : (t + 1) * hop].copy())
        lib.pn_frame_analyse(frame, source, ffi.from_buffer("int16_t[]", features[t]))
        found = lib.pn_frame_pending(frame, 0).estimate
        pitch[t] = found.period * 48000 / rate_hz, found.correlation_q15 / 32768
        lib.pn_frame_synthesise(frame, gains, strengths, 0, ffi.from_buffer("int32_t[]", out[t]))
    return features / 4096, out.ravel() / 256, pitch


def highpassed(pcm: np.ndarray, rate_hz: int) -> np.ndarray:
    """What full gains give back: the poles of the 48 kHz filter, moved to the rate."""
    poles = np.roots([1, -1.99599, 0.99600]) ** (48000 / rate_hz)
    return scipy.signal.lfilter([1, -2, 1], np.poly(poles).real, pcm.astype(float))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_full_gains_give_the_signal_back_30_ms_late(rate_hz):
    pcm = speech_at(rate_hz)
    _, out, _ = run(pcm, rate_hz)
    delay = 3 * rate_hz // 100
    expected = highpassed(pcm, rate_hz)[: len(out) - delay]
    error = out[delay:] - expected
    snr_db = 10 * np.log10(np.sum(expected**2) / np.sum(error**2))
    assert snr_db >= 80, snr_db


@pytest.mark.parametrize("rate_hz", RATES_HZ[:-1])
def test_features_of_the_common_bands_are_those_of_48_khz(rate_hz):
    features, _, pitch = run(speech_at(rate_hz), rate_hz)
    wanted, _, wanted_pitch = run(speech_at(48000), 48000)
    bands = COMMON_BANDS[rate_hz]
    difference = np.abs(features[5:] - wanted[5:])[:, :bands]
    assert difference.mean() < 0.01, difference.mean()
    voiced = wanted_pitch[:, 1] > 0.6
    agreed = np.abs(pitch[voiced, 0] / wanted_pitch[voiced, 0] - 1) < 0.03
    assert voiced.sum() > 100
    assert agreed.mean() > 0.97, agreed.mean()


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_uniform_gain_scales_the_signal(rate_hz):
    _, full, _ = run(speech_at(rate_hz), rate_hz)
    _, half, _ = run(speech_at(rate_hz), rate_hz, gain_q15=16384)
    error = np.sum((full / 2 - half) ** 2) / np.sum(half**2)
    assert 10 * np.log10(error) < -70


def test_other_rates_are_not_there():
    _, lib = host.load("pn_frame.h")
    assert not lib.pn_rate_find(44100)


@pytest.mark.parametrize("rate_hz", [8000, 16000])
def test_a_file_of_a_native_rate_is_not_resampled(tmp_path, rate_hz):
    pcm = speech_at(rate_hz)
    soundfile.write(tmp_path / "in.wav", pcm, rate_hz)
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav")
    out, out_rate_hz = soundfile.read(tmp_path / "out.wav", dtype="int16")
    assert out_rate_hz == rate_hz
    hop = rate_hz // 100
    padded = np.pad(pcm, (0, 3 * hop + -len(pcm) % hop))
    late = Denoiser(sample_rate_hz=rate_hz).process(padded)
    np.testing.assert_array_equal(out, late[3 * hop :][: len(pcm)])


def test_the_emulated_board_agrees_at_16_khz():
    pcm = speech_at(16000)[: 16000 // 2]
    target = load_target("mps3_an547")
    build(target.name)
    np.testing.assert_array_equal(
        denoise_on(target, pcm, 16000),
        Denoiser(sample_rate_hz=16000).denoise(pcm, 16000),
    )


def test_a_rate_that_the_library_lacks_is_an_error():
    with pytest.raises(KitError, match="44100 Hz"):
        Denoiser(sample_rate_hz=44100)
