"""Copies of the C code in which single files are broken, compiled and tested by the C programs.

All objects are made once. A mutant takes those anew that its file is part of, and links the test
programs again; they run with the traps of the checked build.
"""

import shutil
from pathlib import Path

import numpy as np

from kit import process
from kit.host import HOST_TARGET
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.paths import ROOT
from kit.target import load_target, load_toolchain
from tests.native import NativeBuild

# Loops without end are stopped by what they take of the processor, however busy that is.
TEST_CPU_S = 5
_TEST_TIMEOUT_S = 600.0
# Small, so that tests are quick, and of widths that no register likes.
MODEL = Architecture(fc=32, conv1=48, conv2=48, gru=80, gru_strength=32)


class Firmware:
    """The C code of this checkout in a folder, compiled; `breakable` makes copies to break."""

    def __init__(self, folder: Path, tests: list[str]) -> None:
        """tests: programs of tests/c. Raises KitError for code that does not compile."""
        _copy_sources(ROOT, folder)
        model = folder / "model.tflite"
        model.write_bytes(write_tflite(_weights(), MODEL, {"post_filter": True}))
        flags = load_toolchain(load_target(HOST_TARGET).toolchain).variants["checked"].cflags
        self.build = NativeBuild(folder / "made", ["-w", *flags], model, root=folder)
        self.tests = {name: self.build.test(name) for name in tests}

    def breakable(self, root: Path) -> "BrokenFirmware":
        """A copy whose files may be broken one at a time."""
        _copy_sources(self.build.root, root)
        return BrokenFirmware(self, root)


class BrokenFirmware:
    """A copy of the sources; `fails` tells which test notices what is broken in it."""

    def __init__(self, whole: Firmware, root: Path) -> None:
        self._whole, self.root = whole, root

    def fails(self, path: str, tests: list[str]) -> str:
        """The first of the test programs that fails with the file as it is in this copy, "" for
        none. Raises KitError when the file does not compile.
        """
        build = self._whole.build
        library = []
        for unit in build.library:
            if path in unit.parts:
                made = self.root / unit.object.name
                build.compile(self.root, unit.source, unit.flags, made)
                library.append(made)
            else:
                library.append(unit.object)
        for test in tests:
            program = build.link(self.root / test, [self._whole.tests[test].object, *library])
            if not _passes(program):
                return test
        return ""


def _passes(program: Path) -> bool:
    command = ["prlimit", f"--cpu={TEST_CPU_S}", program]
    return process.run(command, timeout_s=_TEST_TIMEOUT_S, check=False).returncode == 0


def _copy_sources(source: Path, target: Path) -> None:
    for name in ("firmware_src", "tests/c"):
        shutil.rmtree(target / name, ignore_errors=True)
        shutil.copytree(source / name, target / name)


def _weights() -> dict[str, np.ndarray]:
    """Random weights with 0.6 of the blocks of some matrices zero, none of the others."""
    dense = random_weights(MODEL)
    sparse = sparsify(dense, MODEL, 0.6)
    return {name: sparse[name] if "gru" in name else dense[name] for name in dense}
