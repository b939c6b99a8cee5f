"""The reference pipeline: reconstruction, timing, and targets on signals with known answers."""

import numpy as np
import pytest

from kit.dsp import bands, oracle
from kit.dsp.highpass import HighPass
from kit.dsp.pipeline import LATENCY_SAMPLES, Pitch, enhance
from kit.dsp.spectrum import HOP

HOPS = 60
ONES = np.ones((HOPS, bands.BANDS))


def noise(seed: int, scale: float = 3000.0) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=HOPS * HOP)


def pulses(period: int) -> np.ndarray:
    """A voiced sound without noise: one fixed burst per period."""
    burst = np.random.default_rng(period).normal(size=period) * np.exp(-np.arange(period) / 20)
    return np.resize(3000.0 * burst, HOPS * HOP)


@pytest.mark.parametrize("with_post_filter", [False, True])
def test_unit_gains_reconstruct_the_highpassed_input_1440_samples_late(with_post_filter):
    signal = noise(1)
    pitches = [Pitch(300, 0.5)] * HOPS
    _, out = enhance(signal, pitches, ONES, 0 * ONES, with_post_filter)
    expected = HighPass().process(signal)[:-LATENCY_SAMPLES]
    error = out[LATENCY_SAMPLES:] - expected
    assert 10 * np.log10(np.sum(expected**2) / np.sum(error**2)) > 100
    assert np.abs(out[:LATENCY_SAMPLES]).max() < 1e-6


def test_full_strength_keeps_a_periodic_signal_and_drops_noise_between_harmonics():
    period, inside = 200, slice(5 * HOP, None)
    pitches = [Pitch(period, 1.0)] * HOPS
    features, out = enhance(pulses(period), pitches, ONES, ONES)
    expected = HighPass().process(pulses(period))[:-LATENCY_SAMPLES]
    np.testing.assert_allclose(
        out[LATENCY_SAMPLES:][inside], expected[inside], atol=1e-3 * np.abs(expected).max()
    )
    assert features[10:, 34:68].min() > 0.999
    noisy_features, _ = enhance(noise(2), pitches, ONES, ONES)
    assert noisy_features[10:, 50:68].mean() < 0.6


def test_features_see_the_newest_hop_and_coherence_two_frames_back():
    signal = np.zeros(HOPS * HOP)
    signal[20 * HOP : 21 * HOP] = noise(3)[:HOP]
    features, _ = enhance(signal, [Pitch(300, 0.0)] * HOPS, ONES, 0 * ONES)
    log_part, coherence = features[:, 20:34].sum(axis=1), features[:, 54:68].sum(axis=1)
    assert log_part[19] == pytest.approx(log_part[18]) and log_part[20] > log_part[19] + 10
    assert coherence[21] == 0.0 and coherence[22] > 0.5


def test_oracle_of_clean_speech_asks_for_nothing():
    period = 180
    clean = pulses(period)
    rows = oracle.targets(clean, clean, [Pitch(period, 1.0)] * HOPS)
    np.testing.assert_array_equal(rows.gains[2:], 1.0)
    np.testing.assert_array_equal(rows.strengths, 0.0)
    np.testing.assert_array_equal(rows.attenuation, 1.0)


def test_oracle_brings_a_noisy_voice_closer_to_its_target():
    period = 180
    clean = pulses(period)
    noisy = clean + noise(4, 600.0)
    pitches = [Pitch(period, 1.0)] * HOPS
    rows = oracle.targets(noisy, clean, pitches)
    expected = HighPass().process(clean)[:-LATENCY_SAMPLES][10 * HOP :]

    def snr_db(gains, strengths):
        out = enhance(noisy, pitches, gains, strengths)[1][LATENCY_SAMPLES:][10 * HOP :]
        return 10 * np.log10(np.sum(expected**2) / np.sum((out - expected) ** 2))

    untouched, gains_only = snr_db(ONES, 0 * ONES), snr_db(rows.gains, 0 * ONES)
    combed = snr_db(rows.gains, rows.strengths)
    assert gains_only > untouched + 2, (untouched, gains_only)
    assert combed > gains_only + 2, (gains_only, combed)
