"""One run of SCons: its targets, one build at a time, and mistakes told as everywhere."""

import atexit
import contextlib
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from kit import console
from kit.build import target_of
from kit.errors import KitError
from kit.lock import LOCK_NAME, acquire_build_lock
from kit.paths import BUILD
from kit.target import load_target, target_names

# The alias of every target, and aliases of files of one.
ALL = "all"
HOST = "host_x86_64"
HOST_GOALS = ("host-lib", "host-jni")
SIGNATURES = ".sconsign"

HELP = """
scons NAME            libraries, programs and sizes of a target; scons all: of every target
scons NAME+TOOLCHAIN  the same by another compiler, in a folder of its own
scons test-NAME       C tests, built and run on the target or its emulator
scons profile-NAME    the program with probes that tell the cost of each stage and layer
scons trials-NAME     programs that look for undefined behaviour, in all variants
scons fuzz-NAME       programs that guess inputs, where the toolchain has libFuzzer
scons host-lib        the library that Python loads; host-jni: the one that Java loads
scons -c NAME         removes what was built for a target; scons -c: for every target
scons -h              this text; -j N: N jobs (as many as there are processors when left out)

Names are those of `./tools/percepnet targets`. Each target's folder has its
compile_commands.json and size.json. Options, as name=value:
"""

# Below BUILD while SCons works there, and longer where it was killed.
_UNDERWAY = ".underway"

# Held open until the process ends: closing the file releases the lock.
_lock: TextIO | None = None


def take_build_lock() -> None:
    """Wait until no other SCons works in build/, and keep others out until this process ends."""
    global _lock
    _lock = acquire_build_lock()
    underway = BUILD / _UNDERWAY
    if underway.exists():
        # What a killed build wrote last may be half, or of other sources than SCons remembers.
        (BUILD / f"{SIGNATURES}.dblite").unlink(missing_ok=True)
    underway.touch()
    atexit.register(_end)


def distrust() -> None:
    """Let the next SCons build everything anew: a command of this one was killed."""
    atexit.unregister(_end)


def _end() -> None:
    (BUILD / _UNDERWAY).unlink(missing_ok=True)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Print a KitError as a person reads it and end SCons with its exit code."""
    try:
        yield
    except KitError as mistake:
        console.error(mistake.message, mistake.hint)
        sys.exit(mistake.exit_code)


def reject_unknown(arguments: Iterable[str], known: Iterable[str]) -> None:
    """Raise KitError for a NAME=value on SCons' command line that no option is called."""
    for name in set(arguments) - set(known):
        raise KitError(
            f"unknown option `{name}=`",
            hint=f"options: {', '.join(f'{k}=' for k in sorted(known))}",
        )


def chosen_targets(option: str, command_line: Sequence[str]) -> list[str]:
    """Targets of this run: of `target=`, and of the goals NAME, test-NAME, profile-NAME,
    trials-NAME, fuzz-NAME, HOST_GOALS and ALL. Goals that are paths, with a `/`, are left to SCons.

    Raises TargetError for any other goal.
    """
    chosen = target_names() if ALL in command_line else []
    for goal in command_line:
        if goal in HOST_GOALS:
            chosen.append(HOST)
        elif goal != ALL and "/" not in goal:
            chosen.append(load_target(target_of(goal)).name)
    chosen += [name.strip() for name in option.split(",") if name.strip()]
    return list(dict.fromkeys(chosen))


def are_targets(goals: Sequence[str], targets: Sequence[str]) -> bool:
    """Whether the goals ask for no more than whole targets."""
    return all(goal == ALL or goal in targets for goal in goals)


def build_folders(names: Sequence[str], below: str) -> list[str]:
    """Folders that exist of these targets; of all targets, by any compiler, without names."""
    base = BUILD / below
    known = target_names()
    folders = sorted(path for path in base.glob("*") if path.is_dir())
    return [
        str(path)
        for path in folders
        if (path.name in names if names else path.name.partition("+")[0] in known)
    ]


def forget_an_empty_build() -> None:
    """When this process ends: if no more than SCons' memory and our lock is left, remove them."""
    atexit.register(_forget)


def _forget() -> None:
    left = {path.name for path in BUILD.iterdir()}
    if left <= {LOCK_NAME, _UNDERWAY, f"{SIGNATURES}.dblite"}:
        shutil.rmtree(BUILD)
