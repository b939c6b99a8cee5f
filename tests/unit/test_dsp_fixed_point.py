"""The fixed-point C against the float64 reference, given the same pitch, gains and strengths.

Outputs are compared before rounding to 16 bits (Q8), features in units of 2^-8.
"""

import numpy as np
import pytest

from kit import host
from kit.dsp import bands, oracle
from kit.dsp.features import FEATURES
from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import LATENCY_SAMPLES, Pitch, enhance
from kit.dsp.spectrum import HOP, SAMPLE_RATE

HOPS = 150
SHAPE = (HOPS, bands.BANDS)
FULL_Q15, NONE_Q15 = np.full(SHAPE, 32767, np.int16), np.zeros(SHAPE, np.int16)


def voice(seed: int, level_dbfs: float) -> np.ndarray:
    """Syllables of a gliding voice with noise 14 dB below it, int16 (HOPS * 480,); peaks clip."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(HOPS * HOP) / SAMPLE_RATE
    f0_hz = 140 * 2 ** (0.5 * np.sin(2 * np.pi * 0.7 * seconds + rng.uniform(0, 6)))
    phase = 2 * np.pi * np.cumsum(f0_hz) / SAMPLE_RATE
    partials = (np.cos(k * phase + rng.uniform(0, 6)) / k**1.2 for k in range(1, 60))
    voiced = sum(partials) * np.sqrt(np.clip(np.sin(2 * np.pi * 3 * seconds), 0, 1))
    mixture = voiced / voiced.std() + 0.2 * rng.normal(size=len(voiced))
    scaled = 32768 * 10 ** (level_dbfs / 20) * mixture / mixture.std()
    return np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)


def trajectory(seed: int) -> np.ndarray:
    """34 values that wander between 0 and 1 as a network's outputs do: int16 Q15 (HOPS, 34)."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 6, bands.BANDS) + np.cumsum(0.25 * rng.normal(size=SHAPE), axis=0)
    return np.clip(np.rint(32768 * (0.5 - 0.5 * np.cos(angle))), 0, 32767).astype(np.int16)


def real(values_q15: np.ndarray) -> np.ndarray:
    """Q15 as the firmware reads it: 32767 counts as 1."""
    return np.where(values_q15 == 32767, 1.0, values_q15 / 32768)


def pointer(ffi, array: np.ndarray):
    assert array.flags.c_contiguous
    ctype = {"int16": "int16_t *", "int32": "int32_t *", "float32": "float *"}[array.dtype.name]
    return ffi.cast(ctype, array.ctypes.data)


def firmware(pcm, gains_q15, strengths_q15, post_filter=False):
    """Run the C pipeline; returns features (HOPS, 70) in real units and output in int16 LSB."""
    ffi, lib = host.load("pn_frame.h")
    state = ffi.new("pn_frame_t *")
    lib.pn_frame_init(state, lib.pn_rate_find(48000))
    features_q12 = np.zeros((HOPS, FEATURES), np.int16)
    out_q8 = np.zeros((HOPS, HOP), np.int32)
    for t, hop in enumerate(pcm.reshape(HOPS, HOP)):
        lib.pn_frame_analyse(state, pointer(ffi, hop), pointer(ffi, features_q12[t]))
        network = pointer(ffi, gains_q15[t]), pointer(ffi, strengths_q15[t])
        lib.pn_frame_synthesise(state, *network, post_filter, pointer(ffi, out_q8[t]))
    return features_q12 / 4096, out_q8.ravel() / 256


def pitches_of(features: np.ndarray) -> list[Pitch]:
    """The pitch that the firmware found, from its features."""
    return [Pitch(round(300 + 300 * row[68]), float(row[69])) for row in features]


def snr_db(expected: np.ndarray, got: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(expected**2) / np.sum((got - expected) ** 2)))


def compare(pcm, gains_q15, strengths_q15, post_filter=False):
    """Both pipelines; returns the output's SNR in dB and the features' errors (HOPS, 70)."""
    features, out = firmware(pcm, gains_q15, strengths_q15, post_filter)
    expected_features, expected = enhance(
        pcm, pitches_of(features), real(gains_q15), real(strengths_q15), post_filter
    )
    return snr_db(expected, out), np.abs(features - expected_features)


