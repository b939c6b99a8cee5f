"""Whether a target is up to date, told by the sizes and times of files alone.

SCons looks into every file of every target, which takes seconds for all of them. A stamp in a
target's folder says what its last complete build read and made; while none of that changed, SCons
is not asked. Whatever differs, SCons decides, by content.
"""

import functools
import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit.files import write_atomically
from kit.paths import BUILD, FIRMWARE, ROOT
from kit.scons.targetbuild import TargetBuild, find_model, shell_toolchain
from kit.target import load_target, load_toolchain

_STAMP = ".up_to_date"


def is_fresh(name: str, model: str, below: str) -> bool:
    """Whether the stamp of a target says what is there now."""
    try:
        stamp = json.loads((BUILD / below / name / _STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return False
    made = stamp["made"]
    return stamp["read"] == _read_state(name, model) and made == _states(map(Path, made))


def stamp(name: str, model: str, build: TargetBuild, everything: list[Any]) -> list[Any]:
    """The node that writes a target's stamp, after all else."""

    def write(target: list[Any], source: list[Any], env: Environment) -> int:
        made = _states(Path(node.abspath) for node in source)
        text = json.dumps({"read": env["READ"], "made": made}, sort_keys=True)
        write_atomically(Path(target[0].abspath), text.encode())
        return 0

    # As it was before anything was read: what changes meanwhile is found by the next run.
    read, env = _read_state(name, model), build.release
    nodes = env.Command(f"{build.folder}/{_STAMP}", everything, Action(write, None), READ=read)
    env.NoCache(nodes)
    return env.AlwaysBuild(nodes)


def _read_state(name: str, model: str) -> str:
    """Changes with whatever a build of the target reads: settings, sources, generators, tools."""
    target = load_target(name)
    toolchain = load_toolchain(target.toolchain)
    toolchains = (toolchain, shell_toolchain(target, toolchain))
    programs = [
        shutil.which(program)
        for used in toolchains
        for program in (used.program(used.cc), used.program(used.ar), used.link)
        if program
    ]
    files = [Path(program) for program in programs if program]
    files += [path for path in (find_model(target, model),) if path]
    state = repr((target, toolchains, programs, _states(files), _sources_state()))
    return hashlib.sha256(state.encode()).hexdigest()


@functools.cache
def _sources_state() -> str:
    """Of all firmware, all of the kit's code, and SConstruct."""
    files = [path for path in sorted(FIRMWARE.rglob("*")) if path.is_file()]
    return repr(_states([*files, *sorted((ROOT / "kit").rglob("*.py")), ROOT / "SConstruct"]))


def _states(paths: Iterable[Path]) -> dict[str, list[int]]:
    """Size and time of each file; what is missing has none."""
    states = {}
    for path in paths:
        try:
            found = path.stat()
        except FileNotFoundError:
            continue
        states[str(path)] = [found.st_size, found.st_mtime_ns]
    return states
