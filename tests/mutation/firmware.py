"""Copies of the C code in which single files are broken, compiled and tested by the C programs.

All objects are made once. A mutant takes those anew that its file is part of, and links the test
programs again: without any checks first, which is quick, and where nothing is noticed with the
traps of the checked build and with ASan. The header of intrinsics, which takes longer than all
else, is compiled once as well.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kit import process
from kit.errors import CheckFailed
from kit.host import HOST_TARGET
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.paths import ROOT
from kit.target import load_target, load_toolchain
from tests.native import NativeBuild, Unit

# Loops without end are stopped by what they take of the processor, however busy that is.
TEST_CPU_S = 3
_TEST_TIMEOUT_S = 600.0
# Small, so that tests are quick, and of widths that no register likes.
MODEL = Architecture(fc=32, conv1=48, conv2=48, gru=80, gru_strength=32)


class Variant:
    """All objects of the library and of the test programs, compiled with the same flags."""

    def __init__(self, folder: Path, flags: Sequence[str], model: Path, tests: list[str]) -> None:
        """Raises KitError for code that does not compile."""
        self._intrinsics = folder / "intrinsics"
        self._build = NativeBuild(folder / "made", ["-w", *flags], model, root=model.parent)
        self._tests = {name: self._build.test(name) for name in tests}
        for isa_flags in {unit.flags for unit in self._build.library if unit.flags}:
            self._compile_intrinsics(isa_flags)

    def _compile_intrinsics(self, flags: tuple[str, ...]) -> None:
        header = self._header(flags)
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text("#include <immintrin.h>\n", encoding="utf-8")
        made = header.with_suffix(".h.gch")
        self._build.compile(header.parent, header.name, (*flags, "-x", "c-header"), made)

    def _header(self, flags: tuple[str, ...]) -> Path:
        return self._intrinsics / "".join(flags).strip("-") / "intrinsics.h"

    def fails(self, root: Path, path: str, tests: list[str]) -> str:
        """The first of the test programs that fails with a file as it is below a root, "" for none.
        Raises KitError when the file does not compile.
        """
        library = [self._object(root, unit, path) for unit in self._build.library]
        for test in tests:
            own = self._object(root, self._tests[test], path)
            program = self._build.link(root / test, [own, *library])
            if not _passes(program):
                return test
        return ""

    def _object(self, root: Path, unit: Unit, path: str) -> Path:
        """The object of a unit below a root whose file `path` is not as it was."""
        return self._compile(root, unit) if path in unit.parts else unit.object

    def _compile(self, root: Path, unit: Unit) -> Path:
        made = root / unit.object.name
        known = ("-include", str(self._header(unit.flags))) if unit.flags else ()
        self._build.compile(root, unit.source, (*unit.flags, *known), made)
        return made


class Firmware:
    """The C code of this checkout in a folder, compiled; `breakable` makes copies to break."""

    def __init__(self, folder: Path, tests: list[str]) -> None:
        """tests: programs of tests/c. Raises KitError for code that does not compile."""
        self._folder, self._tests = folder, tests
        _copy_sources(ROOT, folder)
        model = folder / "model.tflite"
        model.write_bytes(write_tflite(_weights(), MODEL, {"post_filter": True}))
        checked = load_toolchain(load_target(HOST_TARGET).toolchain).variants["checked"].cflags
        self._variants = [
            Variant(folder / name, flags, model, tests)
            for name, flags in (("plain", ["-O1"]), ("checked", [*checked, "-fsanitize=address"]))
        ]

    def breakable(self, root: Path) -> "BrokenFirmware":
        """A copy whose files may be broken one at a time.

        Raises CheckFailed when a test fails with nothing broken.
        """
        _copy_sources(self._folder, root)
        copy = BrokenFirmware(self._variants, root)
        if failed := copy.fails("", self._tests):
            raise CheckFailed(f"with nothing broken, `{failed}` fails in {root}")
        return copy


class BrokenFirmware:
    """A copy of the sources; `fails` tells which test notices what is broken in it."""

    def __init__(self, variants: list[Variant], root: Path) -> None:
        self._variants, self.root = variants, root

    def fails(self, path: str, tests: list[str]) -> str:
        """The first of the test programs that fails with the file as it is in this copy, "" for
        none. Raises KitError when the file does not compile.
        """
        for variant in self._variants:
            if failed := variant.fails(self.root, path, tests):
                return failed
        return ""

    def close(self) -> None:
        """Nothing is left open."""


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
