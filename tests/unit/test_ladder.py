"""The ladder: each rung's signal, the measures that tell them apart, the files and the page."""

import base64
import functools
import io
import json
import math
import re

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from kit import cli
from kit.dsp import oracle
from kit.errors import KitError
from kit.host import HOST_TARGET
from kit.ladder import forms, measures, needs, page, recordings, rungs, survey
from kit.ladder.signals import Pair, behind_highpass
from kit.model.import_ import load_model
from kit.paths import MODELS
from kit.target import load_target
from kit.verbs import oracle as oracle_verb
from kit.verbs.oracle import command

RATE_HZ = 48000
MODEL = MODELS / f"{load_target(HOST_TARGET).model}.tflite"


def snr_db(expected: np.ndarray, got: np.ndarray) -> float:
    expected, got = expected.astype(float), got.astype(float)
    return float(10 * np.log10(np.sum(expected**2) / np.sum((got - expected) ** 2)))


@functools.cache
def pair() -> Pair:
    """Three seconds: syllables of a gliding voice, a pause of faint room noise, noise all along."""
    rng = np.random.default_rng(1)
    seconds = np.arange(3 * RATE_HZ) / RATE_HZ
    f0_hz = 140 * 2 ** (0.3 * np.sin(2 * np.pi * 0.5 * seconds))
    phase = 2 * np.pi * np.cumsum(f0_hz) / RATE_HZ
    voice = sum(np.cos(k * phase + k * k) / k for k in range(1, 50))
    syllables = np.clip(np.sin(2 * np.pi * 2 * seconds), 0, 1) * (seconds < 2)
    clean = 2000 * voice * syllables + 3 * rng.normal(size=len(seconds))
    noisy = clean + 400 * rng.normal(size=len(seconds))
    return Pair(*(np.rint(x).astype(np.int16) for x in (noisy, clean)))


@functools.cache
def ladder() -> tuple[dict[str, np.ndarray], dict[str, measures.Scores]]:
    return survey.judge(pair(), functools.partial(rungs.climb, model=None))


def test_comb_filter_lifts_the_harmonics_out_of_the_noise():
    _, scores = ladder()
    assert scores["d_comb"].harmonic_snr_db > scores["c_gains"].harmonic_snr_db + 2
    assert scores["c_gains"].harmonic_snr_db > scores["a_noisy"].harmonic_snr_db + 1


def test_post_filter_leaves_less_noise_in_pauses():
    _, scores = ladder()
    assert scores["e_post"].pause_noise_db < scores["d_comb"].pause_noise_db - 3
    assert scores["d_comb"].pause_noise_db < scores["a_noisy"].pause_noise_db - 20


def test_ideal_magnitudes_of_a_clean_signal_are_that_signal():
    clean = pair().clean
    same = rungs.ideal_magnitudes(Pair(clean, clean))
    np.testing.assert_allclose(same, behind_highpass(clean), atol=1)


def test_every_rung_is_aligned_with_the_clean_signal():
    signals, _ = ladder()
    clean = behind_highpass(pair().clean).astype(float)
    for name, pcm in signals.items():
        assert pcm.dtype == np.int16 and pcm.shape == clean.shape, name
        spectrum = np.fft.rfft(pcm, 2 * len(pcm)) * np.conj(np.fft.rfft(clean, 2 * len(pcm)))
        assert np.argmax(np.fft.irfft(spectrum)) == 0, name


def test_firmware_is_close_to_the_network_in_float():
    model = load_model(MODEL)
    signals = rungs.climb(pair(), model)
    assert set(signals) == set(rungs.TITLES)
    with_post_filter = "no post-filter" not in rungs.titles(model)["g_firmware"]
    float_twin = "f_network_post" if with_post_filter else "f_network"
    assert snr_db(signals[float_twin], signals["g_firmware"]) > 15


def test_the_shipped_form_is_what_the_firmware_does():
    made = forms.climb(pair())
    assert set(made) == set(forms.FORMS)
    signals, _ = ladder()
    assert snr_db(signals["d_comb"], made["shipped"]) > 45
    assert snr_db(signals["c_gains"], made["gains"]) > 45
    others = [made[name] for name in forms.FORMS if name != "shipped"]
    assert all(snr_db(made["shipped"], other) < 40 for other in others)


