"""The firmware's C code, compiled for this computer with flags of a test's own.

SCons builds what people use. This builds what only tests want: with a sanitizer, in a copy of the
sources that is broken on purpose.
"""

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit import process
from kit.codegen import tables
from kit.codegen.model import generate
from kit.host import HOST_TARGET
from kit.paths import C_TESTS, MODELS, ROOT
from kit.scons import sources
from kit.target import load_target, load_toolchain

COMPILE_TIMEOUT_S = 900.0
CPU_FLAGS = {"avx2": "avx2", "avxvnni": "avx_vnni", "avx512vnni": "avx512_vnni"}
"""What Linux calls instruction sets."""


@dataclasses.dataclass(frozen=True)
class Unit:
    """A compiled source, its own flags, and the sources that it is made of; paths below a root."""

    source: str
    flags: tuple[str, ...]
    object: Path
    parts: frozenset[str]


class NativeBuild:
    """Objects of the library, with the kernels that this computer runs, and of its port."""

    def __init__(
        self, folder: Path, flags: Sequence[str], model: Path | None = None, root: Path = ROOT
    ) -> None:
        """folder: receives what is made, and keeps it for the next time. model: a .tflite instead
        of the target's own. root: of a copy of the checkout. Raises KitError with what the compiler
        says.
        """
        self.folder, self.root = folder, root
        self._target = load_target(HOST_TARGET)
        self._toolchain = load_toolchain(self._target.toolchain)
        self._flags = ("-std=c11", *flags, f"-I{folder}/gen", *self._includes())
        self._generate(model or MODELS / f"{self._target.model}.tflite")
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            self.library = list(pool.map(lambda unit: self.unit(*unit), self._library_sources()))

    def _includes(self) -> list[str]:
        folders = [f"firmware_src/{name}" for name in sources.INCLUDE_FOLDERS]
        folders += [_below_root(path) for path in sources.port_folders(self._target)]
        return [f"-I{folder}" for folder in folders]

    def _generate(self, model: Path) -> None:
        content = generate(model, self._target.layout)
        content["pn_tables.h"] = tables.render_header().encode()
        content["pn_tables.c"] = tables.render_source().encode()
        lines = [f"PN_KERNEL({kernel.family}, {kernel.isa})\n" for kernel in self._kernels()]
        content["pn_kernel_list.h"] = "".join(lines).encode()
        (self.folder / "gen").mkdir(parents=True, exist_ok=True)
        for name, data in content.items():
            (self.folder / "gen" / name).write_bytes(data)

    def _kernels(self) -> list[sources.Kernel]:
        has = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
        found = sources.kernels(self._target)
        return [k for k in found if k.isa == "scalar" or CPU_FLAGS[k.isa] in has]

    def _library_sources(self) -> list[tuple[str, tuple[str, ...]]]:
        plain = [*sources.library_sources(True), *sources.port_sources(self._target)]
        found = [(_below_root(path), ()) for path in plain]
        found += [(_below_root(k.path), self._toolchain.isa_flags[k.isa]) for k in self._kernels()]
        generated = self.folder / "gen"
        return [*found, (f"{generated}/pn_tables.c", ()), (f"{generated}/pn_model.c", ())]

    def unit(self, source: str, flags: tuple[str, ...] = ()) -> Unit:
        """Compile one more source. Raises KitError with what the compiler says."""
        made = self.folder / "obj" / (Path(source).name + ".o")
        made.parent.mkdir(exist_ok=True)
        key = made.with_suffix(".key")
        if not (key.is_file() and key.read_text() == self._key(made, flags)):
            self.compile(self.root, source, (*flags, "-MMD"), made)
            key.write_text(self._key(made, flags))
        return Unit(source, flags, made, frozenset(_parts(made)))

    def _key(self, made: Path, flags: Sequence[str]) -> str:
        """Changes with anything that an object is made of."""
        digest = hashlib.sha256(repr((self._flags, flags)).encode())
        for part in _parts(made):
            path = self.root / part
            digest.update(path.read_bytes() if path.is_file() else b"gone")
        return digest.hexdigest()

    def test(self, name: str) -> Unit:
        """Compile a program of tests/c."""
        return self.unit(_below_root(C_TESTS / f"{name}.c"))

    def compile(self, root: Path, source: str, flags: Sequence[str], made: Path) -> None:
        """Compile a source below any root. Raises KitError with what the compiler says."""
        command = ["gcc", *self._flags, *flags, "-c", source, "-o", made]
        process.run(command, cwd=root, timeout_s=COMPILE_TIMEOUT_S)

    def link(self, program: Path, objects: Sequence[Path]) -> Path:
        """Link a program of objects. Raises KitError with what the linker says."""
        return self._link(program, objects)

    def link_library(self, library: Path, objects: Sequence[Path]) -> Path:
        """Link a shared library of objects. Raises KitError with what the linker says."""
        return self._link(library, ["-shared", *objects])

    def _link(self, made: Path, words: Sequence[str | Path]) -> Path:
        flags = [flag for flag in self._flags if flag.startswith(("-f", "--coverage"))]
        process.run(["gcc", *flags, *words, "-lm", "-o", made], timeout_s=COMPILE_TIMEOUT_S)
        return made


def _parts(made: Path) -> list[str]:
    """The files that an object was made of."""
    return made.with_suffix(".d").read_text().replace("\\\n", " ").split()[1:]


def _below_root(path: Path) -> str:
    return str(path.relative_to(ROOT))
