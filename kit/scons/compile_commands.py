"""compile_commands.json: how each object of a target is compiled, for editors and analysers.

SCons' own tool writes every target's file at every run, and asks for the commands of all targets
each time.
"""

import json
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit.files import write_atomically
from kit.paths import ROOT


def database(env: Environment, objects: list[Any]) -> Any:
    """The file of a target, written again when an object changes."""
    path = f"{env['BUILD_FOLDER']}/compile_commands.json"
    return env.Command(path, objects, Action(_write, "  json  $TARGET"))


def _write(target: list[Any], source: list[Any], env: Environment) -> int:
    entries = [_entry(node) for node in source]
    write_atomically(Path(target[0].abspath), (json.dumps(entries, indent=1) + "\n").encode())
    return 0


def _entry(node: Any) -> dict[str, str]:
    """How an object is compiled."""
    command = node.get_build_env().subst("$CCCOM", target=[node], source=node.sources)
    return {
        "directory": str(ROOT),
        "file": str(node.sources[0]),
        "command": command,
        "output": str(node),
    }