def test_strict_strength_gives_the_mix_the_coherence_of_the_clean_signal():
    noisy, clean, level = np.meshgrid([0.3, 0.5, 0.7], [0.72, 0.8], [0.7, 1.0, 1.2])
    noise_gain = 0.125
    r, _ = forms.strict_strength(clean, noisy, noise_gain, level)
    combed = oracle.comb_coherence(noisy, noise_gain)
    reachable = combed >= clean
    alpha = r / (1 - r)
    power = 1 + (alpha * level) ** 2 + 2 * alpha * level * noisy
    reached = (noisy + alpha * level * combed) / np.sqrt(power)
    assert reachable.sum() >= 9
    np.testing.assert_allclose(reached[reachable], clean[reachable], atol=1e-9)
    assert np.all(r[~reachable] == oracle.MAX_STRENGTH)


@pytest.mark.parametrize("period", [60, 192, 250, 500, 768])
def test_asymmetric_taps_never_reach_further_ahead_than_symmetric_ones(period):
    lags, weights = forms.taps(period, symmetric=False)
    both, _ = forms.taps(period, symmetric=True)
    assert lags.max() == both.max() <= 960
    assert lags.min() == -5 * period and both.min() == -both.max()
    assert weights.sum() == pytest.approx(1)


def test_harmonic_snr_counts_what_a_comb_filter_could_remove():
    """Of white error, 1 - 2 w_0 + sigma_w^2 lies between the harmonics; two pairs of taps fit."""
    rng = np.random.default_rng(2)
    pulses = np.zeros(2 * RATE_HZ)
    pulses[::400] = 12000
    clean = np.rint(np.convolve(pulses, np.hanning(24))[: len(pulses)]).astype(np.int16)
    judge = measures.Judge(clean)
    level = np.std(behind_highpass(clean).astype(float))
    noise = rng.normal(size=len(clean)) * level * 10 ** (-10 / 20)
    _, weights = forms.taps(400, symmetric=True)
    expected_db = 10 - 10 * np.log10(1 - 2 * weights[2] + np.sum(weights**2))
    score = judge.score(np.rint(behind_highpass(clean) + noise).astype(np.int16))
    assert score.harmonic_snr_db == pytest.approx(expected_db, abs=0.3)
    assert math.isnan(score.pause_noise_db)


