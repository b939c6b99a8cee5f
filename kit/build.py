"""Asking SCons for what a target needs, and finding what it made."""

import sys
from pathlib import Path

from kit import packages, process
from kit.errors import KitError
from kit.paths import BUILD, ROOT
from kit.target import Target, load_target, load_toolchain

HOST_TARGET = "host_x86_64"
HOST_LIBRARY = "host-lib"
HOST_JNI = "host-jni"
BUILD_TIMEOUT_S = 1800.0
# In the place of a model: what takes none, the network left out.
NO_MODEL = "none"
_PREFIXES = ("test-", "profile-", "trials-", "fuzz-")


def build(goal: str, model: str = "", show: bool = False, below: str = "") -> None:
    """Bring a SCons alias up to date: a target's name, `test-NAME`, `profile-NAME`, `trials-NAME`,
    `fuzz-NAME`, HOST_LIBRARY or HOST_JNI.

    model: a .tflite file instead of the target's own, or `none`. show lets SCons' own output
    through. below: a folder of BUILD to build in. Raises KitError for missing packages, or with
    what the compiler or linker said.
    """
    _ensure_packages(goal)
    command = [sys.executable, "-m", "SCons", "-Q", goal]
    if below:
        command.append(f"below={below}")
    if model:
        command.append(f"model={model if model == NO_MODEL else Path(model).resolve()}")
    done = process.run(command, cwd=ROOT, timeout_s=BUILD_TIMEOUT_S, capture=not show, check=False)
    if done.returncode != 0:
        said = "" if show else (done.stdout + done.stderr).decode(errors="replace").strip()
        raise KitError(f"building `{goal}` failed", hint=said)


def target_of(goal: str) -> str:
    """The target's name in a goal NAME, test-NAME, profile-NAME, trials-NAME or fuzz-NAME."""
    for prefix in _PREFIXES:
        goal = goal.removeprefix(prefix)
    return goal


def _ensure_packages(goal: str) -> None:
    """Have the compiler and emulator that a goal takes."""
    if goal == HOST_JNI:
        packages.ensure_jdk()
    target = load_target(HOST_TARGET if goal in (HOST_LIBRARY, HOST_JNI) else target_of(goal))
    packages.ensure(target, load_toolchain(target.toolchain))


def program_path(target: Target, app: str) -> Path:
    """Where a target's program is, or would be in a dry run.

    Raises KitError, naming those that exist, without one.
    """
    folder = BUILD / target.name
    path = folder / (app + target.program_suffix)
    if not path.is_file() and not process.dry_run:
        sources = sorted(p.stem for p in (ROOT / "firmware_src" / "apps").glob("*.c"))
        known = [name for name in sources if (folder / (name + target.program_suffix)).is_file()]
        built = ", ".join(known) or "none is built"
        raise KitError(f"target `{target.name}` has no program `{app}`", hint=f"programs: {built}")
    return path
