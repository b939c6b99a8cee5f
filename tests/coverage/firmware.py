"""Coverage of the C code: all test programs, and the tests that call the library from Python."""

import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from kit import host, process
from kit.errors import CheckFailed
from kit.paths import BUILD, C_TESTS, FIRMWARE, ROOT
from tests.coverage.files import ALWAYS_ALIKE, NEVER_RUNS, File, Spot
from tests.fuzz.corpus import small_tflite
from tests.native import NativeBuild

FLAGS = ("-O0", "--coverage", "-fPIC")
# The port around them is the business of tests/device, which run whole programs.
FOLDERS = ("core", "dsp", "nn", "kernels", "update")
# Test programs that are part of none of the library.
_OTHERS = ("test_histogram",)
# Those that run the network: with block sparse weights too.
_OF_NETWORK = ("test_nn", "test_api")
# The tests that go through the library from Python, where those in C leave something out.
PYTHON_TESTS = (
    "tests/host/test_update.py",
    "tests/host/test_hostile_weights.py",
    "tests/host/test_interface.py::test_weights_of_a_mapped_file_are_those_built_in",
    "tests/unit/test_dsp_gains.py",
    "tests/unit/test_dsp_fixed_point.py",
)
LIBRARY_VARIABLE = "PERCEPNET_COVERAGE_LIBRARY"
_TIMEOUT_S = 3600.0


@dataclasses.dataclass
class Lines:
    """Of one file: how often each line ran, and each of its branches was taken."""

    counts: dict[int, int] = dataclasses.field(default_factory=dict)
    branches: dict[int, list[int]] = dataclasses.field(default_factory=dict)
    functions: dict[int, str] = dataclasses.field(default_factory=dict)

    def add(self, line: dict) -> None:
        """Take in a line of gcov's, of one more object that the file is part of."""
        number, taken = line["line_number"], [branch["count"] for branch in line["branches"]]
        self.counts[number] = self.counts.get(number, 0) + line["count"]
        self.functions[number] = line.get("function_name", "")
        known = self.branches.setdefault(number, [])
        if len(known) == len(taken):
            self.branches[number] = [a + b for a, b in zip(known, taken, strict=True)]
        elif line["count"] >= self.counts[number] - line["count"]:
            self.branches[number] = taken  # compiled otherwise for another instruction set

    def of(self, path: str) -> File:
        """What they say of their file."""
        taken = [count for branch in self.branches.values() for count in branch]
        run = sum(map(bool, self.counts.values()))
        spots = list(self._spots(path))
        return File(path, len(self.counts), run, len(taken), sum(map(bool, taken)), spots)

    def _spots(self, path: str) -> Iterator[Spot]:
        for number, count in sorted(self.counts.items()):
            if not count:
                yield Spot(path, self.functions[number], number, NEVER_RUNS)
            elif 0 in self.branches[number]:
                yield Spot(path, self.functions[number], number, ALWAYS_ALIKE)


def measure(tests: Sequence[str]) -> list[File]:
    """Run everything; the files of the firmware. tests: of pytest, instead of our own.

    Raises CheckFailed when a test fails.
    """
    dense = NativeBuild(BUILD / "coverage" / "dense", FLAGS)
    sparse = NativeBuild(BUILD / "coverage" / "sparse", FLAGS, _sparse_model())
    for made in (BUILD / "coverage").rglob("*.gcda"):
        made.unlink()
    names = [path.stem for path in sorted(C_TESTS.glob("test_*.c"))]
    _run_c(dense, [name for name in names if name not in _OTHERS])
    _run_c(sparse, _OF_NETWORK)
    oracle = dense.unit("firmware_src/oracle/pn_oracle.c").object
    objects = [oracle, *(unit.object for unit in dense.library)]
    _run_python(dense.link_library(dense.folder / "libpercepnet.so", objects), tests)
    return _read([dense.folder / "obj", sparse.folder / "obj"])


def _sparse_model() -> Path:
    path = BUILD / "coverage" / "sparse.tflite"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small_tflite(sparse=True))
    return path


def _run_c(build: NativeBuild, names: Sequence[str]) -> None:
    for name in names:
        objects = [build.test(name).object, *(unit.object for unit in build.library)]
        process.run([build.link(build.folder / name, objects)], timeout_s=_TIMEOUT_S)


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


def _read(folders: Sequence[Path]) -> list[File]:
    files: dict[str, Lines] = {}
    for data in sorted(path for folder in folders for path in folder.glob("*.gcda")):
        command = ["gcov", "--json-format", "--stdout", "--branch-probabilities", data]
        for text in process.run(command, cwd=ROOT, timeout_s=_TIMEOUT_S).text.splitlines():
            for file in json.loads(text)["files"]:
                path = Path(ROOT / file["file"]).resolve()
                if path.is_relative_to(FIRMWARE) and path.parent.name in FOLDERS:
                    lines = files.setdefault(str(path.relative_to(ROOT)), Lines())
                    for line in file["lines"]:
                        lines.add(line)
    return [lines.of(path) for path, lines in files.items()]
