"""`train` from folders of sound to a model with its card and page: all of it, on very little."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit import cli
from kit.mixtures import corpus
from kit.model.import_ import load_model
from kit.train import operating_point, shards
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
    assert cli.main([*words, f"--out={second}", *more]) == 0
    assert load_model(second / "tiny.tflite").arch == load_model(model).arch
    assert [path.stat().st_ino for path in shards_made] == before, "what is cached is made once"


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
