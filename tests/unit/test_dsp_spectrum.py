"""The transform, the high-pass and the bands: invertible, and equal to sums done by hand."""

import numpy as np
import pytest

from kit.dsp import bands
from kit.dsp.highpass import HighPass
from kit.dsp.spectrum import BINS, HOP, WINDOW, WINDOW_LENGTH, OverlapAdd, transform


def test_transform_is_the_plain_sum():
    samples = np.random.default_rng(1).normal(size=WINDOW_LENGTH)
    n = np.arange(WINDOW_LENGTH)
    for k in (0, 1, 77, BINS - 1):
        by_hand = np.sum(WINDOW * samples * np.exp(-2j * np.pi * k * n / WINDOW_LENGTH))
        assert transform(samples)[k] == pytest.approx(by_hand, abs=1e-9)


def test_overlap_add_returns_the_signal_one_hop_late():
    signal = np.random.default_rng(2).normal(size=20 * HOP)
    overlap = OverlapAdd()
    starts = range(0, len(signal) - HOP, HOP)
    out = np.concatenate([overlap.push(transform(signal[s : s + WINDOW_LENGTH])) for s in starts])
    np.testing.assert_allclose(out[HOP:], signal[HOP : len(out)], atol=1e-12)


def test_highpass_follows_its_difference_equation_across_calls():
    x = np.random.default_rng(3).normal(size=100)
    y = np.zeros(100)
    for n in range(100):
        past = [(x[n - k], y[n - k]) if n >= k else (0.0, 0.0) for k in (1, 2)]
        y[n] = x[n] - 2 * past[0][0] + past[1][0] + 1.99599 * past[0][1] - 0.996 * past[1][1]
    highpass = HighPass()
    out = np.concatenate([highpass.process(x[:37]), highpass.process(x[37:])])
    np.testing.assert_allclose(out, y, atol=1e-12)


def test_highpass_removes_dc_and_keeps_speech():
    n = np.arange(48_000)
    assert np.abs(HighPass().process(np.full(48_000, 1000.0))[24_000:]).max() < 1e-3
    tone = np.sin(2 * np.pi * 200 / 48_000 * n)
    gain_db = 10 * np.log10(np.mean(HighPass().process(tone)[24_000:] ** 2) / 0.5)
    assert abs(gain_db) < 0.5


def test_triangles_share_every_bin_up_to_the_last_peak():
    for k in range(BINS):
        one_bin = np.zeros(BINS)
        one_bin[k] = 1.0
        weights = bands.band_sums(one_bin)
        weights[[0, -1]] /= 2.0
        assert weights.sum() == pytest.approx(1.0 if k <= bands.PEAKS[-1] else 0.0), k


def test_band_energies_by_hand():
    spectrum = np.zeros(BINS, dtype=complex)
    spectrum[1] = 2.0j  # half way between the peaks of bands 0 (counts double) and 1
    spectrum[13] = 3.0  # a third of the way from band 6 to band 7
    spectrum[400] = 1.0 + 1.0j  # the last peak, counts double
    spectrum[401] = 100.0  # above all bands
    expected = np.zeros(bands.BANDS)
    expected[[0, 1, 6, 7, 33]] = [4.0, 2.0, 6.0, 3.0, 4.0]
    np.testing.assert_allclose(bands.energies(spectrum), expected, atol=1e-12)


def test_interpolation_hits_the_peaks_and_holds_above_the_last():
    values = np.random.default_rng(4).uniform(size=bands.BANDS)
    bins = bands.interpolate(values)
    np.testing.assert_allclose(bins[list(bands.PEAKS)], values, atol=1e-15)
    assert bins[13] == pytest.approx((2 * values[6] + values[7]) / 3)
    np.testing.assert_allclose(bins[401:], values[-1])


def test_coherence_is_one_for_itself_zero_for_opposite_or_empty():
    spectrum = transform(np.random.default_rng(5).normal(size=WINDOW_LENGTH))
    np.testing.assert_allclose(bands.coherence(3.0 * spectrum, spectrum), 1.0)
    np.testing.assert_array_equal(bands.coherence(-spectrum, spectrum), 0.0)
    np.testing.assert_array_equal(bands.coherence(0 * spectrum, spectrum), 0.0)


def test_coherence_of_a_sum_with_independent_noise():
    rng = np.random.default_rng(6)
    a, noise = rng.normal(size=(2, 2000, WINDOW_LENGTH))
    mean = bands.coherence(transform(a), transform(a + noise)).mean(axis=0)
    assert mean[-1] == pytest.approx(np.sqrt(0.5), abs=0.01)
