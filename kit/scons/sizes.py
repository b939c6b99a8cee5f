"""Size report: what programs take, by section and memory region, read from ELF files."""

import dataclasses
import json
import struct
from pathlib import Path
from typing import Any

from SCons.Script import Action, Environment

from kit import console
from kit.files import write_atomically
from kit.target import Target, load_target

_SHT_NOBITS, _SHF_WRITE, _SHF_ALLOC, _PT_LOAD = 8, 1, 2, 1


@dataclasses.dataclass(frozen=True)
class Section:
    """One section that takes memory at run time; sizes in bytes."""

    name: str
    kind: str  # text, data or bss
    size: int


@dataclasses.dataclass(frozen=True)
class Segment:
    """One loaded piece: the addresses where it runs and is stored, bytes running and stored."""

    address: int
    load_address: int
    stored: int
    size: int


def read_elf(content: bytes) -> tuple[list[Section], list[Segment]]:
    """Sections and segments of a little-endian ELF file, 32 or 64 bit."""
    wide = content[4] == 2
    header = struct.unpack_from("<QQQIHHHHHH" if wide else "<IIIIHHHHHH", content, 24)
    _, ph_offset, sh_offset, _, _, ph_size, ph_count, sh_size, sh_count, names_index = header
    rows = [
        struct.unpack_from("<IIQQQQ" if wide else "<IIIIII", content, sh_offset + i * sh_size)
        for i in range(sh_count)
    ]
    names = content[rows[names_index][4] :]
    sections = [
        Section(names[name : names.index(b"\0", name)].decode(), _kind(kind, flags), size)
        for name, kind, flags, _, _, size in rows
        if flags & _SHF_ALLOC and size
    ]
    segments = []
    for i in range(ph_count):
        row = struct.unpack_from(
            "<IIQQQQQ" if wide else "<IIIIIII", content, ph_offset + i * ph_size
        )
        address, load_address, stored, size = row[3:7] if wide else row[2:6]
        if row[0] == _PT_LOAD:
            segments.append(Segment(address, load_address, stored, size))
    return sections, segments


def _kind(section_type: int, flags: int) -> str:
    if section_type == _SHT_NOBITS:
        return "bss"
    return "data" if flags & _SHF_WRITE else "text"


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
        f"#{env['BUILD_FOLDER']}/size.json", programs, Action(write, "  size  $TARGET")
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
