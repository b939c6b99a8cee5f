"""Size report: what programs take, by section and memory region, read from ELF files."""

import json
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit import console
from kit.elf import Segment, read_elf
from kit.files import write_atomically
from kit.target import Target, load_target


def region_use(target: Target, segments: list[Segment]) -> dict[str, dict[str, int]]:
    """Bytes used and available by region; initialised data counts where stored and where run."""
    used = dict.fromkeys(target.memory, 0)
    for segment in segments:
        stored_in = _region(target, segment.load_address)
        runs_in = _region(target, segment.address)
        if runs_in == stored_in:
            used[runs_in] += segment.size
        else:
            used[stored_in] += segment.stored
            used[runs_in] += segment.size
    return {
        name: {"used": used[name], "size": memory.size} for name, memory in target.memory.items()
    }


def _region(target: Target, address: int) -> str:
    for name, memory in target.memory.items():
        if memory.origin <= address < memory.origin + memory.size:
            return name
    raise ValueError(f"{address:#x} is in no region of {target.name}")


def measure(target: Target, program: Path) -> dict[str, Any]:
    """text, data and bss in bytes, every section, and the use of each memory region."""
    sections, segments = read_elf(program.read_bytes())
    totals = {
        kind: sum(s.size for s in sections if s.kind == kind) for kind in ("text", "data", "bss")
    }
    return {
        **totals,
        "sections": {section.name: section.size for section in sections},
        "regions": region_use(target, segments) if target.memory else {},
    }


def report(env: Environment, target: Target, programs: list[Any]) -> Any:
    """size.json of a target's programs, and the same as a table on the terminal."""

    def write(target: list[Any], source: list[Any], env: Environment) -> int:
        described = load_target(name)
        measured = {Path(node.name).stem: measure(described, Path(node.abspath)) for node in source}
        write_atomically(
            Path(target[0].abspath),
            (json.dumps(measured, indent=1, sort_keys=True) + "\n").encode(),
        )
        _show(name, measured)
        return 0

    # SCons compares what a function has captured: a text stays the same from run to run.
    name = target.name
    return env.Command(
        f"{env['BUILD_FOLDER']}/size.json", programs, Action(write, "  size  $TARGET")
    )


def _show(name: str, measured: dict[str, Any]) -> None:
    regions = list(next(iter(measured.values()))["regions"])
    rows = []
    for program, size in measured.items():
        use = [
            f"{r['used'] / 1024:.1f} of {r['size'] // 1024} KiB" for r in size["regions"].values()
        ]
        rows.append([program, size["text"], size["data"], size["bss"], *use])
    console.table(
        ["program", "text", "data", "bss", *regions], rows, title=f"{name}: sizes in bytes"
    )
