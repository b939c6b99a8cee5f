"""Metrics, alignment and summaries of the evaluation."""

import dataclasses
import json
import math
import pathlib
import shutil
import sys

import numpy as np
import pytest
import scipy.signal
import soundfile

from kit import cli
from kit.denoiser import LATENCY_SAMPLES
from kit.errors import KitError
from kit.evaluate import engine, page, scoring
from kit.evaluate.material import Case, at_level, clean_group, mixture_case, pair_cases, pairs
from kit.evaluate.metrics import Scores, pesq_wb, score, si_sdr
from kit.evaluate.peers import load_peer, peer_names
from kit.mixtures import corpus
from kit.mixtures.mixing import Mixture
from kit.model.architecture import BANDS
from kit.paths import MODELS

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


def cases() -> list[Case]:
    clean = talk()
    rng = np.random.default_rng(2)
    mixtures = [
        Mixture(
            np.rint(clean + level * rng.standard_normal(len(clean))).astype(np.int16),
            clean,
            24000.0,
            snr_db,
            snr_db == 0.0,
        )
        for snr_db, level in ((0.0, 3000.0), (10.0, 1000.0), (10.0, 900.0))
    ]
    quiet = at_level(clean, -50.0)
    return [*map(mixture_case, mixtures), Case(quiet, quiet, (clean_group(-50.0),))]


def test_every_system_is_scored_on_every_mixture_in_order() -> None:
    given = cases()
    perfect = {bytes(m.noisy): m.clean for m in given}
    done = []
    results = scoring.evaluate(
        iter(given), {"perfect": lambda x: perfect[bytes(x)]}, 2, lambda: done.append(1)
    )
    assert [r.groups[-1] for r in results] == [
        "reverberant", "10 dB", "10 dB", "clean, -50 dBFS"
    ]  # fmt: skip
    assert len(done) == 4
    rows = {(r.group, r.system): r for r in scoring.summarise(results)}
    assert rows["10 dB", "input"].count == 2 and rows["reverberant", "perfect"].count == 1
    assert rows["all", "perfect"].count == 3 and rows["all", "perfect"].pesq > 4.5
    assert rows["clean, -50 dBFS", "input"].level_worst_db == 0.0
    assert rows["all", "input"].pesq_gain == 0.0
    assert rows["all", "perfect"].pesq_gain == pytest.approx(
        rows["all", "perfect"].pesq - rows["all", "input"].pesq
    )


def test_the_summary_leaves_out_what_could_not_be_judged() -> None:
    known, unknown = Scores(2.0, 0.5, 0.4, 1.0, -1.0), Scores(math.nan, 0.7, 0.6, math.nan, -3.0)
    results = [scoring.Result(("all",), {"input": s}) for s in (known, unknown)]
    row = scoring.summarise(results)[0]
    assert (row.pesq, row.si_sdr_db) == (2.0, 1.0) and row.stoi == pytest.approx(0.6)
    assert (row.level_db, row.level_worst_db) == (-2.0, -3.0)


def test_groups_come_in_a_readable_order() -> None:
    scores = {"input": Scores(2.0, 0.5, 0.4, 1.0, 0.0)}
    names = ["clean, -3 dBFS", "clean, -50 dBFS", "10 dB", "5 dB", "reverberant", "all"]
    rows = scoring.summarise([scoring.Result(tuple(names), scores)])
    assert [r.group for r in rows] == [
        "all", "5 dB", "10 dB", "reverberant", "clean, -50 dBFS", "clean, -3 dBFS"
    ]  # fmt: skip


def test_minutes_are_scored_in_pieces() -> None:
    clean = np.tile(talk(4.0), 17)
    noise = 2000.0 * np.random.default_rng(1).standard_normal(len(clean))
    long = score(clean, np.rint(clean + noise).astype(np.int16))
    short = score(clean[: 4 * RATE], np.rint(clean + noise)[: 4 * RATE].astype(np.int16))
    assert long.pesq == pytest.approx(short.pesq, abs=0.15)


@pytest.mark.parametrize("name", peer_names())
def test_a_peers_output_lines_up_with_its_input(name: str) -> None:
    clean = talk()
    out = load_peer(name)(clean)
    assert out.shape == clean.shape
    lags = scipy.signal.correlate(out.astype(float), clean.astype(float))
    assert abs(int(np.argmax(lags)) - (len(clean) - 1)) <= 2


def test_a_peer_that_is_not_known_is_named() -> None:
    with pytest.raises(KitError, match="no peer `rnnoiz`"):
        load_peer("rnnoiz")


def test_a_peer_whose_package_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrnnoise", None)  # what Python knows not to be there
    monkeypatch.delitem(sys.modules, "kit.evaluate.peers.rnnoise", raising=False)
    with pytest.raises(KitError, match="`rnnoise` needs a package .*: pyrnnoise") as caught:
        load_peer("rnnoise")
    assert ".[peers]" in caught.value.hint


