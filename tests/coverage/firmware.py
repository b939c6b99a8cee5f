"""Coverage of the C code: all test programs, and the tests that call the library from Python."""

import dataclasses
import json
import os
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from kit import host, process
from kit.errors import CheckFailed
from kit.paths import BUILD, C_TESTS, FIRMWARE, ROOT
from tests.native import NativeBuild

FLAGS = ("-O0", "--coverage", "-fPIC")
# The port around them is the business of tests/device, which run whole programs.
FOLDERS = ("core", "dsp", "nn", "kernels", "update")
# Test programs that are part of none of the library.
_OTHERS = ("test_histogram",)
# The tests that go through the library from Python.
PYTHON_TESTS = (
    "tests/host/test_update.py",
    "tests/host/test_interface.py",
    "tests/host/test_rates.py",
    "tests/host/test_sound.py",
    "tests/unit/test_dsp_gains.py",
    "tests/unit/test_dsp_fixed_point.py",
)
LIBRARY_VARIABLE = "PERCEPNET_COVERAGE_LIBRARY"
_TIMEOUT_S = 3600.0


@dataclasses.dataclass(frozen=True)
class Spot:
    """A place in the code: a line that never ran, or a decision that always went one way."""

    path: str
    number: int
    what: str

    @property
    def line(self) -> str:
        """The line's text."""
        lines = (ROOT / self.path).read_text(encoding="utf-8").splitlines()
        return lines[self.number - 1].strip()


@dataclasses.dataclass
class Lines:
    """Of one file: how often each line ran, and each of its branches was taken."""

    counts: dict[int, int] = dataclasses.field(default_factory=dict)
    branches: dict[int, list[int]] = dataclasses.field(default_factory=dict)

    def add(self, line: dict) -> None:
        """Take in a line of gcov's, of one more object that the file is part of."""
        number, taken = line["line_number"], [branch["count"] for branch in line["branches"]]
        self.counts[number] = self.counts.get(number, 0) + line["count"]
        known = self.branches.setdefault(number, [])
        if len(known) == len(taken):
            self.branches[number] = [a + b for a, b in zip(known, taken, strict=True)]
        elif line["count"] >= self.counts[number] - line["count"]:
            self.branches[number] = taken  # compiled otherwise for another instruction set

    def spots(self, path: str) -> Iterator[Spot]:
        """What was never run or taken."""
        for number, count in sorted(self.counts.items()):
            if not count:
                yield Spot(path, number, "never runs")
            elif 0 in self.branches[number]:
                yield Spot(path, number, "always decides alike")


def measure(tests: Sequence[str]) -> dict[str, Lines]:
    """Run everything; the files of the firmware by path. tests: of pytest, instead of our own.

    Raises CheckFailed when a test fails.
    """
    build = NativeBuild(BUILD / "coverage" / "firmware", FLAGS)
    for made in build.folder.rglob("*.gcda"):
        made.unlink()
    objects = [unit.object for unit in build.library]
    for path in sorted(C_TESTS.glob("test_*.c")):
        if path.stem not in _OTHERS:
            program = build.link(build.folder / path.stem, [build.test(path.stem).object, *objects])
            process.run([program], timeout_s=_TIMEOUT_S)
    oracle = build.unit("firmware_src/oracle/pn_oracle.c").object
    _run_python(build.link_library(build.folder / "libpercepnet.so", [oracle, *objects]), tests)
    return _read(build.folder / "obj")


def _run_python(library: Path, tests: Sequence[str]) -> None:
    host.ensure_library()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.coverage.library"]
    done = process.run(
        [*command, "--timeout", "0", *(tests or PYTHON_TESTS)],
        cwd=ROOT,
        env={**os.environ, LIBRARY_VARIABLE: str(library)},
        timeout_s=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise CheckFailed("the tests of the library fail", hint=done.text[-2000:])


def _read(folder: Path) -> dict[str, Lines]:
    files: dict[str, Lines] = {}
    for data in sorted(folder.glob("*.gcda")):
        command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", data]
        for text in process.run(command, cwd=ROOT, timeout_s=_TIMEOUT_S).text.splitlines():
            for file in json.loads(text)["files"]:
                path = Path(ROOT / file["file"]).resolve()
                if path.is_relative_to(FIRMWARE) and path.parent.name in FOLDERS:
                    lines = files.setdefault(str(path.relative_to(ROOT)), Lines())
                    for line in file["lines"]:
                        lines.add(line)
    return files


def unexplained(files: dict[str, Lines]) -> list[Spot]:
    """What was never run or taken, and is not explained in explained.toml."""
    table = tomllib.loads(Path(__file__).with_name("explained.toml").read_text(encoding="utf-8"))
    known = {(entry["path"], entry["line"]) for entry in table.get("explained", [])}
    spots = [spot for path, lines in sorted(files.items()) for spot in lines.spots(path)]
    return [spot for spot in spots if (spot.path, spot.line) not in known]


def by_folder(files: dict[str, Lines]) -> Iterator[tuple[str, int, str, int, str]]:
    """Folder, lines, share of them that ran, branches, share of them that were taken."""
    for folder in sorted({str(Path(path).parent) for path in files}):
        inside = [lines for path, lines in files.items() if str(Path(path).parent) == folder]
        counts = [count for lines in inside for count in lines.counts.values()]
        taken = [n for lines in inside for branch in lines.branches.values() for n in branch]
        yield folder, len(counts), _share(counts), len(taken), _share(taken)


def _share(counts: list[int]) -> str:
    return f"{100 * sum(map(bool, counts)) / len(counts):.1f} %" if counts else ""
