"""How a target's own C files are compiled, and ways to put the compiler to another use."""

import dataclasses
import json
import shlex
from pathlib import Path

from kit import process
from kit.build import build
from kit.paths import BUILD, FIRMWARE, ROOT

COMPILE_TIMEOUT_S = 600.0
_RELEASE_OBJECTS = "obj"


@dataclasses.dataclass(frozen=True)
class Compiled:
    """One file, its object, and the words of its compiler's command, without output and file."""

    source: Path
    object: Path
    words: tuple[str, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """The words but the compiler's name."""
        return self.words[1:]

    def again(self, *more: str, output: Path) -> process.Result:
        """Compile once more with more flags; what the compiler says is in the result."""
        command = [*self.words, *more, "-c", "-o", output, self.source]
        return process.run(command, cwd=ROOT, timeout_s=COMPILE_TIMEOUT_S, check=False)


def compiled(target: str) -> list[Compiled]:
    """The firmware's files in a target's release build, generated ones left out; builds it."""
    return [file for file in all_compiled(target) if file.source.is_relative_to(FIRMWARE)]


def all_compiled(target: str) -> list[Compiled]:
    """All files in a target's release build; builds it."""
    build(target)
    folder = BUILD / target
    entries = json.loads((folder / "compile_commands.json").read_text())
    found = [
        Compiled(
            ROOT / entry["file"],
            ROOT / entry["output"],
            _without_output(shlex.split(entry["command"])),
        )
        for entry in entries
        if Path(entry["output"]).is_relative_to((folder / _RELEASE_OBJECTS).relative_to(ROOT))
    ]
    assert found, f"{target}: no file of the firmware in compile_commands.json"
    return found


def _without_output(words: list[str]) -> tuple[str, ...]:
    """The command of SCons ends with `-o OUTPUT -c FLAGS SOURCE`, in its own order."""
    words = words[:-1]
    at = words.index("-o")
    del words[at : at + 2]
    words.remove("-c")
    return tuple(words)
