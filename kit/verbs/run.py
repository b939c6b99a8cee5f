"""`run`: a test program on a target or devices, and its verdict."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from kit import console
from kit.device import load_devices
from kit.device.vitals import DISTURBED
from kit.devtest.parallel import Run, run_on_all
from kit.errors import CheckFailed, DeviceError
from kit.files import write_atomically
from kit.runner import Runner
from kit.verbs._device import choose
from kit.verbs._isa import isa_option, isa_settings

ALL = "all"


@click.command(
    epilog="Examples: ./tools/percepnet run --target mps3_an547; "
    "./tools/percepnet run --device pixel --device pi; ./tools/percepnet run --device all",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("app", default="selftest")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--device",
    "device_names",
    multiple=True,
    help="A device of the map (`devices`), or `all`; more than one run at the same time.",
)
@click.option("--target", "target_name", help="This target, or its only device.")
@isa_option
@click.option("--cluster", help="Pin the program to this cluster of cores (`devices show`).")
@click.option("--model", default="", help="A .tflite file instead of the target's own model.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the results here."
)
def command(
    app: str,
    arguments: tuple[str, ...],
    device_names: tuple[str, ...],
    target_name: str | None,
    isa: str | None,
    cluster: str | None,
    model: str,
    json_path: Path | None,
) -> None:
    """Build APP (the self-test by default), run it on a target or devices and show its tests and
    measurements.

    ARGUMENTS go to the program. The exit code is 1 when a check failed, 2 when a device could not
    be used.
    """
    runners = _runners(device_names, target_name)
    if cluster:
        for runner in runners:
            runner.pin(cluster)
    runs = run_on_all(runners, app, arguments, model, isa_settings(isa))
    for run in runs:
        if run.report:
            _show(run)
    if json_path:
        _write_json(json_path, app, runs)
    if len(runs) > 1:
        console.table(["device", "verdict", "tests", "s"], [_row(run) for run in runs])
    _require_passed(app, runs)


def _runners(device_names: Sequence[str], target_name: str | None) -> list[Runner]:
    if ALL in device_names:
        device_names = list(load_devices())
        if not device_names:
            raise DeviceError(
                "the device map is empty", hint="see: ./tools/percepnet devices detect"
            )
    names = list(dict.fromkeys(device_names))
    return [choose(name, target_name) for name in names or [None]]


def _require_passed(app: str, runs: Sequence[Run]) -> None:
    """Say what passed. Raise what was wrong: first devices that could not be used."""
    for run in runs:
        if run.passed:
            console.info(f"{app} on {run.where}: {len(run.report.tests)} tests passed")
    broken = [run for run in runs if run.error]
    if len(broken) == 1:
        raise broken[0].error
    if broken:
        lines = "\n".join(f"{run.where}: {run.error}" for run in broken)
        raise DeviceError(f"{len(broken)} of {len(runs)} devices could not be used", hint=lines)
    for run in runs:
        if not run.passed:
            raise CheckFailed(
                f"`{app}` on {run.where}: {run.report.bad} checks are bad, "
                f"exit code {run.exit_code}"
            )


def _row(run: Run) -> list[Any]:
    verdict = "passed" if run.passed else "FAILED" if run.report else run.error.message
    tests = len(run.report.tests) if run.report else 0
    return [run.where, verdict, tests, round(run.seconds, 1)]


def _show(run: Run) -> None:
    report = run.report
    console.note(" ".join(f"{key}={value}" for key, value in report.boot.items()))
    if report.tests:
        rows = [[t.name, t.result, _pairs(t.details)] for t in report.tests]
        console.table(["test", "result", ""], rows)
    if report.benches:
        rows = [[b.name, b.mode, b.frames, _pairs(b.figures)] for b in report.benches]
        console.table(["measurement", "mode", "n", ""], rows)
        if disturbed := run.before.get(DISTURBED) or run.after.get(DISTURBED):
            console.note(f"{run.where}: times are invalid: {disturbed}")


def _write_json(path: Path, app: str, runs: Sequence[Run]) -> None:
    """One run as an object, several as a list of them."""
    facts = [_facts(app, run) for run in runs]
    content = facts[0] if len(facts) == 1 else facts
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


def _facts(app: str, run: Run) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "device": run.where,
        "target": run.target,
        "app": app,
        "passed": run.passed,
        "before": run.before,
        "after": run.after,
    }
    if run.error:
        facts["error"] = run.error.message
    return facts | (dataclasses.asdict(run.report) if run.report else {})


def _pairs(fields: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in fields.items())
