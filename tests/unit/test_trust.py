"""What comes from outside stays data: no shell, no names that act, no markup of strangers."""

import ast
import base64
import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile

from kit import cli, host
from kit.build import HOST_TARGET
from kit.device import Device, load_devices, save_device
from kit.device.map import MAP_SETTING
from kit.evaluate import page
from kit.evaluate.metrics import Scores
from kit.evaluate.scoring import INPUT, Result, summarise
from kit.mixtures import corpus
from kit.paths import MODELS, ROOT
from kit.report import pictures
from kit.report.facts import Recording
from kit.train import export
from kit.train.operating_point import OperatingPoint

SOURCES = [*sorted((ROOT / "kit").rglob("*.py")), *sorted((ROOT / "tools").glob("*.py"))]
SOURCES.append(ROOT / "SConstruct")
RUNNERS = {"run", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "Popen"}
SHELLS = {"system", "popen", "posix_spawn", "posix_spawnp", "eval", "exec", "mktemp"}
HOSTILE = [
    "two words",
    "quo'te\"s",
    "new\nline",
    "-dash",
    "--model",
    "$(touch pwned)",
    "`touch pwned`; x",
    "[bold]\x1b[2J",
    "a$b$c",
    "ünï\u202e",
]
# Of many files in one folder; the last is no text.
ODD = [*HOSTILE, "<script>alert(1)<", "a|b", os.fsdecode(b"caf\xe9")]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_programs_get_lists_of_arguments_and_no_shell(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        assert name not in SHELLS, f"line {node.lineno}: {name}"
        module = getattr(getattr(node.func, "value", None), "id", "")
        shell = any(word.arg == "shell" for word in node.keywords)
        assert not (shell and (module in ("subprocess", "process") or name in RUNNERS)), node.lineno
        if module == "subprocess" and name in RUNNERS:
            assert path == ROOT / "kit" / "process.py", f"line {node.lineno}: use kit/process.py"
        if module == "process" and name in ("run", "start", "feed", "follow"):
            assert not isinstance(node.args[0], ast.Constant | ast.JoinedStr), node.lineno


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    host.ensure_library()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_recordings_are_names(name: str, folder: Path, capfd: pytest.CaptureFixture[str]):
    sound = np.zeros(960, np.int16)
    soundfile.write(folder / f"{name}.wav", sound, 48000)
    assert cli.main(["denoise", "--", f"{name}.wav", f"{name}.flac"]) == 0
    assert cli.main(["denoise", "--", f"{name}.none", f"{name}.wav"]) == 2
    assert soundfile.info(folder / f"{name}.flac").frames == 960
    assert {path.name for path in folder.iterdir()} == {f"{name}.wav", f"{name}.flac"}
    shown = "".join(capfd.readouterr())
    assert not set(shown) & set("\x1b\u202e")


@pytest.mark.parametrize("name", HOSTILE[::3])
def test_names_of_models_and_figures_are_names(name: str, folder: Path):
    (folder / f"{name}.tflite").write_bytes((MODELS / "tiny.tflite").read_bytes())
    options = [f"--model={name}.tflite", f"--json={name}.json"]
    assert cli.main(["fit", "mps3_an547", *options]) == 0
    require_plain_json(Path(f"{name}.json"))
    assert {path.name for path in folder.iterdir()} == {f"{name}.tflite", f"{name}.json"}


def make_sounds(folder: Path, names: list[str], *, seconds: float = 1.0) -> Path:
    """Recordings of noise under these names; returns the folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(1)
    for name in names:
        sound = rng.normal(0, 2000, round(48000 * seconds)).astype(np.int16)
        soundfile.write(os.fsencode(folder / f"{name}.wav"), sound, 48000)
    return folder


def require_tame(text: str) -> None:
    """What is shown acts on no terminal."""
    assert not set(text) & set("\x1b\u202e")


def require_plain_json(path: Path) -> object:
    """A file is JSON for everybody, and acts on no terminal."""
    text = path.read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", text)
    return json.loads(text, parse_constant=pytest.fail)


def test_names_of_scored_pairs_are_names(folder: Path, capfd: pytest.CaptureFixture[str]):
    pairs = Path("-pairs \x1b[2J'\n$(touch pwned)")
    make_sounds(pairs / "clean", ODD)
    make_sounds(pairs / "noisy", ODD)
    wanted = ["--json=-s\n.json", "--html", "-<b>.html"]
    assert cli.main(["evaluate", "--pairs", str(pairs), *wanted]) == 0
    assert {path.name for path in folder.iterdir()} == {pairs.name, "-s\n.json", "-<b>.html"}
    scored = require_plain_json(Path("-s\n.json"))["recordings"]
    assert {recording["name"] for recording in scored} == set(ODD)
    page_text = Path("-<b>.html").read_text()
    require_tame(page_text)
    assert "<script" not in page_text and "&lt;script&gt;" in page_text
    assert cli.main(["evaluate", "--pairs", f"{pairs}.none"]) == 2
    require_tame("".join(capfd.readouterr()))


@pytest.mark.parametrize("name", ["-'\n\x1b[2J $(touch pwned)", ODD[-1]])
def test_names_that_an_oracle_judges_are_names(
    name: str, folder: Path, capfd: pytest.CaptureFixture[str]
):
    make_sounds(folder / "in", [name])
    pair = [f"in/{name}.wav"] * 2
    assert cli.main(["oracle", "--out", f"-{name}", "--", *pair]) == 0
    assert cli.main(["oracle", "--", *pair[:1], f"{name}.none"]) == 2
    assert {path.name for path in folder.iterdir()} == {"in", f"-{name}"}
    require_tame("".join(capfd.readouterr()))


def test_names_of_what_is_learnt_from_are_names_in_the_card_too(folder: Path):
    speech, noise = (make_sounds(folder / f"-{kind} <i>|\n\x1b", ODD) for kind in ("voice", "hum"))
    sound = corpus.load(corpus.Folders(speech, noise, None, folder / "cache"), held_out=False)
    names = {clip.path.stem for voice in sound.speakers for clip in voice.clips}
    assert names == {name for name in ODD if not corpus.is_held_out(name)} and len(names) > 5
    log, card = folder / "log.csv", folder / "card.md"
    log.write_text("minutes,update,frames,training_loss,validation_loss\n1,1,1,1,1\n")
    words = f"train --speech '{speech}' '{ODD[-1]}'\n```"
    export.write_card(card, "tiny", "0", words, OperatingPoint(1.0, 0.0), sound, [], log)
    text = card.read_text(encoding="utf-8")
    require_tame(text)
    assert text.count("\n```") == 2 and "<i>" not in text.partition("## Data")[2]
    assert r"| -voice &lt;i>\|\n\x1b | not stated |" in text


@pytest.mark.long
def test_names_of_what_is_trained_on_are_names(folder: Path, capfd: pytest.CaptureFixture[str]):
    places = {"speech": "-sp ee'ch\n", "noise": "--noise \x1b[2J", "out": "$(touch pwned)"}
    for kind in ("speech", "noise"):
        make_sounds(folder / places[kind], [*ODD, *map(str, range(12))], seconds=3.0)
    words = [word for kind, name in places.items() for word in (f"--{kind}", name)]
    quick = ["--cache", "cache", "--shards=1", "--updates=2", "--count=2"]
    assert cli.main(["train", *words, *quick, "--operating-point", "1", "0"]) == 0
    assert {path.name for path in folder.iterdir()} == {*places.values(), "cache"}
    require_tame("".join(capfd.readouterr()) + (folder / places["out"] / "tiny.md").read_text())


@pytest.mark.long
@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_models_that_are_built_in_are_names(name: str, folder: Path):
    model = folder / f"{name}.tflite"
    model.write_bytes((MODELS / "tiny.tflite").read_bytes())
    assert cli.main(["package", HOST_TARGET, "--format=tarball", f"--model={model.name}",
                     f"--out={name}"]) == 0  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {model.name, name}


@pytest.mark.filterwarnings("error")
def test_a_page_of_scores_shows_names_and_runs_none(tmp_path: Path):
    name = "<script>alert(1)</script>$x_{&\x1b\n\t\u202e\u4e2d"
    scores = Scores(*[1.0] * len(Scores.__dataclass_fields__))
    results = [Result(("all", "0 dB"), {INPUT: scores, name: scores})]
    text = page.render(name, summarise(results), results)
    require_tame(text)
    assert "<script" not in text and "&lt;script&gt;" in text
    for picture in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", text):
        drawn = base64.b64decode(picture).decode()
        require_tame(drawn)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;$x_{&amp;\\x1b\\n\\t\\u202e\u4e2d" in drawn


@pytest.mark.filterwarnings("error")
def test_the_name_of_a_recording_above_its_spectrogram_is_a_name():
    sound = np.zeros(48000, np.int16)
    for name in ("$x_{$", "a\x1b"):
        assert pictures.spectrograms_png([Recording(name, "", sound)]).startswith(b"\x89PNG")


def test_devices_that_are_added_at_the_same_time_are_all_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(MAP_SETTING, str(tmp_path / "devices.toml"))
    names = {f"board{number}" for number in range(8)}
    adding = [
        threading.Thread(target=save_device, args=(Device(name, target=HOST_TARGET),))
        for name in names
    ]
    for thread in adding:
        thread.start()
    for thread in adding:
        thread.join()
    assert load_devices().keys() == names
