"""Metrics, alignment and summaries of the evaluation."""

import math

import numpy as np
import pytest

from kit.denoiser import LATENCY_SAMPLES
from kit.evaluate import engine, scoring
from kit.evaluate.metrics import Scores, score, si_sdr
from kit.model.architecture import BANDS
from kit.train.mixing import Mixture

RATE = 48000


def talk(seconds: float = 3.0) -> np.ndarray:
    """Something that the measures take for speech: a gliding buzz in syllables, int16."""
    n = round(seconds * RATE)
    time_s = np.arange(n) / RATE
    phase = 2 * np.pi * np.cumsum(140.0 + 30.0 * np.sin(5.0 * time_s)) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    syllables = np.clip(np.sin(2 * np.pi * 3.0 * time_s), 0.0, 1.0)
    return np.rint(4000.0 * voice * syllables).astype(np.int16)


def test_si_sdr_ignores_scale_and_measures_noise() -> None:
    rng = np.random.default_rng(0)
    reference = rng.standard_normal(16000)
    noise = rng.standard_normal(16000)
    noise -= reference * np.dot(reference, noise) / np.dot(reference, reference)
    noise *= np.linalg.norm(reference) / np.linalg.norm(noise) * 10 ** (-12 / 20)
    assert si_sdr(reference, 0.3 * (reference + noise)) == pytest.approx(12.0, abs=1e-6)


def test_identical_signals_reach_the_top_and_noise_lowers_every_score() -> None:
    clean = talk()
    noise = 2000.0 * np.random.default_rng(1).standard_normal(len(clean))
    noisy = np.rint(clean + noise).astype(np.int16)
    best, worse = score(clean, clean), score(clean, noisy)
    assert best.pesq > 4.5 and best.stoi > 0.99 and best.si_sdr_db > 60
    assert worse.pesq < best.pesq - 1 and worse.si_sdr_db < 20


def test_silence_cannot_be_judged() -> None:
    silence = np.zeros(RATE, np.int16)
    scores = score(silence, silence)
    assert math.isnan(scores.pesq) and math.isnan(scores.si_sdr_db)


def open_network(features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gains one, strengths zero: lets everything pass."""
    gains = np.full((len(features_q12), BANDS), 32767, np.int16)
    return gains, np.zeros_like(gains)


def test_the_output_of_an_open_network_lines_up_with_its_input() -> None:
    # White noise: the high-pass in front turns the phase of its lowest part only.
    noise = np.rint(3000.0 * np.random.default_rng(5).standard_normal(47111)).astype(np.int16)
    out = engine.enhance(noise, open_network, post_filter=False)
    assert out.shape == noise.shape
    part = slice(4800, 43000)
    errors = {
        lag: np.mean((np.roll(out, lag)[part].astype(float) - noise[part]) ** 2)
        for lag in range(-3, 4)
    }
    assert min(errors, key=errors.get) == 0, errors
    assert errors[0] < 0.01 * np.mean(noise.astype(float) ** 2)


def test_a_closed_network_silences() -> None:
    def closed(features_q12: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        zeros = np.zeros((len(features_q12), BANDS), np.int16)
        return zeros, zeros

    clean = talk(1.0)
    out = engine.enhance(clean, closed, post_filter=False)
    assert np.abs(out[LATENCY_SAMPLES:].astype(int)).max() < 0.01 * np.abs(clean).max()


def mixtures() -> list[Mixture]:
    clean = talk()
    rng = np.random.default_rng(2)
    return [
        Mixture(
            np.rint(clean + level * rng.standard_normal(len(clean))).astype(np.int16),
            clean,
            24000.0,
            snr_db,
            snr_db == 0.0,
        )
        for snr_db, level in ((0.0, 3000.0), (10.0, 1000.0), (10.0, 900.0))
    ]


def test_every_system_is_scored_on_every_mixture_in_order() -> None:
    given = mixtures()
    perfect = {bytes(m.noisy): m.clean for m in given}
    done = []
    results = scoring.evaluate(
        iter(given), {"perfect": lambda x: perfect[bytes(x)]}, 2, lambda: done.append(1)
    )
    assert [r.snr_db for r in results] == [0.0, 10.0, 10.0] and len(done) == 3
    rows = {(r.group, r.system): r for r in scoring.summarise(results)}
    assert rows["10 dB", "input"].count == 2 and rows["reverberant", "perfect"].count == 1
    assert rows["all", "perfect"].pesq > 4.5
    assert rows["all", "input"].pesq_gain == 0.0
    assert rows["all", "perfect"].pesq_gain == pytest.approx(
        rows["all", "perfect"].pesq - rows["all", "input"].pesq
    )


def test_the_summary_leaves_out_what_could_not_be_judged() -> None:
    known, unknown = Scores(2.0, 0.5, 1.0), Scores(math.nan, 0.7, math.nan)
    results = [scoring.Result(5.0, False, {"input": s}) for s in (known, unknown)]
    row = scoring.summarise(results)[0]
    assert (row.pesq, row.si_sdr_db) == (2.0, 1.0) and row.stoi == pytest.approx(0.6)
