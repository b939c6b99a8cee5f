"""Instructions of a frame under emulation by region (stage, layer) and function: exact, not time.

The target's program `profile` runs in its emulator with a plugin (tools/qemu_counts.c) that counts.
"""

import bisect
import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

from kit import process
from kit.bench import layers
from kit.bench.model import Subject
from kit.bench.program import build_program
from kit.devtest.protocol import Report, parse_line, read_report
from kit.elf import Symbol, read_symbols
from kit.errors import DeviceError, KitError, TargetError
from kit.files import scratch_folder
from kit.paths import BUILD, ROOT
from kit.runner import make_runner, start_program
from kit.target import Target

KIND = "instructions under emulation, not cycles or time of a real core"
FRAME = "frame"

_PLUGIN = ROOT / "tools" / "qemu_counts.c"
_FLAGS = ("-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
_COMPILE_TIMEOUT_S = 60.0


@dataclasses.dataclass(frozen=True)
class Counts:
    """Instructions per frame, mean of `frames`.

    regions: by region, in the order of a frame. functions: by region, then function, largest first.
    boot: the program's first line.
    """

    boot: Mapping[str, str]
    frames: int
    out_crc: str
    regions: Mapping[str, float]
    functions: Mapping[str, Mapping[str, float]]

    @property
    def frame(self) -> float:
        """Of all regions."""
        return sum(self.regions.values())

    def stages(self) -> dict[str, float]:
        """By stage, and `frame`."""
        return {**layers.by_stage(dict(self.regions)), FRAME: self.frame}


def can_count(target: Target) -> bool:
    """Whether an emulator that takes plugins stands in for the target."""
    return target.emulator is not None


def count(target: Target, subject: Subject, isa: str | None) -> Counts:
    """Build the program with probes and run it. Raises KitError where that cannot be."""
    if not can_count(target):
        raise KitError(f"`{target.name}` is not emulated: nothing there counts instructions")
    program = build_program(target, subject)
    symbols = read_symbols(program.read_bytes())
    with scratch_folder() as scratch:
        out = scratch / "counts"
        report = _run(target, program, _arguments(symbols, out), isa)
        if not out.is_file():
            raise DeviceError(
                f"`{target.emulator.program}` ran without its plugin",
                hint="QEMU 7.2 is needed: Debian's and Ubuntu's qemu-user and qemu-system-arm",
            )
        lines = out.read_text().splitlines()
    return _make_counts(report, symbols, lines)


def _run(target: Target, program: Path, plugin: str, isa: str | None) -> Report:
    emulator = target.emulator
    counting = dataclasses.replace(emulator, args=(*emulator.args, "-plugin", plugin))
    runner = make_runner(dataclasses.replace(target, emulator=counting))
    settings = {"PN_FORCE_ISA": isa} if isa else {}
    with start_program(runner, program, [], settings) as session:
        return read_report(session.lines(), session.run_id)


def _arguments(symbols: list[Symbol], out: Path) -> str:
    """The plugin and what it needs to know of a program."""
    found = {symbol.name: symbol for symbol in symbols}
    probe, place = found["pn_probe_enter"], found["pn_probe_place"]
    words = {
        "out": out,
        "from": f"{probe.address:#x}",
        "to": f"{probe.address + probe.size:#x}",
        "place": f"{place.address:#x}",
        "regions": place.size,
    }
    return ",".join([str(_plugin()), *(f"{key}={value}" for key, value in words.items())])


def _plugin() -> Path:
    """The plugin, compiled for this computer, once."""
    digest = hashlib.sha256(_PLUGIN.read_bytes() + " ".join(_FLAGS).encode()).hexdigest()[:16]
    library = BUILD / "bench" / f"qemu_counts-{digest}.so"
    if not library.exists():
        with scratch_folder(library.parent) as folder:
            fresh = folder / "plugin.so"
            command = ["gcc", *_FLAGS, str(_PLUGIN), "-o", str(fresh)]
            process.run(command, timeout_s=_COMPILE_TIMEOUT_S)
            fresh.replace(library)
    return library


def _make_counts(report: Report, symbols: list[Symbol], lines: list[str]) -> Counts:
    frames = _frames(report)
    names = [bench.name for bench in report.benches]
    functions = [symbol for symbol in symbols if symbol.is_function]
    starts = [symbol.address for symbol in functions]
    sums: dict[str, dict[str, int]] = {name: {} for name in names}
    for line in lines:
        region, address, instructions = line.split()
        place = bisect.bisect_right(starts, int(address, 16)) - 1
        function = functions[place].name if place >= 0 else "?"
        # Region 0 is outside, and the probes' own code is no part of a frame.
        if region != "0" and function != "pn_probe_enter":
            row = sums[names[int(region) - 1]]
            row[function] = row.get(function, 0) + int(instructions)
    ordered = {
        name: dict(sorted(((f, n / frames) for f, n in row.items()), key=lambda item: -item[1]))
        for name, row in sums.items()
    }
    regions = {name: sum(row.values()) for name, row in ordered.items()}
    crc = report.benches[0].figures["out_crc"]
    return Counts(report.boot, frames, crc, regions, ordered)


def _frames(report: Report) -> int:
    for line in report.remarks:
        if (record := parse_line(line)) and record.word == "PN_PROFILE":
            return record.number("frames")
    raise DeviceError("the program did not say how many frames it ran (`PN_PROFILE`)")


def check_limits(target: Target, counts: Counts, model: str) -> list[tuple[str, float, int]]:
    """(stage, measured, limit) for each limit that the target sets on a model and instruction set.

    Raises TargetError for a limit on a stage that a frame does not have.
    """
    limits = target.instructions.get(model, {}).get(counts.boot["isa"], {})
    stages = counts.stages()
    for stage in limits:
        if stage not in stages:
            raise TargetError(
                f"target `{target.name}` limits the instructions of `{stage}`",
                hint=f"stages: {', '.join(stages)}",
            )
    return [(stage, stages[stage], limit) for stage, limit in limits.items()]
