"""What comes from outside stays data: no shell, no names that act, no markup of strangers."""

import ast
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
from kit.paths import MODELS, ROOT

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
    assert {path.name for path in folder.iterdir()} == {f"{name}.tflite", f"{name}.json"}


@pytest.mark.long
@pytest.mark.parametrize("name", HOSTILE)
def test_names_of_models_that_are_built_in_are_names(name: str, folder: Path):
    model = folder / f"{name}.tflite"
    model.write_bytes((MODELS / "tiny.tflite").read_bytes())
    assert cli.main(["package", HOST_TARGET, "--format=tarball", f"--model={model.name}",
                     f"--out={name}"]) == 0  # fmt: skip
    assert {path.name for path in folder.iterdir()} == {model.name, name}


def test_a_page_of_scores_shows_names_and_runs_none(tmp_path: Path):
    name = "<script>alert(1)</script>$x_{&\x1b"
    scores = Scores(*[1.0] * len(Scores.__dataclass_fields__))
    results = [Result(("all", "0 dB"), {INPUT: scores, name: scores})]
    text = page.render(name, summarise(results), results)
    assert "<script" not in text and "\x1b" not in text
    assert "&lt;script&gt;" in text


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
