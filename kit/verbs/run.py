"""`run`: test programs on a target or devices, and the verdict."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from kit import console
from kit.device import load_devices
from kit.devtest.outcome import Outcome, outcome_of
from kit.devtest.parallel import Run, run_on_all
from kit.errors import DeviceError
from kit.measure import read_sizes
from kit.runner import Runner
from kit.target import load_target
from kit.verbs._device import borrow, choose, fleet_option
from kit.verbs._isa import isa_option, isa_settings
from kit.verbs._report import Reports, report_options, require_passed, show

ALL = "all"
TESTS = ("selftest", "bench")
SOAK = "soak"
PACED_SECONDS = 20  # of the benchmark: frames, then packets
_UNITS_S = {"s": 1, "m": 60, "h": 3600}
_LONGEST_S = 999999


class Duration(click.ParamType):
    """`90s`, `10m`, `2h`: whole seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = re.fullmatch(r"([0-9]{1,6})([smh])", str(value))
        seconds = int(match[1]) * _UNITS_S[match[2]] if match else 0
        if not 1 <= seconds <= _LONGEST_S:
            self.fail(f"`{value}` is no duration: say e.g. 90s, 10m or 2h", param, ctx)
        return seconds


@click.command(
    epilog="Examples: ./tools/percepnet run --target mps3_an547; "
    "./tools/percepnet run --device pixel --device pi --html report.html; "
    "./tools/percepnet run --device all --soak 10m; "
    "./tools/percepnet run --device pixel --cluster little --compare yesterday.json",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("app", default="")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--device",
    "device_names",
    multiple=True,
    help="A device of the map (`devices`), or `all`; more than one run at the same time.",
)
@click.option("--target", "target_name", help="This target, or its only device.")
@fleet_option
@isa_option
@click.option(
    "--cluster", "--pin", help="Pin the program to this cluster of cores (`devices show`)."
)
@click.option("--model", default="", help="A .tflite file instead of the target's own model.")
@click.option(
    "--soak",
    "soak_s",
    type=Duration(),
    help="Frames for this long, e.g. 10m: same bytes, and at which cost, second by second.",
)
@report_options
def command(
    app: str,
    arguments: tuple[str, ...],
    device_names: tuple[str, ...],
    target_name: str | None,
    place: str | None,
    isa: str | None,
    cluster: str | None,
    model: str,
    soak_s: int | None,
    reports: Reports,
) -> None:
    """Test a target or devices: the self-test and the benchmark, held against the target's budgets.

    With APP, that program alone; ARGUMENTS go to it. The verdict is pass, FAIL, or invalid: times
    were taken on a device that throttled, or that others disturbed. The exit code is 0 for pass, 1
    for the others, 2 when a device could not be used.
    """
    if app.startswith("-"):
        raise click.NoSuchOption(app, ctx=click.get_current_context())
    if app and soak_s:
        raise click.UsageError(
            f"--soak has a program of its own: leave out `{app}`", click.get_current_context()
        )
    apps = (app,) if app else (SOAK,) if soak_s else TESTS
    if place:
        runners = [borrow(place, "".join(device_names), target_name)]
    else:
        runners = _runners(device_names, target_name)
    if cluster:
        for runner in runners:
            runner.pin(cluster)
    settings = {**isa_settings(isa), **({"PN_ROUNDS": str(soak_s)} if soak_s else {})}
    with _progress(runners, apps, soak_s) as told:
        runs = run_on_all(runners, apps, arguments, model, settings, told)
    outcomes = [_outcome(run, not model) for run in runs]
    for outcome in outcomes:
        if outcome:
            show(outcome, reports.compare(outcome))
    reports.write(runs, outcomes)
    if len(runs) > 1:
        rows = [_row(run, outcome) for run, outcome in zip(runs, outcomes, strict=True)]
        console.table(["device", "verdict", "tests", "s"], rows)
    require_passed(runs, outcomes)


def _runners(device_names: Sequence[str], target_name: str | None) -> list[Runner]:
    if ALL in device_names:
        device_names = list(load_devices())
        if not device_names:
            raise DeviceError(
                "the device map is empty", hint="see: ./tools/percepnet devices detect"
            )
    names = list(dict.fromkeys(device_names))
    return [choose(name, target_name) for name in names or [None]]


@contextmanager
def _progress(
    runners: Sequence[Runner], apps: Sequence[str], soak_s: int | None
) -> Iterator[Callable[[str], None]]:
    """A bar that moves with each second of sound that a device is through with."""
    paced = sum(runner.capabilities.realtime for runner in runners)
    seconds = len(runners) * soak_s if soak_s else paced * PACED_SECONDS
    with console.progress(" and ".join(apps), max(1, seconds)) as bar:
        yield lambda line: bar.advance(bar.task_ids[0], line.startswith("PN_ROUND "))


def _outcome(run: Run, own_model: bool) -> Outcome | None:
    if not run.report:
        return None
    target = load_target(run.target)
    return outcome_of(run, target, read_sizes(target), own_model=own_model)


def _row(run: Run, outcome: Outcome | None) -> list[Any]:
    verdict = outcome.verdict.word if outcome else run.error.message
    tests = len(run.report.tests) if run.report else 0
    return [run.where, verdict, tests, round(run.seconds, 1)]
