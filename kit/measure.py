"""Figures of a target: a program's report, the cost of a frame by stage, sizes, and the budgets."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from kit.devtest.protocol import Report, read_report
from kit.errors import DeviceError, KitError
from kit.paths import BUILD
from kit.report.facts import BUILT, COUNTED, MEASURED, TOLD, Bar, Budget
from kit.runner import Runner, make_runner, open_session
from kit.target import Target

UNITS = {"instr": "instructions", "ns": "ns"}
SIZE_OF_APP = "denoise_stream"
BURST, PACED = "burst", "paced"


@dataclasses.dataclass(frozen=True)
class Costs:
    """A frame's cost: `stages` by name and their sum's twin `frame`, medians; `worst` frame.

    unit: "instructions" on emulators, else "ns".
    """

    unit: str
    stages: tuple[Bar, ...]
    frame: int
    worst: int


def run_app(
    where: Target | Runner,
    app: str,
    settings: Mapping[str, str] | None = None,
    rebuild: bool = True,
) -> Report:
    """Run a program on its target to the end. Raises KitError when anything about that fails."""
    with open_session(where, app, settings=settings, rebuild=rebuild) as session:
        return read_report(session.lines(), session.run_id)


def measure_costs(where: Target | Runner, isa: str | None = None) -> tuple[Report, Costs]:
    """Run the built program `bench` on a target. Raises KitError where time means nothing."""
    runner = where if isinstance(where, Runner) else make_runner(where)
    report = run_app(runner, "bench", {"PN_FORCE_ISA": isa} if isa else {}, rebuild=False)
    costs = costs_of(report)
    if costs.unit == UNITS["ns"] and runner.capabilities.emulated:
        raise KitError(
            f"`{runner.name}` is emulated and counts no instructions: its times mean nothing",
            hint="measure on a device, or count instructions: "
            "./tools/percepnet bench --target mps3_an547",
        )
    return report, costs


def costs_of(report: Report) -> Costs:
    """What the program `bench` measured. Raises DeviceError where figures are missing."""
    found = {bench.name: bench.figures for bench in report.benches if bench.mode == BURST}
    try:
        unit = next(key for key in UNITS if f"p50_{key}" in found["frame"])
        median = {name: int(figures[f"p50_{unit}"]) for name, figures in found.items()}
        worst = int(found["frame"][f"max_{unit}"])
        inside = median["pitch"] + median["comb"]
        stages = (
            Bar("transforms, features", max(0, median["analyse"] - inside)),
            Bar("pitch", median["pitch"]),
            Bar("comb filter", median["comb"]),
            Bar("network", median["network"]),
            Bar("gains, synthesis", median["synthesise"]),
        )
    except (KeyError, StopIteration) as missing:
        raise DeviceError(f"the report of `bench` lacks {missing}") from missing
    except ValueError as broken:
        raise DeviceError(f"the report of `bench` has a figure that is none: {broken}") from broken
    return Costs(UNITS[unit], stages, median["frame"], worst)


def memory_of(report: Report) -> dict[str, int]:
    """Bytes of a state and of the most stack used, as programs said; stack 0 if not measured."""
    if told := report.records("PN_MEMORY"):
        return {key: max(record.number(key) for record in told) for key in ("state", "stack")}
    raise DeviceError("the program said nothing about its memory (`PN_MEMORY`)")


def read_sizes(target: Target) -> Mapping[str, Any]:
    """The size report of the program that denoises streams, as the build wrote it."""
    report = json.loads((BUILD / target.name / "size.json").read_text(encoding="utf-8"))
    return report[SIZE_OF_APP]


def section_bars(sizes: Mapping[str, Any], most: int = 6) -> tuple[Bar, ...]:
    """The largest sections, in bytes."""
    bars = [Bar(name, size) for name, size in sizes["sections"].items()]
    return tuple(sorted(bars, key=lambda bar: -bar.value)[:most])


def _ram_in_all(memory: Mapping[str, int], sizes: Mapping[str, Any]) -> int:
    """What is written: data, bss with the state, and the stack as far as it was used."""
    return sizes["data"] + sizes["bss"] - sizes["sections"].get(".stack", 0) + memory["stack"]


@dataclasses.dataclass(frozen=True)
class Paced:
    """Frames at the product's pace. core_percent: of one core; preempted: calls during which others
    had the processor; late_us: of the call that began latest."""

    frames: int
    core_percent: float
    p999_us: float
    missed: int
    preempted: int
    late_us: float


def paced_of(report: Report) -> Paced | None:
    """The paced frames of a report; None where there are none. Raises DeviceError for nonsense."""
    for bench in report.benches:
        if (bench.name, bench.mode) == ("frame", PACED):
            keys = ("mean_ns", "period_ns", "p999_ns", "missed", "preempted", "late_max_ns")
            mean, period, p999, missed, preempted, late = (bench.number(key) for key in keys)
            if period <= 0:
                raise DeviceError(f"paced frames have `period_ns={period}`")
            share = round(100 * mean / period, 3)
            return Paced(bench.frames, share, p999 / 1000, missed, preempted, late / 1000)
    return None


def check_budgets(
    target: Target,
    costs: Costs | None,
    memory: Mapping[str, int],
    sizes: Mapping[str, Any] | None,
    paced: Paced | None = None,
) -> tuple[Budget, ...]:
    """The target's budgets and memory regions against what was measured.

    Budgets of figures that were not measured are left out; sizes is None where they were not read.
    """
    counted = costs is not None and costs.unit == "instructions"
    measured = {
        "core_percent": (paced and paced.core_percent, "% of a core", MEASURED),
        "p999_us": (paced and paced.p999_us, "us", MEASURED),
        "missed": (paced and paced.missed, "frames", MEASURED),
        "frame_instructions": (costs.worst if counted else None, "instructions", COUNTED),
        "state_bytes": (memory["state"], "bytes", TOLD),
        "stack_bytes": (memory["stack"] or None, "bytes", TOLD),
    }
    if sizes:
        measured |= {
            "text_bytes": (sizes["text"], "bytes", BUILT),
            "flash_bytes": (sizes["text"] + sizes["data"], "bytes", BUILT),
            "ram_bytes": (
                _ram_in_all(memory, sizes) if memory["stack"] else None,
                "bytes",
                TOLD,
            ),
        }
    budgets = []
    for name, limit in target.budgets.limits().items():
        value, unit, kind = measured.get(name, (None, "", ""))
        if value is not None:
            budgets.append(Budget(name.replace("_", " "), value, limit, unit, kind))
    for name, use in (sizes["regions"] if sizes else {}).items():
        budgets.append(Budget(f"memory region {name}", use["used"], use["size"], "bytes", BUILT))
    return tuple(budgets)
