"""The comb filter: transparent to its period, deaf to the rest by the predicted amount."""

import numpy as np
import pytest

from kit.dsp import comb
from kit.dsp.spectrum import WINDOW_LENGTH

PERIODS = (60, 160, 192, 193, 240, 321, 480, 481, 768)


@pytest.mark.parametrize("period", PERIODS)
def test_periodic_signal_passes_unchanged(period):
    cycle = np.random.default_rng(period).normal(size=period)
    history = np.resize(cycle, comb.HISTORY)
    frame = history[comb.FRAME_START : comb.FRAME_START + WINDOW_LENGTH]
    np.testing.assert_allclose(comb.comb_filter(history, period), frame, atol=1e-12)


@pytest.mark.parametrize(
    ("period", "pairs"), [(60, 5), (192, 5), (193, 4), (240, 4), (321, 2), (480, 2), (481, 1)]
)
def test_taps_are_dropped_in_pairs(period, pairs):
    weights = comb.tap_weights(period)
    assert len(weights) == 2 * pairs + 1
    np.testing.assert_allclose(weights, weights[::-1])
    assert weights.sum() == pytest.approx(1.0)


def test_weights_of_all_taps_are_the_published_ones():
    published = [0.16667, 0.15550, 0.12500, 0.08333, 0.04167, 0.01116]
    np.testing.assert_allclose(comb.tap_weights(100)[5:], published, atol=5e-6)
    assert comb.noise_gain(100) == pytest.approx(0.125)


@pytest.mark.parametrize("period", PERIODS)
def test_noise_gain_is_the_share_of_white_noise_that_passes(period):
    history = np.random.default_rng(period).normal(size=(1000, comb.HISTORY))
    energy = np.mean([np.mean(comb.comb_filter(row, period) ** 2) for row in history])
    assert energy == pytest.approx(comb.noise_gain(period), rel=0.02)


def test_taps_reach_the_ends_of_the_history_and_no_further():
    for at in (0, comb.HISTORY - 1):
        history = np.zeros(comb.HISTORY)
        history[at] = 1.0
        out = comb.comb_filter(history, 480)
        assert np.count_nonzero(out) == 1, at
