"""Coverage of the kit's Python code, in the processes that the tests start too."""

import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from kit import process
from kit.errors import CheckFailed, KitError
from kit.paths import BUILD, ROOT
from tests.coverage.files import ALWAYS_ALIKE, NEVER_RUNS, File, Spot

FOLDER = BUILD / "coverage" / "kit"
_TIMEOUT_S = 4 * 3600.0
_SETTINGS = """\
[run]
branch = true
parallel = true
sigterm = true
patch = subprocess, _exit
source_pkgs = kit
data_file = {folder}/data

# Tests build, and break, in copies of the checkout: what runs there runs here too.
[paths]
kit =
    {root}/kit
    */kit
"""


def measure(tests: Sequence[str], folder: Path = FOLDER) -> list[File]:
    """Run the tests; the files of the kit. folder: for what is measured meanwhile.

    tests: words for pytest, instead of the whole suite. Raises CheckFailed when a test fails.
    """
    if importlib.util.find_spec("coverage") is None:
        raise KitError("`coverage` is not installed", hint="./tools/percepnet test installs it")
    folder.mkdir(parents=True, exist_ok=True)
    settings, report = folder / "settings.ini", folder / "report.json"
    settings.write_text(_SETTINGS.format(root=ROOT, folder=folder), encoding="utf-8")
    _coverage("erase", settings)
    tests_done = _coverage("run", settings, "-m", "pytest", "--timeout", "0", *tests)
    _coverage("combine", settings, "-q")
    _coverage("json", settings, "-q", "-o", str(report))
    if tests_done:
        raise CheckFailed("tests fail, so that what they cover says little")
    files = json.loads(report.read_text(encoding="utf-8"))["files"]
    return [_file(str((ROOT / path).relative_to(ROOT)), file) for path, file in files.items()]


def _coverage(verb: str, settings: Path, *words: str) -> int:
    command = [sys.executable, "-m", "coverage", verb, f"--rcfile={settings}", *words]
    done = process.run(command, cwd=ROOT, timeout_s=_TIMEOUT_S, capture=False, check=False)
    return done.returncode


def _file(path: str, measured: dict) -> File:
    counts = measured["summary"]
    return File(
        path,
        counts["num_statements"],
        counts["covered_lines"],
        counts["num_branches"],
        counts["covered_branches"],
        [spot for name, part in measured["functions"].items() for spot in _spots(path, name, part)],
    )


def _spots(path: str, function: str, measured: dict) -> list[Spot]:
    lines = dict.fromkeys(measured["missing_lines"], NEVER_RUNS)
    decisions = dict.fromkeys((at for at, _ in measured["missing_branches"]), ALWAYS_ALIKE)
    return [Spot(path, function, at, what) for at, what in sorted((decisions | lines).items())]
