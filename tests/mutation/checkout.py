"""Copies of the checkout in which single Python files are broken, tested by pytest."""

import os
import shutil
import sys
from pathlib import Path

from kit import process
from kit.channel.process import ProcessChannel
from kit.errors import CheckFailed
from kit.host import GENERATED, ensure_library
from kit.paths import BUILD, ROOT

_TIMEOUT_S = 1800.0
LIBRARY_VARIABLE = "PERCEPNET_MUTATION_LIBRARY"
_COPIED = ("SConstruct", "pyproject.toml", "firmware_src", "kit", "targets", "tests", "tools")


class Checkout:
    """A copy of this checkout with a build folder of its own, which it keeps for the next time."""

    def __init__(self, root: Path, tests: list[str]) -> None:
        """tests: files. Raises CheckFailed for one that fails with nothing broken."""
        self.root = root
        _copy_sources(root)
        library = ensure_library()
        generated = GENERATED.relative_to(BUILD.parent)
        shutil.copytree(GENERATED, root / generated, dirs_exist_ok=True)
        inherited = {key: os.environ[key] for key in os.environ if key not in _ELSEWHERE}
        own = {LIBRARY_VARIABLE: str(library), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.mutation.warm", *tests]
        self._program = process.start(command, cwd=root, env={**inherited, **own})
        self._answers = ProcessChannel(self._program)
        for _test in tests:
            if failed := self._answer():
                raise CheckFailed(f"with nothing broken, `{failed}` fails in {root}")

    def fails(self, path: str, tests: list[str]) -> str:
        """The first test that fails with the copy as it is; "" for none."""
        for test in tests:
            self._answers.write(f"{test}\n".encode())
            if failed := self._answer():
                return failed
        return ""

    def close(self) -> None:
        """End the process that tests."""
        self._answers.close()
        self._program.wait(_TIMEOUT_S)

    def _answer(self) -> str:
        line = self._answers.read_line(_TIMEOUT_S)
        if line is None:
            raise RuntimeError(f"the process that tests in {self.root} has ended")
        return line.decode()


_ELSEWHERE = ("PYTHONPATH", "PERCEPNET_BUILD", "PYTHONDONTWRITEBYTECODE")


def _copy_sources(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.rmtree(root / name, ignore_errors=True)
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, root / name)
