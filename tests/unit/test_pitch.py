"""Pitch: the reference finds known periods, and the C code finds what the reference finds."""

import functools

import numpy as np
import pytest

from kit import host
from kit.dsp import pitch
from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import LOOKAHEAD_FRAMES
from kit.dsp.spectrum import HOP, SAMPLE_RATE

HOPS = 200
VOICED = 0.5  # pitch correlation


@functools.cache
def voice(
    f0_hz: float, snr_db: float = 100.0, glide_octaves: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """A gliding vowel with white noise, Q8 of int16 LSB, and its period; both (HOPS * 480,)."""
    rng = np.random.default_rng(int(f0_hz))
    seconds = np.arange(HOPS * HOP) / SAMPLE_RATE
    frequency = f0_hz * 2 ** (glide_octaves * np.sin(2 * np.pi * seconds))
    phase = 2 * np.pi * np.cumsum(frequency) / SAMPLE_RATE
    formants = ((600, 150), (1200, 200), (2600, 300))
    vowel = np.zeros(len(seconds))
    for k in range(1, int(5000 / f0_hz)):
        strength = sum(1 / (1 + ((k * f0_hz - at) / width) ** 2) for at, width in formants)
        vowel += strength * np.cos(k * phase + rng.uniform(0, 6))
    mixture = vowel / vowel.std() + 10 ** (-snr_db / 20) * rng.normal(size=len(vowel))
    highpassed = HighPass().process(2000 * mixture)
    return np.rint(256 * highpassed).astype(np.int32), SAMPLE_RATE / frequency


def track_in_c(signal_q8: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Periods and correlations of the firmware, one per hop."""
    ffi, lib = host.load("pn_pitch.h")
    tracker = ffi.new("pn_pitch_t *")
    lib.pn_pitch_init(tracker, lib.pn_rate_find(48000))
    padded = np.concatenate([np.zeros(pitch.HISTORY - HOP, np.int32), signal_q8])
    estimates = [
        lib.pn_pitch_push(tracker, ffi.from_buffer("int32_t[]", padded[t * HOP :]))
        for t in range(len(signal_q8) // HOP)
    ]
    return (
        np.array([estimate.period for estimate in estimates]),
        np.array([estimate.correlation_q15 / 32768 for estimate in estimates]),
    )


def track(signal_q8: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of the reference."""
    pitches = pitch.track(signal_q8 / 256)
    return np.array([p.period for p in pitches]), np.array([p.correlation for p in pitches])


@pytest.mark.parametrize(("snr_db", "share"), [(100.0, 0.99), (10.0, 0.98), (0.0, 0.85)])
@pytest.mark.parametrize("f0_hz", [85.0, 120.0, 220.0, 400.0])
def test_period_of_a_gliding_vowel(f0_hz, snr_db, share):
    signal_q8, true_periods = voice(f0_hz, snr_db)
    periods, _ = track(signal_q8)
    hops = np.arange(10, HOPS)
    centres = true_periods[(hops - LOOKAHEAD_FRAMES) * HOP]
    right = np.abs(periods[hops] / centres - 1) < 0.03
    assert right.mean() >= share, (periods[hops][~right], centres[~right])


def test_period_is_precise_enough_for_five_taps():
    """A clean vowel's period is right within one sample: the fifth tap is then off by 0.1 ms."""
    signal_q8, true_periods = voice(150.0)
    periods, _ = track(signal_q8)
    hops = np.arange(10, HOPS)
    errors = np.abs(periods[hops] - true_periods[(hops - LOOKAHEAD_FRAMES) * HOP])
    assert np.quantile(errors, 0.95) <= 1.0, errors.max()


def test_a_path_that_begins_anew_leaves_the_frame_before_on_the_best_one():
    """Nothing leads from there to a lag that is best all at once, and is too far to move to."""
    tracker, scores = pitch.PitchTracker(), np.zeros(len(pitch.LAGS))
    known, sudden = 100, 20
    for _ in range(5):
        scores[:] = 0.0
        scores[known] = 1.0
        tracker._extend_paths(scores)
    scores[known], scores[sudden] = 0.0, 5.0
    assert tracker._extend_paths(scores) == known
    assert tracker._extend_paths(scores) == sudden


def test_correlation_follows_the_noise():
    steady = [voice(120.0, snr_db, glide_octaves=0.0)[0] for snr_db in (100.0, 10.0, 0.0)]
    correlations = [np.median(track(signal_q8)[1]) for signal_q8 in steady]
    # Of signal + noise, correlating with itself: S / (S + N).
    np.testing.assert_allclose(correlations, [1.0, 0.909, 0.5], atol=0.05)


def test_silence_keeps_the_period():
    tracker = pitch.PitchTracker()
    assert tracker.push(np.zeros(pitch.HISTORY)) == (pitch.PERIOD_INITIAL, 0.0)
    pulses = np.resize(np.eye(1, 201)[0], HOPS // 10 * HOP)
    pitches = pitch.track(1000 * np.concatenate([pulses, np.zeros(10 * HOP)]))
    assert pitches[-1] == (201, 0.0)


@pytest.mark.parametrize("snr_db", [100.0, 10.0, 0.0])
@pytest.mark.parametrize("f0_hz", [85.0, 120.0, 220.0, 400.0])
def test_c_agrees_with_the_reference(f0_hz, snr_db):
    signal_q8, _ = voice(f0_hz, snr_db)
    periods, correlations = track_in_c(signal_q8)
    expected_periods, expected_correlations = track(signal_q8)
    voiced = expected_correlations > VOICED
    same = periods == expected_periods
    assert same[voiced].mean() > 0.99 or not voiced.any(), np.flatnonzero(voiced & ~same)
    np.testing.assert_allclose(correlations[same], expected_correlations[same], atol=3 / 1024)


def test_c_weighs_hops_of_different_levels_as_the_reference_does():
    """Two voices 40 dB apart take turns: sums of hops with different exponents are combined."""
    first, second = voice(120.0, 20.0)[0], voice(220.0, 20.0)[0]
    turns = np.arange(HOPS * HOP) // 1500 % 2
    signal_q8 = np.where(turns == 0, first, second // 100).astype(np.int32)
    periods, _ = track_in_c(signal_q8)
    expected_periods, _ = track(signal_q8)
    assert np.mean(periods == expected_periods) > 0.95, np.flatnonzero(periods != expected_periods)


@pytest.mark.parametrize("shift", [-5, 3, 8])
def test_c_is_independent_of_level(shift):
    signal_q8, _ = voice(120.0, 10.0)
    scaled_q8 = np.rint(signal_q8 * 2.0**shift).astype(np.int32)
    periods, correlations = track_in_c(scaled_q8)
    expected_periods, expected_correlations = track_in_c(signal_q8)
    assert np.mean(periods == expected_periods) > 0.99
    assert np.abs(correlations - expected_correlations).mean() < 1 / 1024
