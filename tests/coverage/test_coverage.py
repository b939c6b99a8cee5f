"""Whether spots are told from explained ones; and, long, whether every spot is explained."""

from pathlib import Path

import pytest

from kit.paths import ROOT
from tests.coverage import explained, firmware, python
from tests.coverage.explained import Explanation
from tests.coverage.files import ALWAYS_ALIKE, NEVER_RUNS, File, Spot, by_folder

CODE = "tests/coverage/explained.toml"
LINES = (ROOT / CODE).read_text(encoding="utf-8").splitlines()


def file_with(*spots: Spot) -> File:
    return File(CODE, 4, 3, 2, 1, list(spots))


def spot(number: int, function: str = "f") -> Spot:
    return Spot(CODE, function, number, NEVER_RUNS)


def test_what_is_not_run_is_found_unless_it_is_explained() -> None:
    files = [file_with(spot(1), spot(2))]
    assert explained.findings(files, []) == [
        f"{CODE}:1: f: never runs: {LINES[0]}",
        f"{CODE}:2: f: never runs: {LINES[1]}",
    ]
    one = Explanation(CODE, "f", "why", [LINES[1]])
    assert explained.findings(files, [one]) == [f"{CODE}:1: f: never runs: {LINES[0]}"]
    assert not explained.findings(files, [Explanation(CODE, "f", "why")])


def test_an_explanation_is_of_one_function() -> None:
    other = Explanation(CODE, "g", "why")
    assert len(explained.findings([file_with(spot(1), spot(1, "g"))], [other])) == 1


@pytest.mark.parametrize("lines", [[], [LINES[0]]])
def test_an_explanation_of_what_runs_is_found(lines: list[str]) -> None:
    entry = Explanation(CODE, "f", "why", lines)
    assert not explained.findings([file_with(spot(1))], [entry])
    for spots in ([], [spot(1, "g")]):
        found = explained.findings([file_with(*spots)], [entry])
        assert (
            found[-1] == f"{CODE}: f: explained, and runs or is gone: {lines[0] if lines else 'f'}"
        )
    elsewhere = Explanation(CODE, "f", "why", lines, elsewhere=True)
    assert not explained.findings([file_with()], [elsewhere])


def test_every_explanation_has_a_reason_and_lines_that_are_there() -> None:
    every = [entry for folder in ("firmware_src", "kit") for entry in explained.load(folder)]
    for entry in every:
        assert entry.reason, entry
        code = (ROOT / entry.path).read_text(encoding="utf-8")
        assert entry.function.rpartition(".")[2] in code, entry
        assert set(entry.lines) <= {line.strip() for line in code.splitlines()}, entry
    places = [(entry.path, entry.function, line) for entry in every for line in entry.lines or [""]]
    assert len(set(places)) == len(places)


def test_shares_are_of_each_folder_and_of_all() -> None:
    files = [File("a/b/c.py", 3, 2, 0, 0, []), File("a/d.py", 1, 1, 8, 6, [])]
    assert list(by_folder(files, depth=2)) == [
        ("a", 1, "100.0 %", 8, "75.0 %"),
        ("a/b", 3, "66.7 %", 0, ""),
        ("all", 4, "75.0 %", 8, "75.0 %"),
    ]


def test_counts_of_gcov_are_added_up() -> None:
    lines = firmware.Lines()
    for counts in ((4, 0), (2, 0)):
        branches = [{"count": count} for count in counts]
        lines.add({"line_number": 1, "count": 4, "branches": branches, "function_name": "f"})
        lines.add({"line_number": 2, "count": 0, "branches": [], "function_name": "f"})
    file = lines.of(CODE)
    assert (file.lines, file.run, file.branches, file.taken) == (2, 1, 2, 1)
    assert file.spots == [Spot(CODE, "f", 1, ALWAYS_ALIKE), spot(2)]


@pytest.mark.long
def test_what_runs_in_a_process_that_a_test_starts_counts(tmp_path: Path) -> None:
    starts = tmp_path / "test_starts.py"
    starts.write_text(_STARTS_THE_KIT, encoding="utf-8")
    words = [str(starts), "-p", "no:cacheprovider"]
    files = {file.path: file for file in python.measure(words, tmp_path / "measured")}
    assert not files["kit/__main__.py"].spots
    assert files["kit/java.py"].run, "it ran in a copy of the checkout"
    assert files["kit/train/training.py"].run == 0
    assert all(path.startswith("kit/") for path in files)


_STARTS_THE_KIT = """
import shutil
import subprocess
import sys

from kit.paths import ROOT

def test_help():
    subprocess.run([sys.executable, "-m", "kit", "--help"], check=True)

def test_a_copy(tmp_path):
    shutil.copytree(ROOT / "kit", tmp_path / "kit")
    subprocess.run([sys.executable, "-c", "import kit.java"], cwd=tmp_path, check=True)
"""


@pytest.mark.long
def test_every_line_and_branch_of_the_firmware_is_tested_or_explained() -> None:
    assert not explained.findings(firmware.measure([]), explained.load("firmware_src"))


@pytest.mark.long
def test_every_line_and_branch_of_the_kit_is_tested_or_explained() -> None:
    assert not explained.findings(python.measure([]), explained.load("kit"))
