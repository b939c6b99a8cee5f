"""The Android NDK: where it is, which one it is, and what compiles for Android without it."""

import dataclasses
import os
import re
from pathlib import Path

from kit.errors import TargetError
from kit.target.schema import Toolchain

# Names the NDK's folder; the option --ndk sets it.
FOLDER_VARIABLE = "ANDROID_NDK_HOME"
OLDEST, NEWEST = 23, 29
_KNOWN = f"r{OLDEST} to r{NEWEST}"


@dataclasses.dataclass(frozen=True)
class Ndk:
    """An NDK: the folder of its compiler, and its revision, e.g. "27.0.12077973"."""

    programs: Path
    revision: str


def find_ndk() -> Ndk | None:
    """The NDK that ANDROID_NDK_HOME names, None where it names none.

    Raises TargetError for a folder that is no NDK, and for an NDK of an unknown revision.
    """
    named = os.environ.get(FOLDER_VARIABLE, "")
    return open_ndk(Path(named)) if named else None


def open_ndk(folder: Path) -> Ndk:
    """The NDK in a folder. Raises TargetError as find_ndk does."""
    return Ndk(_programs(folder), _revision(folder))


def choose_compiler(toolchain: Toolchain) -> Toolchain:
    """The toolchain as it is used here: the NDK's programs, or those that stand in without one."""
    other = toolchain.without_ndk
    if other is None:
        return toolchain
    ndk = find_ndk()
    if ndk:
        return dataclasses.replace(
            toolchain,
            description=f"Clang of the Android NDK {ndk.revision}",
            home=str(ndk.programs),
            without_ndk=None,
        )
    return dataclasses.replace(
        toolchain,
        cc=other.cc,
        ar=other.ar,
        objcopy=other.objcopy,
        packages=(*toolchain.packages, *other.packages),
        cflags=(*toolchain.cflags, *other.cflags),
        ldflags=(*toolchain.ldflags, *other.ldflags),
    )


def _revision(folder: Path) -> str:
    """The revision in source.properties."""
    properties = folder / "source.properties"
    text = properties.read_text(encoding="utf-8") if properties.is_file() else ""
    found = re.search(r"^Pkg\.Revision\s*=\s*((\d+)[\d.]*)", text, re.MULTILINE)
    if not found:
        raise TargetError(
            f"`{folder}` is not an Android NDK: it has no source.properties with Pkg.Revision",
            hint=f"{FOLDER_VARIABLE} or --ndk is the folder that holds `toolchains`; "
            "without them clang-19 builds",
        )
    if not OLDEST <= int(found[2]) <= NEWEST:
        raise TargetError(
            f"the Android NDK in `{folder}` is r{found[2]}; {_KNOWN} are known to work",
            hint="install another: sdkmanager 'ndk;27.0.12077973'; "
            f"then: export {FOLDER_VARIABLE}=FOLDER",
        )
    return found[1]


def _programs(folder: Path) -> Path:
    """The folder of its compiler, which is called after the computer that it is for."""
    found = sorted(folder.glob("toolchains/llvm/prebuilt/*/bin/clang"))
    if not found:
        raise TargetError(
            f"`{folder}` is not an Android NDK: it has no toolchains/llvm/prebuilt/*/bin/clang",
            hint=f"{FOLDER_VARIABLE} or --ndk is the folder that holds `toolchains`; "
            "without them clang-19 builds",
        )
    return found[0].parent
