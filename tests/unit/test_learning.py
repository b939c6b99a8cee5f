"""`train` from folders of sound to a model with its card and page: all of it, on very little."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit import cli
from kit.errors import KitError
from kit.evaluate import scoring
from kit.evaluate.material import EVERYTHING
from kit.evaluate.metrics import Scores
from kit.evaluate.scoring import INPUT
from kit.mixtures import corpus, mixing
from kit.model.architecture import ARCHITECTURES
from kit.model.import_ import load_model
from kit.train import export, operating_point, shards
from kit.train.network import PercepNet
from kit.train.training import Dataset, Settings, Trainer
from kit.verbs import train

RATE = corpus.SAMPLE_RATE_HZ
MADE = {"checkpoint.pt", "curves.png", "index.html", "log.csv", "scores.csv", "tiny.md"}


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Minutes of everything become seconds."""
    monkeypatch.setattr(shards, "SEQUENCES", 4)
    monkeypatch.setattr(operating_point, "CANDIDATES", operating_point.CANDIDATES[:2])
    for name in ("CHOOSING_COUNT", "WATCHED_COUNT", "VALIDATION_SHARDS"):
        monkeypatch.setattr(train, name, 1)
    monkeypatch.setattr(train, "CLEAN_COUNT", 0)


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Folders with a voice and a noise for either side, and a short run."""
    rng = np.random.default_rng(5)
    for kind, names in (("speech", ("kathleen", "ann")), ("noise", ("noisekun-rain", "wind"))):
        (tmp_path / kind).mkdir()
        for name in names:
            sound = 2000 * rng.standard_normal(9 * RATE)
            syllables = np.repeat(rng.random(90) < (0.6 if kind == "speech" else 1.0), RATE // 10)
            soundfile.write(
                tmp_path / kind / f"{name}.wav", (sound * syllables).astype(np.int16), RATE
            )
    folders = [f"--{kind}={tmp_path / kind}" for kind in ("speech", "noise", "cache")]
    return ["train", *folders, "--shards=1", "--count=1", "--updates=2", "--sequences=2"]


def test_folders_become_a_model_that_others_start_from(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    model = first / "tiny.tflite"
    assert cli.main([*words, f"--out={first}", "--operating-point", "0.8", "0"]) == 0
    shown = capsys.readouterr()
    assert f"how it goes: {first / 'index.html'}" in shown.err
    assert f"{model}  gains: slope 0.8, offset 0; post-filter o" in shown.out
    assert {path.name for path in first.iterdir()} == {*MADE, model.name}
    assert load_model(model).metadata["name"] == "tiny"
    assert "./tools/percepnet" in (first / "tiny.md").read_text()
    shards_made = sorted((tmp_path / "cache").rglob("*.npz"))
    before = [path.stat().st_ino for path in shards_made]

    assert cli.main([*words, f"--out={first}", "--resume"]) == 0
    chosen = {f"slope {point.slope:g}," for point in operating_point.CANDIDATES}
    assert any(one in capsys.readouterr().out for one in chosen)

    more = ["--start-from", str(model), "--precision", "float32", "--operating-point", "1", "0"]
    assert cli.main([*words, f"--out={second}", *more, "--sparse", "0.3"]) == 0
    other = load_model(second / "tiny.tflite")
    assert other.arch == load_model(model).arch
    assert other.metadata["zero_blocks"] == 0.3 and "zero_blocks" not in load_model(model).metadata
    assert [path.stat().st_ino for path in shards_made] == before, "what is cached is made once"
    require_the_same_from_cached_mixtures(tmp_path)


def require_the_same_from_cached_mixtures(folder: Path) -> None:
    """Features are computed anew where only they are gone; and a log goes on."""
    where = corpus.Folders(*(folder / name for name in ("speech", "noise")), None, folder / "cache")
    sound = corpus.load(where, held_out=False)
    maker = shards.ShardMaker(sound, mixing.TRAINING, train.TRAINING_SEED)
    (path,) = maker.generate([0], 1)
    before = shards.load(path)
    path.unlink()
    assert maker.generate([0], 1) == [path]
    again = shards.load(path)
    np.testing.assert_array_equal(again.features, before.features)
    np.testing.assert_array_equal(again.gains, before.gains)
    dataset = Dataset([again])
    trainer = Trainer(Settings(), dataset, dataset, folder)
    for loss in (2.0, 1.0):
        trainer._log(loss, loss)
    losses = [row["training_loss"] for row in export.read_log(folder / "log.csv")]
    assert losses == [2.0, 1.0]


GENTLY, BOLDLY = operating_point.CANDIDATES[:2]
NOISY, CLEAN = "5 dB", "clean, -25 dBFS"


@pytest.mark.parametrize(
    ("gently", "boldly", "clean_level_db", "chosen"),
    [
        pytest.param((1.5, 0.82), (2.0, 0.81), 0.0, BOLDLY, id="nothing is harmed"),
        pytest.param((1.5, 0.82), (2.0, 0.79), 0.0, GENTLY, id="mixtures"),
        pytest.param((1.5, 0.82), (2.0, 0.81), -3.0, GENTLY, id="clean speech"),
        pytest.param((1.5, 0.70), (1.4, 0.75), 0.0, BOLDLY, id="all harm: the least"),
    ],
)
def test_the_best_score_of_what_harms_nothing_is_chosen(
    monkeypatch: pytest.MonkeyPatch, gently, boldly, clean_level_db: float, chosen
) -> None:
    def heard(pesq: float, stoi: float, level_db: float = 0.0) -> Scores:
        return Scores(pesq, stoi, stoi, 1.0, level_db)

    both = {str(GENTLY): heard(*gently), str(BOLDLY): heard(*boldly)}
    clean = {str(GENTLY): heard(4.5, 1.0), str(BOLDLY): heard(4.5, 1.0, clean_level_db)}
    results = [
        scoring.Result((EVERYTHING, NOISY), {INPUT: heard(1.2, 0.8), **both}),
        scoring.Result((CLEAN,), {INPUT: heard(4.6, 1.0), **clean}),
    ]
    monkeypatch.setattr(operating_point, "CANDIDATES", (GENTLY, BOLDLY))
    monkeypatch.setattr(scoring, "evaluate", lambda *_: results)
    assert operating_point.choose(PercepNet(ARCHITECTURES["tiny"]), [], 1) == chosen


def test_a_card_shows_the_last_of_many_rows_of_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    rows = [f"{i},{100 + i},{i}e6,1,0.{i:02}" for i in range(16)]
    log.write_text("\n".join(["minutes,update,frames,training_loss,validation_loss", *rows]))
    shown = [line.split(" | ")[1] for line in export._training_table(log).splitlines()[2:]]
    assert shown == [*map(str, range(100, 116, 2)), "115"]


def test_a_network_that_is_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="huge"):
        Trainer(Settings(architecture="huge"), None, None, tmp_path)


def test_processes_that_do_not_find_each_other_are_told_how_to_begin(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One that says that it is one of two, and not which."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    assert cli.main([*words, f"--out={tmp_path / 'out'}"]) == 2
    said = capsys.readouterr().err
    assert "cannot join the other training processes" in said and "torchrun" in said
    assert not (tmp_path / "out").exists()