def test_noise_in_pauses_does_not_depend_on_the_level():
    judge = measures.Judge(pair().clean)
    noisy = behind_highpass(pair().noisy)
    full, half = judge.score(noisy), judge.score(noisy // 2)
    assert half.pause_noise_db == pytest.approx(full.pause_noise_db, abs=0.05)
    assert -25 < full.pause_noise_db < -5


def write(path, pcm, rate_hz=RATE_HZ):
    soundfile.write(path, pcm, rate_hz, subtype="PCM_16")
    return path


def test_mixing_reaches_the_ratio(tmp_path):
    rng = np.random.default_rng(3)
    clean = write(tmp_path / "clean.wav", pair().clean)
    noise = write(tmp_path / "noise.wav", (300 * rng.normal(size=30_000)).astype(np.int16), 44100)
    mixed = recordings.mix_pair(clean, noise, 5)
    added = mixed.noisy.astype(float) - mixed.clean
    active = recordings.active_rms(mixed.clean.astype(float))
    assert 20 * np.log10(active / np.std(added)) == pytest.approx(5, abs=0.3)
    assert np.abs(mixed.noisy).max() < 32767


def test_pairs_that_cannot_be_judged_are_refused(tmp_path):
    clean = write(tmp_path / "clean.wav", pair().clean)
    shorter = write(tmp_path / "shorter.wav", pair().noisy[:-1])
    silent = write(tmp_path / "silent.wav", np.zeros(RATE_HZ, np.int16))
    brief = write(tmp_path / "brief.wav", pair().clean[:4800])
    for first, second, words in (
        (clean, shorter, "differ in length"),
        (silent, silent, "is silent"),
        (brief, brief, "PESQ judges"),
    ):
        with pytest.raises(KitError, match=words):
            recordings.read_pair(first, second)
    with pytest.raises(KitError, match="is silent"):
        recordings.mix_pair(clean, silent, 5)


def test_missing_packages_are_named(monkeypatch):
    needs.require_packages()
    monkeypatch.setattr(needs, "PACKAGES", ("numpy", "no_such_package_of_ours"))
    with pytest.raises(KitError, match="no_such_package_of_ours") as caught:
        needs.require_packages()
    assert "[eval]" in caught.value.hint


def test_means_leave_out_what_could_not_be_judged():
    def row(pesq: float, pause: float) -> survey.Row:
        return survey.Row(5.0, False, {"x": measures.Scores(pesq, 0.5, 1, 2, 3, pause)})

    mean = survey.mean_scores([row(2.0, math.nan), row(3.0, -40.0)])["x"]
    assert (mean.pesq, mean.pause_noise_db) == (2.5, -40.0)
    assert page.cells(row(1.234, math.nan).scores["x"]) == [
        "1.23", "0.500", "1.0", "2.0", "3.0", "-",
    ]  # fmt: skip


def test_the_page_holds_everything_and_plays_the_exact_samples():
    signals, scores = ladder()
    text = page.render("The <ladder>", rungs.TITLES, signals, scores, pair().clean)
    assert "The &lt;ladder&gt;" in text
    assert not re.search(r'(?:src|href)="(?!data:)', text) and "http" not in text
    sounds = re.findall(r'src="data:audio/flac;base64,([^"]+)"', text)
    for expected, sound in zip([*signals.values(), pair().clean], sounds, strict=True):
        pcm, _ = soundfile.read(io.BytesIO(base64.b64decode(sound)), dtype="int16")
        np.testing.assert_array_equal(pcm, expected)
    assert f"{scores['d_comb'].harmonic_snr_db:.1f}" in text


@pytest.fixture(scope="module")
def held_out(tmp_path_factory):
    """Options for folders with a voice and a noise that training never hears."""
    base = tmp_path_factory.mktemp("sound")
    words = [f"--cache={base / 'cache'}"]
    for kind, name in (("speech", "kathleen"), ("noise", "noisekun-rain")):
        (base / kind).mkdir()
        write(base / kind / f"{name}.wav", pair().clean if kind == "speech" else pair().noisy)
        words.append(f"--{kind}={base / kind}")
    return words


def test_a_survey_averages_over_mixtures_that_training_holds_out(held_out, tmp_path):
    figures = tmp_path / "scores.json"
    words = [*held_out, "--count=2", "--forms", f"--json={figures}"]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0
    report = json.loads(figures.read_text())
    assert (report["count"], len(report["mixtures"])) == (2, 2)
    assert set(report["mean"]) == set(forms.FORMS)
    each = [row["scores"]["shipped"]["pesq"] for row in report["mixtures"]]
    assert report["mean"]["shipped"]["pesq"] == pytest.approx(sum(each) / 2)


def test_without_a_model_the_networks_rungs_are_left_out(tmp_path, monkeypatch, capsys):
    """As in a checkout where none was trained yet."""
    monkeypatch.setattr(oracle_verb, "MODELS", tmp_path)
    clean, noisy = write(tmp_path / "c.wav", pair().clean), write(tmp_path / "n.wav", pair().noisy)
    assert cli.main(["oracle", str(clean), str(noisy), f"--out={tmp_path / 'out'}"]) == 0
    assert "the network's rungs are left out" in capsys.readouterr().err
    made = {path.stem for path in (tmp_path / "out").glob("*.wav")}
    assert made == {name for name in rungs.TITLES if name[0] in "abcde"}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.wav"],
        ["a", "b", "c"],
        ["a", "b", "--speech", "d"],
        ["--clean", "a"],
        ["--noise", "n"],
    ],
)
def test_unclear_requests_are_refused(arguments):
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, KitError)
    assert "three ways" in result.exception.message
