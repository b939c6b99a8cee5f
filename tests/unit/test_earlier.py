"""Numbers beside those of an earlier run: only where they may be compared."""

import json
from pathlib import Path

import pytest

from kit.errors import KitError
from kit.report.earlier import compare, read_earlier
from kit.report.facts import MEASURED, Figure

IDENTITY = {"target": "pixel_6a", "model": "abc", "isa": "neondot"}
FIGURES = (
    Figure("a", "frame", 110.0, "us", MEASURED),
    Figure("b", "missed", 2, "calls", MEASURED),
    Figure("c", "same", 5, "us", MEASURED),
    Figure("d", "new", 7, "us", MEASURED),
)


TEXT = (
    '{"device": "d", "date": "", "target": "", "boot": {"fw": "", "model": "", "isa": ""}, '
    '"figures": [{"key": "a", "value": "1"}]}'
)


def write(path: Path, device: str = "phone", **changes: str) -> Path:
    named = IDENTITY | changes
    values = {"a": 100.0, "b": 0, "c": 5, "gone": 1}
    run = {
        "device": device,
        "target": named["target"],
        "date": "2026-01-02T03:04:05+00:00",
        "boot": {"fw": "f00d", "model": named["model"], "isa": named["isa"]},
        "figures": [{"key": key, "value": value} for key, value in values.items()],
    }
    runs = json.loads(path.read_text()) if path.exists() else []
    path.write_text(json.dumps([*runs, run]))
    return path


def test_differences_stand_beside_the_figures(tmp_path: Path) -> None:
    earlier = read_earlier(write(tmp_path / "e.json"))
    compared = compare(FIGURES, "phone", IDENTITY, earlier)
    assert [f.change for f in compared.figures] == ["+10.0 %", "+2", "same", ""]
    assert compared.figures[0].earlier == 100.0
    assert "firmware f00d" in compared.note


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "xyz"}, "another model (xyz, now abc)"),
        ({"isa": "neon"}, "another instruction set (neon, now neondot)"),
        ({"target": "pixel_4a"}, "another target (pixel_4a, now pixel_6a)"),
    ],
)
def test_runs_of_something_else_are_not_compared(tmp_path: Path, change, words: str) -> None:
    earlier = read_earlier(write(tmp_path / "e.json", **change))
    compared = compare(FIGURES, "phone", IDENTITY, earlier)
    assert compared.figures == FIGURES
    assert compared.note.startswith("not comparable")
    assert words in compared.note


def test_of_several_devices_each_is_compared_with_itself(tmp_path: Path) -> None:
    path = write(write(tmp_path / "e.json"), device="other", model="xyz")
    earlier = read_earlier(path)
    assert compare(FIGURES, "phone", IDENTITY, earlier).figures[0].earlier == 100.0
    assert "no run on third" in compare(FIGURES, "third", IDENTITY, earlier).note


@pytest.mark.parametrize("content", ["", "{", "[1]", '"text"', "{}", '{"boot": {}}', "\0", TEXT])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "e.json"
    path.write_text(content)
    with pytest.raises(KitError, match="not the results of an earlier run"):
        read_earlier(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="no such file"):
        read_earlier(tmp_path / "none.json")
