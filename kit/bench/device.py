"""Time of a frame by region on a phone or board: the target's program `profile`, run there."""

import dataclasses
from collections.abc import Mapping

from kit.bench.model import Subject
from kit.bench.program import build_program
from kit.device.vitals import DISTURBED
from kit.devtest.parallel import run_on
from kit.devtest.protocol import Report
from kit.errors import DeviceError, KitError
from kit.runner import Runner

KIND = "measured time on the device"


@dataclasses.dataclass(frozen=True)
class Times:
    """A frame's cost by region, us: {"p50": .., "p99": .., "max": ..} of `frames` frames.

    boot: the program's first line. before, after: the device's state around the run. disturbed:
    why the times are invalid; empty where nothing says so.
    """

    boot: Mapping[str, str]
    frames: int
    regions: Mapping[str, Mapping[str, float]]
    before: Mapping[str, str]
    after: Mapping[str, str]
    disturbed: str


def measure_on(runner: Runner, subject: Subject, isa: str | None) -> Times:
    """Build the program with probes and run it on a device. Raises KitError where that cannot be,
    and where time means nothing."""
    if runner.capabilities.emulated:
        raise KitError(
            f"`{runner.name}` is emulated: its times mean nothing",
            hint="count instructions instead: ./tools/percepnet profile --target mps3_an547",
        )
    runner.check()
    program = build_program(runner.target, subject)
    run = run_on(runner, program, settings={"PN_FORCE_ISA": isa} if isa else {})
    if run.error:
        raise run.error
    return Times(
        boot=run.report.boot,
        frames=run.report.benches[0].frames,
        regions=_regions(run.report),
        before=run.before,
        after=run.after,
        disturbed=run.before.get(DISTURBED, "") or run.after.get(DISTURBED, ""),
    )


def _regions(report: Report) -> dict[str, dict[str, float]]:
    try:
        return {
            bench.name: {
                mark: int(bench.figures[f"{mark}_ns"]) / 1000 for mark in ("p50", "p99", "max")
            }
            for bench in report.benches
        }
    except KeyError as missing:
        raise DeviceError(f"the report of `profile` lacks {missing}") from missing
