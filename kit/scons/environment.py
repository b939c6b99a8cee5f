"""SCons environments: one per target and variant, every flag of it from TOML."""

import os
import re
from collections.abc import Mapping, Sequence

from SCons.Script import Environment

from kit import process
from kit.paths import BUILD, FIRMWARE, ROOT
from kit.scons import session
from kit.scons.sources import INCLUDE_FOLDERS, port_folders
from kit.target import Target, Toolchain

RELEASE = "release"
PROFILE = "profile"
FUZZ = "fuzz"
COMMAND_TIMEOUT_S = 900.0


def build_folder(target: Target, below: str) -> str:
    """Where a target's build lives, as SCons names it: from the checkout where it is inside."""
    folder = BUILD / below / target.name
    return f"#{folder.relative_to(ROOT)}" if folder.is_relative_to(ROOT) else str(folder)


def make_environment(
    target: Target, toolchain: Toolchain, variant_name: str, folder: str, verbose: bool
) -> Environment:
    """The environment of one variant; `folder` is build_folder's and in it as BUILD_FOLDER.

    Raises KitError when the compiler is missing.
    """
    variant = toolchain.variants[variant_name]
    compiler, archiver = toolchain.program(toolchain.cc), toolchain.program(toolchain.ar)
    linker = toolchain.link or compiler
    for tool in (compiler, archiver, linker):
        process.find_program(tool)
    includes = [f"#firmware_src/{name}" for name in INCLUDE_FOLDERS]
    includes += [f"#{path.relative_to(ROOT)}" for path in port_folders(target)]
    cpu_flags = (*_android_flags(target, toolchain), *target.cpu_flags)
    env = Environment(
        tools=["cc", "gnulink", "ar"],
        ENV={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        SPAWN=_spawn,
        ESCAPE=lambda word: word,
        CC=compiler,
        AR=archiver,
        LINK=linker,
        ARFLAGS=["rcsD"],
        RANLIBCOM="",
        BUILD_FOLDER=folder,
        CPPPATH=[f"{folder}/gen", *includes],
        CPPDEFINES=_port_defines(target) | dict(target.defines),
        CCFLAGS=_flags(
            toolchain.common_cflags,
            toolchain.cflags,
            cpu_flags,
            target.tune_flags,
            variant.cflags,
        ),
        LINKFLAGS=_flags(toolchain.common_ldflags, toolchain.ldflags, cpu_flags, variant.ldflags),
        LIBS=list(toolchain.libs),
        STATIC_AND_SHARED_OBJECTS_ARE_THE_SAME=1,
    )
    if not verbose:
        env.Replace(
            CCCOMSTR="  cc    $TARGET",
            ARCOMSTR="  ar    $TARGET",
            LINKCOMSTR="  link  $TARGET",
            SHLINKCOMSTR="  link  $TARGET",
            STRIPCOMSTR="  strip $TARGET",
        )
    return env


def _spawn(
    _shell: str, _escape: object, _program: str, args: Sequence[str], env: Mapping[str, str]
) -> int:
    """Run a command as SCons asks for it, but without a shell."""
    done = process.run(args, timeout_s=COMMAND_TIMEOUT_S, env=env, capture=False, check=False)
    if done.returncode < 0:
        session.distrust()
    return done.returncode


def _port_defines(target: Target) -> dict[str, str]:
    """What a port without an operating system takes from the target's description."""
    if not target.memory:
        return {}
    return {
        "PN_PORT_CLOCK_HZ": f"{target.clock_hz}u",
        "PN_PORT_BAUD": f"{target.console.baud if target.console else 0}u",
        "PN_PORT_SEMIHOSTING": "1" if target.emulator else "0",
        "PN_PORT_COUNTS_INSTRUCTIONS": "1" if target.counts_instructions else "0",
    }


def _android_flags(target: Target, toolchain: Toolchain) -> tuple[str, ...]:
    """What Android's clang compiles for."""
    android = target.android
    return (f"--target={android.triple}{android.api}",) if toolchain.android else ()


def _flags(*groups: tuple[str, ...]) -> list[str]:
    """Flags with the folders of this checkout; those that name one change nothing built."""
    folders = {"{root}": str(ROOT), "{build}": str(BUILD)}
    flags = []
    for flag in (flag for group in groups for flag in group):
        whole = re.sub(r"{root}|{build}", lambda found: folders[found[0]], flag)
        flags += [whole] if whole == flag else ["$(", whole, "$)"]
    return flags


def command_by_full_name(env: Environment) -> str:
    """The command that compiles sources of the build folder, which may be anywhere.

    Of a main file that a prefix map renames GCC writes other line tables than of one that it does
    not, so they are named in full wherever that is. The name changes nothing built.
    """
    return env["CCCOM"].replace("$SOURCES", "$( ${SOURCES.abspath} $)")


def object_name(path: os.PathLike[str]) -> str:
    """Path of a source's object below its variant's folder; it says where the source is."""
    full = os.fspath(path)
    base = os.fspath(FIRMWARE if full.startswith(os.fspath(FIRMWARE)) else ROOT)
    return os.path.splitext(os.path.relpath(full, base))[0] + ".o"
