"""Features, gains, post-filter and oracle: bounds, limits, and what the strength solves."""

import numpy as np
import pytest

from kit.dsp import bands, features, gains, oracle
from kit.dsp.spectrum import BINS, WINDOW_LENGTH, transform

ONES = np.ones(bands.BANDS)


def spectrum(seed: int, scale: float = 1000.0) -> np.ndarray:
    return transform(scale * np.random.default_rng(seed).normal(size=WINDOW_LENGTH))


def test_level_rises_by_quarters_and_falls_slowly_to_the_floor():
    tracker = features.LevelTracker()
    loud, quiet = np.array([2.0**32 - 1.0]), np.array([0.0])
    assert tracker.update(loud) == pytest.approx(26.0)
    assert tracker.update(loud) == pytest.approx(27.5)
    assert tracker.update(quiet) == pytest.approx(27.48)
    assert tracker.update(np.array([2.0**27.47])) == pytest.approx(27.47, abs=1e-6)
    for _ in range(200):
        level = tracker.update(quiet)
    assert level == features.LEVEL_FLOOR


def test_log_bands_are_relative_and_clamped():
    energies = np.array([0.0, 2.0**30 - 1.0, 2.0**36 - 1.0, 2.0**60])
    np.testing.assert_allclose(features.log_bands(energies, 30.0), [-5.0, 0.0, 1.0, 2.0])
    assert features.log_bands(np.zeros(1), 40.0) == [-6.0]


def test_features_are_assembled_in_the_networks_order():
    row = features.assemble(np.full(34, 1.0), np.full(34, 2.0), 60, 0.5)
    assert len(row) == features.FEATURES
    np.testing.assert_array_equal(row[[0, 33, 34, 67]], [1.0, 1.0, 2.0, 2.0])
    np.testing.assert_allclose(row[68:], [-0.8, 0.5])


def test_mix_goes_from_noisy_to_comb_filtered():
    y, p = spectrum(1), spectrum(2)
    np.testing.assert_array_equal(gains.mix(y, p, 0 * ONES), y)
    np.testing.assert_allclose(gains.mix(y, p, ONES), p)
    np.testing.assert_allclose(gains.mix(y, p, 0.25 * ONES), 0.75 * y + 0.25 * p)


def test_post_filter_leaves_full_gain_alone():
    warped, make_up = gains.post_filter(ONES, bands.energies(spectrum(3)))
    np.testing.assert_allclose(warped, 1.0)
    assert make_up == pytest.approx(1.0)


def test_post_filter_of_silence_is_silence():
    warped, make_up = gains.post_filter(0 * ONES, ONES)
    np.testing.assert_array_equal(warped, 0.0)
    assert make_up == pytest.approx(1.0)


def test_make_up_gain_peaks_at_5_57_db():
    """A uniform gain g has e = 1 / sin^2(pi g / 2), so a sweep of g visits every e."""
    sweep = [gains.post_filter(g * ONES, ONES)[1] for g in np.linspace(1e-4, 1.0, 20_000)]
    assert 20 * np.log10(max(sweep)) == pytest.approx(5.57, abs=0.01)


@pytest.mark.parametrize("with_post_filter", [False, True])
def test_bands_reach_their_target_whatever_was_mixed(with_post_filter):
    y = spectrum(4)
    scaler = gains.BandScaler()
    smooth = 0.5 * ONES
    out = scaler.apply(y, 0.6 * y, smooth, 0.5 * ONES, with_post_filter)
    warped, make_up = (
        gains.post_filter(smooth, bands.energies(y)) if with_post_filter else (smooth, 1)
    )
    expected = (make_up * warped) ** 2 * bands.energies(y)
    np.testing.assert_allclose(bands.energies(out), expected)


def test_scale_is_limited_where_the_mix_cancels():
    y = spectrum(5)
    out = gains.BandScaler().apply(y, -0.9 * y, ONES, 0.5 * ONES, False)
    np.testing.assert_allclose(out, 4.0 * 0.05 * y)
    out = gains.BandScaler().apply(y, 0 * y, ONES, ONES, False)
    np.testing.assert_array_equal(out, np.zeros(BINS))


def test_decay_limit_holds_only_with_post_filter_and_never_above_the_input():
    y, nothing = spectrum(6), np.zeros(bands.BANDS)
    for with_post_filter, expected in ((True, 0.501), (False, 0.0)):
        scaler = gains.BandScaler()
        scaler.apply(y, y, ONES, nothing, False)
        out = scaler.apply(y, y, nothing, nothing, with_post_filter)
        np.testing.assert_allclose(out, expected * y)
    scaler = gains.BandScaler()
    scaler.apply(y, y, ONES, nothing, True)
    np.testing.assert_allclose(scaler.apply(0.1 * y, 0.1 * y, nothing, nothing, True), 0.1 * y)


def test_ideal_gain_is_the_ratio_of_magnitudes():
    out = oracle.ideal_gains(np.array([1.0, 9.0, 0.0, 1.0]), np.array([4.0, 4.0, 4.0, 0.0]))
    np.testing.assert_array_equal(out, [0.5, 1.0, 0.0, 0.0])


def mixed_coherence(q_y: float, q_p: float, r: float) -> float:
    """Coherence of (1 - r) y + r p with their periodic part; norms 1, noises orthogonal."""
    y = np.array([q_y, np.sqrt(1 - q_y**2), 0.0])
    p = np.array([q_p, 0.0, np.sqrt(1 - q_p**2)])
    z = (1 - r) * y + r * p
    return float(z[0] / np.linalg.norm(z))


@pytest.mark.parametrize("noise_gain", [0.125, 0.3])
def test_strength_reaches_the_clean_coherence(noise_gain):
    rng = np.random.default_rng(7)
    q_y = rng.uniform(0.05, 0.95, 500)
    q_p = oracle.comb_coherence(q_y, noise_gain)
    q_x = q_y + rng.uniform(0.0, 0.95, 500) * (q_p - q_y)
    r, attenuation = oracle.strength(q_x, q_y, noise_gain)
    reached = [mixed_coherence(*row) for row in zip(q_y, q_p, r, strict=True)]
    np.testing.assert_allclose(reached, q_x, atol=1e-9)
    np.testing.assert_array_equal(attenuation, 1.0)


def test_comb_coherence_is_that_of_noise_reduced_by_the_filter():
    """y = cos d + sin n: the filter keeps d and sqrt(noise gain) of n."""
    q_y, noise_gain = 0.6, 0.125
    by_hand = q_y / np.hypot(q_y, np.sqrt(noise_gain) * np.sqrt(1 - q_y**2))
    assert oracle.comb_coherence(np.array(q_y), noise_gain) == pytest.approx(by_hand)


def test_strength_is_zero_where_noisy_is_already_as_periodic():
    r, attenuation = oracle.strength(np.array([0.3, 0.0]), np.array([0.6, 0.0]), 0.125)
    np.testing.assert_array_equal(r, 0.0)
    np.testing.assert_array_equal(attenuation, 1.0)


def test_too_noisy_bands_take_the_comb_output_and_are_attenuated():
    r, attenuation = oracle.strength(np.array([0.99, 1.0]), np.array([0.1, 0.0]), 0.125)
    np.testing.assert_array_equal(r, oracle.MAX_STRENGTH)
    q_p2 = 0.01 / (0.875 * 0.01 + 0.125)
    np.testing.assert_allclose(
        attenuation, [np.sqrt((1.03 - 0.9801) / (1.03 - q_p2)), np.sqrt(0.03 / 1.03)]
    )