@pytest.mark.parametrize("post_filter", [False, True])
@pytest.mark.parametrize(("level_dbfs", "least_db"), [(-3, 80), (-20, 80), (-40, 80), (-60, 65)])
def test_output_is_the_references(level_dbfs, least_db, post_filter):
    network = trajectory(2), trajectory(3)
    reached_db, _ = compare(voice(1, level_dbfs), *network, post_filter)
    assert reached_db >= least_db


@pytest.mark.parametrize(("level_dbfs", "least_2_8"), [(-3, 1), (-40, 1), (-60, 10)])
def test_features_are_the_references(level_dbfs, least_2_8):
    """At -60 dBFS the lowest band holds little but the Q8 rounding of the high-passed input."""
    _, errors = compare(voice(4, level_dbfs), FULL_Q15, NONE_Q15)
    assert 256 * errors.max() <= least_2_8, np.unravel_index(errors.argmax(), errors.shape)
    assert 256 * errors.mean() < 0.1


@pytest.mark.parametrize("post_filter", [False, True])
@pytest.mark.parametrize("level_dbfs", [-3, -30, -60])
def test_unit_gains_reconstruct_the_input(level_dbfs, post_filter):
    pcm = voice(5, level_dbfs)
    _, out = firmware(pcm, FULL_Q15, NONE_Q15, post_filter)
    assert snr_db(HighPass().process(pcm)[:-LATENCY_SAMPLES], out[LATENCY_SAMPLES:]) >= 80


@pytest.mark.parametrize("gain", [0.3, 0.03])
def test_strong_suppression_stays_precise(gain):
    """What is left of the signal keeps its own precision, not that of the input."""
    gains_q15 = np.full(SHAPE, round(32768 * gain), np.int16)
    reached_db, _ = compare(voice(6, -20), gains_q15, trajectory(7))
    assert reached_db >= 80


@pytest.mark.parametrize("half_period", [30, 384, 2000])
def test_full_scale_square_waves_do_not_wrap(half_period):
    """The high-pass overshoots full scale; nothing behind it may overflow."""
    sign = np.arange(HOPS * HOP) // half_period % 2
    pcm = np.where(sign, 32767, -32768).astype(np.int16)
    reached_db, _ = compare(pcm, FULL_Q15, trajectory(8), True)
    assert reached_db >= 70


def test_silence_is_silent():
    features, out = firmware(np.zeros(HOPS * HOP, np.int16), FULL_Q15, FULL_Q15, True)
    np.testing.assert_array_equal(out, 0)
    np.testing.assert_array_equal(features[:, :34], -4.0)
    np.testing.assert_array_equal(features[:, 34:68], 0.0)


def firmware_oracle(noisy: np.ndarray, clean: np.ndarray):
    """The C oracle: features, then gains, attenuated gains, strengths, log energies."""
    ffi, lib = host.load()
    state = ffi.new("long double[]", lib.pn_oracle_state_size() // 16 + 1)
    lib.pn_oracle_reset(state)
    features_q12 = np.zeros((HOPS, FEATURES), np.int16)
    targets = [np.zeros(SHAPE, np.float32) for _ in range(4)]
    outputs = [pointer(ffi, array) for array in (features_q12, *targets)]
    lib.pn_oracle_run(state, pointer(ffi, noisy), pointer(ffi, clean), HOPS, *outputs)
    return features_q12 / 4096, *targets


def test_oracle_targets_are_the_references():
    clean = voice(9, -26)
    noise = 300 * np.random.default_rng(10).normal(size=len(clean))
    noisy = (clean + noise).astype(np.int16)
    features, gains, attenuated, strengths, log_energies = firmware_oracle(noisy, clean)
    expected = oracle.targets(noisy, clean, pitches_of(features))
    heard = expected.clean_energies > 0
    np.testing.assert_allclose(gains[heard], expected.gains[heard], atol=1e-3)
    np.testing.assert_allclose(
        attenuated[heard], (expected.gains * expected.attenuation)[heard], atol=2e-3
    )
    np.testing.assert_allclose(log_energies, np.log10(1 + expected.clean_energies), atol=1e-3)
    assert np.mean(np.abs(strengths - expected.strengths) > 5e-3) < 0.01
