"""Finding C sources by where they are and how they are called; nothing here is a list to edit."""

import dataclasses
import functools
import hashlib
from pathlib import Path

from kit.errors import KitError
from kit.paths import C_TESTS, FIRMWARE, LIBRARY_FOLDERS
from kit.target import BARE_METAL_PORT, Target, Toolchain

INCLUDE_FOLDERS = (
    "include",
    "dsp",
    "core",
    "nn",
    "update",
    "kernels",
    "oracle",
    "profile",
    "apps",
)
# The library, and what a device adds to it that takes new weights while it runs.
_COMPILED_FOLDERS = (*LIBRARY_FOLDERS, "update")
# What includes one of these does not link without a network.
_MODEL_HEADERS = ("pn_model.h", "percepnet.h")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel file `family__isa.c`."""

    path: Path
    family: str
    isa: str


def c_files(folder: Path) -> list[Path]:
    """The C files of one folder, in the same order everywhere."""
    return sorted(folder.glob("*.c"))


def library_sources(with_model: bool) -> list[Path]:
    """Sources that every target compiles alike; without a model, those that need none."""
    files = [path for name in _COMPILED_FOLDERS for path in c_files(FIRMWARE / name)]
    files += [path for path in c_files(FIRMWARE / "kernels") if "__" not in path.stem]
    return [path for path in files if with_model or not _names_model(path)]


def is_library(path: Path) -> bool:
    """Whether a source belongs to the library, not to the programs around it."""
    return path.parent.name in (*_COMPILED_FOLDERS, "kernels")


def kernels(target: Target) -> list[Kernel]:
    """Kernel files of the target's ISAs: by family, then the most capable ISA last."""
    found = []
    for path in c_files(FIRMWARE / "kernels"):
        family, separator, isa = path.stem.partition("__")
        if separator and isa in target.isas:
            found.append(Kernel(path, family, isa))
    return sorted(found, key=lambda kernel: (kernel.family, target.isas.index(kernel.isa)))


def port_sources(target: Target) -> list[Path]:
    """What every port shares, then the target's own port and its board."""
    own = FIRMWARE / "port" / target.port
    files = [path for folder in port_folders(target) for path in c_files(folder)]
    return files + ([own / "boards" / f"{target.board}.c"] if target.board else [])


def port_folders(target: Target) -> list[Path]:
    """Folders of the port's sources and headers: shared by all, by all bare-metal ones, its own."""
    base = FIRMWARE / "port"
    shared = [base, base / BARE_METAL_PORT] if target.memory else [base]
    return [*shared, base / target.port]


def apps(target: Target) -> list[Path]:
    """Programs of the target. Raises KitError for a name in its `apps` that has no source."""
    files = {path.stem: path for path in c_files(FIRMWARE / "apps")}
    for name in target.apps:
        if name not in files:
            raise KitError(
                f"target `{target.name}` names the app `{name}`", hint=f"apps: {', '.join(files)}"
            )
    return [files[name] for name in target.apps] if target.apps else list(files.values())


def c_tests(with_model: bool) -> list[Path]:
    """Test programs tests/c/test_*.c; without a model, those that need none."""
    return [
        path for path in sorted(C_TESTS.glob("test_*.c")) if with_model or not _names_model(path)
    ]


def firmware_id(target: Target, toolchain: Toolchain) -> str:
    """12 hex digits that change with any firmware source or any setting it is built with."""
    settings = repr((target, toolchain)).encode()
    return hashlib.sha256(settings + _all_sources()).hexdigest()[:12]


@functools.cache
def _all_sources() -> bytes:
    """Names and contents of all firmware sources."""
    parts = []
    for path in sorted(FIRMWARE.rglob("*.[chS]")):
        content = path.read_bytes()
        parts += [f"{path.relative_to(FIRMWARE)} {len(content)}\n".encode(), content]
    return b"".join(parts)


@functools.cache
def _names_model(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(f'#include "{header}"' in text for header in _MODEL_HEADERS)
