"""Copies of the checkout in which single Python files are broken, tested by pytest."""

import os
import shutil
import sys
from pathlib import Path

from kit import process
from kit.paths import ROOT

# What a mutant may take before the machine suffers; one that waits is given up by its test.
_MEMORY_BYTES = 8 << 30
_CPU_S = 120
_TEST_WAITS_S = 120
_TIMEOUT_S = 1800.0
_COPIED = ("SConstruct", "pyproject.toml", "firmware_src", "kit", "targets", "tests", "tools")


class Checkout:
    """A copy of this checkout with a build folder of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__")
        for name in _COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=ignored)
            else:
                shutil.copy2(ROOT / name, root / name)

    def fails(self, path: str, tests: list[str]) -> str:
        """The first test that fails with the copy as it is; "" for none. Tests are files or options
        of pytest.
        """
        command = ["prlimit", f"--as={_MEMORY_BYTES}", f"--cpu={_CPU_S}", sys.executable]
        command += ["-m", "pytest", "-x", "-p", "no:cacheprovider", f"--timeout={_TEST_WAITS_S}"]
        done = process.run(
            [*command, *tests],
            cwd=self.root,
            env=self._environment(),
            timeout_s=_TIMEOUT_S,
            check=False,
        )
        if done.returncode == 0:
            return ""
        failed = [line for line in done.text.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0].split(" - ")[0] if failed else "could not be loaded"

    def _environment(self) -> dict[str, str]:
        """Without byte code in files: a mutant may have the size and time of what it stands for."""
        elsewhere = ("PYTHONPATH", "PERCEPNET_BUILD")
        inherited = {key: value for key, value in os.environ.items() if key not in elsewhere}
        return {**inherited, "PYTHONDONTWRITEBYTECODE": "1"}