def write_pair(folder: pathlib.Path, side: str, name: str, pcm: np.ndarray) -> None:
    (folder / side).mkdir(exist_ok=True)
    soundfile.write(folder / side / name, pcm, RATE)


def test_ones_own_pairs_go_together_by_name(tmp_path: pathlib.Path) -> None:
    clean = talk(1.0)
    write_pair(tmp_path, "clean", "a.wav", clean)
    write_pair(tmp_path, "noisy", "a.flac", np.stack([clean // 2, clean], axis=1))
    (case,) = pair_cases(pairs(tmp_path))
    assert case.name == "a"
    assert np.array_equal(case.clean, clean) and np.array_equal(case.noisy, clean // 2)
    write_pair(tmp_path, "noisy", "b.wav", clean)
    with pytest.raises(KitError, match="`b` is in one of"):
        pairs(tmp_path)
    with pytest.raises(KitError, match="no such folder"):
        pairs(tmp_path / "elsewhere")
    (tmp_path / "none" / "noisy").mkdir(parents=True)
    with pytest.raises(KitError, match="no audio files in .*noisy"):
        pairs(tmp_path / "none")


def test_the_firmware_is_scored_where_no_model_is_named(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for side in ("clean", "noisy"):
        write_pair(tmp_path, side, "a.wav", talk(1.0))
    assert cli.main(["evaluate", "--pairs", str(tmp_path)]) == 0
    assert "firmware" in capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {"clean", "noisy"}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Folders `speech` and `noise` with something for the side that training holds out."""
    base = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(4)
    for kind, known in (("speech", "kathleen"), ("noise", corpus.HELD_OUT_NOISES[0])):
        (base / kind).mkdir()
        voice = talk() if kind == "speech" else np.rint(2000 * rng.standard_normal(3 * RATE))
        soundfile.write(base / kind / f"{known}.wav", voice.astype(np.int16), RATE)
    return base


def test_models_are_scored_on_mixtures_and_on_clean_speech(
    sound: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [f"--{kind}={sound / kind}" for kind in ("speech", "noise")]
    model, scores = MODELS / "tiny.tflite", tmp_path / "scores.json"
    words = [f"--cache={tmp_path / 'cache'}", "--count=1", "--clean=1", "--snr=5"]
    assert cli.main(["evaluate", *where, *words, f"--model={model}", f"--json={scores}"]) == 0
    assert "tiny, 8-bit" in capsys.readouterr().out
    recordings = json.loads(scores.read_text())["recordings"]
    names = ["mixture 0", "clean 0, -50 dBFS", "clean 0, -25 dBFS", "clean 0, -3 dBFS"]
    assert [recording["name"] for recording in recordings] == names
    for recording in recordings:
        assert list(recording["scores"]) == ["input", "tiny, float", "tiny, 8-bit"]
    noisy = recordings[0]["scores"]
    assert noisy["tiny, 8-bit"]["si_sdr_db"] > noisy["input"]["si_sdr_db"]


def test_two_models_of_one_name_are_told(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copy(MODELS / "tiny.tflite", tmp_path)
    models = [f"--model={path}" for path in (MODELS / "tiny.tflite", other)]
    assert cli.main(["evaluate", *models, "--pairs", str(tmp_path)]) == 2
    assert "two models are called `tiny`" in capsys.readouterr().err


def test_silence_has_no_level_to_be_brought_to() -> None:
    silence = np.zeros(100, np.int16)
    assert np.array_equal(at_level(silence, -26.0), silence)


def test_the_page_shows_every_system_and_group() -> None:
    given = [dataclasses.replace(case, name=f"take {i}") for i, case in enumerate(cases())]
    results = scoring.evaluate(iter(given), {"quarter <b>": lambda x: x // 4}, 2)
    text = page.render("Scores", scoring.summarise(results), results)
    assert "quarter &lt;b&gt;" in text and "<h2>reverberant (1 recordings)</h2>" in text
    assert text.count("data:image/svg+xml") == 2
    assert all(f"<td>take {i}</td>" in text for i in range(4)), "every recording is listed"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "nothing to score"),
        (["--speech", "."], "nothing to score"),
        (["--no-post-filter"], "the firmware's post-filter is built in"),
    ],
)
def test_scoring_that_cannot_be_is_told(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    assert cli.main(["evaluate", *words]) == 2
    assert told in capsys.readouterr().err


def test_what_cannot_be_judged_has_no_score() -> None:
    nothing, silence = np.zeros(0), np.zeros(16000)
    assert math.isnan(pesq_wb(nothing, nothing))
    assert math.isnan(pesq_wb(silence, silence))
    late = silence.copy()
    late[15000:] = 0.1 * np.random.default_rng(0).standard_normal(1000)
    assert math.isnan(pesq_wb(late, late)), "no utterance"
    assert math.isnan(pesq_wb(late[-1000:], late[-1000:])), "too short"
