"""Copies of the C code in which single files are broken, compiled and tested by the C programs.

All objects are made once. A mutant takes those anew that its file is part of, and links the test
programs again; they run with the traps of the checked build.
"""

import dataclasses
import functools
import shutil
from pathlib import Path

import numpy as np

from kit import host, process
from kit.codegen.model import generate
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.model.sparsify import sparsify
from kit.paths import ROOT
from kit.scons import sources
from kit.target import load_target, load_toolchain

COMPILE_TIMEOUT_S = 120.0
TEST_TIMEOUT_S = 10.0
VARIANT = "checked"
# Small, so that tests are quick; dense, block sparse, and of widths that no register likes.
MODEL = Architecture(fc=32, conv1=48, conv2=48, gru=80, gru_strength=32)


@dataclasses.dataclass(frozen=True)
class Unit:
    """A source that is compiled: below the copy's root, with its flags and all it includes."""

    source: str
    flags: tuple[str, ...]
    object: Path
    includes: frozenset[str]


class Firmware:
    """The C code of this checkout in a folder, compiled; `breakable` makes copies to break."""

    def __init__(self, folder: Path, tests: list[str]) -> None:
        """tests: programs of tests/c. Raises KitError for code that does not compile."""
        self.folder = folder
        self._tests = tests
        self.target = load_target(host.HOST_TARGET)
        self.toolchain = load_toolchain(self.target.toolchain)
        self._copy_sources()
        self.units = [self._compile(*which) for which in self._all_sources()]

    def _copy_sources(self) -> None:
        host.ensure_library()
        for name in ("firmware_src", "tests/c"):
            shutil.copytree(ROOT / name, self.folder / name)
        generated = self.folder / "gen"
        shutil.copytree(host.GENERATED, generated)
        model = self.folder / "model.tflite"
        model.write_bytes(write_tflite(_weights(), MODEL, {"post_filter": True}))
        for name, content in generate(model, self.target.layout).items():
            (generated / name).write_bytes(content)
        lines = [f"PN_KERNEL({kernel.family}, {kernel.isa})\n" for kernel in self._kernels()]
        (generated / "pn_kernel_list.h").write_text("".join(lines))

    def _kernels(self) -> list[sources.Kernel]:
        """Those that run on this computer."""
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
        runs = {"scalar": True, "avx2": "avx2" in flags}
        found = sources.kernels(self.target, self.toolchain)
        return [kernel for kernel in found if runs.get(kernel.isa, False)]

    def _all_sources(self) -> list[tuple[str, tuple[str, ...]]]:
        """(source below the copy, its flags) of library, kernels, port and tests."""
        plain = [*sources.library_sources(True), *sources.port_sources(self.target)]
        plain += [path for path in sources.c_tests(True) if path.stem in self._tests]
        found = [(str(path.relative_to(ROOT)), ()) for path in plain]
        for kernel in self._kernels():
            flags = self.toolchain.isa_flags[kernel.isa]
            found.append((str(kernel.path.relative_to(ROOT)), flags))
        return [*found, ("gen/pn_tables.c", ()), ("gen/pn_model.c", ())]

    @functools.cached_property
    def flags(self) -> tuple[str, ...]:
        """Of every source: the checked build's, without warnings, which mutants deserve."""
        folders = [f"firmware_src/{name}" for name in sources.INCLUDE_FOLDERS]
        folders += [str(path.relative_to(ROOT)) for path in sources.port_folders(self.target)]
        variant = self.toolchain.variants[VARIANT].cflags
        return ("-std=c11", "-w", *variant, "-Igen", *(f"-I{folder}" for folder in folders))

    def _compile(self, source: str, flags: tuple[str, ...]) -> Unit:
        made = self.folder / "obj" / (source.replace("/", ".") + ".o")
        made.parent.mkdir(exist_ok=True)
        self.compile(self.folder, source, flags, made, "-MMD")
        words = made.with_suffix(".d").read_text().replace("\\\n", " ").split()[1:]
        return Unit(source, flags, made, frozenset(words))

    def compile(
        self, root: Path, source: str, flags: tuple[str, ...], made: Path, *more: str
    ) -> None:
        """Raises KitError with what the compiler says."""
        command = ["gcc", *self.flags, *flags, *more, "-c", source, "-o", made]
        process.run(command, cwd=root, timeout_s=COMPILE_TIMEOUT_S)

    def breakable(self, name: str) -> "BrokenFirmware":
        """A copy whose files may be broken one at a time."""
        root = self.folder.with_name(name)
        for part in ("firmware_src", "tests/c", "gen"):
            shutil.copytree(self.folder / part, root / part)
        return BrokenFirmware(self, root)


class BrokenFirmware:
    """A copy of the sources; `fails` tells which test notices what is broken in it."""

    def __init__(self, whole: Firmware, root: Path) -> None:
        self._whole, self.root = whole, root

    def fails(self, path: str, tests: list[str]) -> str:
        """The first of the test programs that fails with the file as it is in this copy, "" for
        none. Raises KitError when the file does not compile.
        """
        objects = []
        for unit in self._whole.units:
            if path in unit.includes:
                made = self.root / unit.object.name
                self._whole.compile(self.root, unit.source, unit.flags, made)
                objects.append((unit, made))
            else:
                objects.append((unit, unit.object))
        for test in tests:
            if not self._passes(test, objects):
                return test
        return ""

    def _passes(self, test: str, objects: list[tuple[Unit, Path]]) -> bool:
        program = self.root / test
        linked = [made for unit, made in objects if not _is_test(unit)]
        linked += [made for unit, made in objects if unit.source == f"tests/c/{test}.c"]
        flags = self._whole.toolchain.variants[VARIANT].ldflags
        process.run(["gcc", *flags, *linked, "-lm", "-o", program], timeout_s=COMPILE_TIMEOUT_S)
        try:
            return process.run([program], timeout_s=TEST_TIMEOUT_S, check=False).returncode == 0
        except process.Silent:
            return False


def _is_test(unit: Unit) -> bool:
    return unit.source.startswith("tests/")


def _weights() -> dict[str, np.ndarray]:
    """Random weights with 0.6 of the blocks of some matrices zero, none of the others."""
    dense = random_weights(MODEL)
    sparse = sparsify(dense, MODEL, 0.6)
    return {name: sparse[name] if "gru" in name else dense[name] for name in dense}

