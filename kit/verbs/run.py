"""`run`: a test program on a target, and its verdict."""

import dataclasses
import json
from pathlib import Path

import click

from kit import console
from kit.devtest.protocol import Report, read_report
from kit.errors import CheckFailed
from kit.files import write_atomically
from kit.runner import open_session
from kit.verbs._device import choose, device_options
from kit.verbs._isa import isa_option, isa_settings


@click.command(
    epilog="Example: ./tools/percepnet run --target mps3_an547",
    context_settings={"ignore_unknown_options": True},
)
@click.argument("app", default="selftest")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@device_options
@isa_option
@click.option("--model", default="", help="A .tflite file instead of the target's own model.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the results here."
)
def command(
    app: str,
    arguments: tuple[str, ...],
    device_name: str | None,
    target_name: str | None,
    isa: str | None,
    model: str,
    json_path: Path | None,
) -> None:
    """Build APP (the self-test by default), run it on a target and show its tests and measurements.

    ARGUMENTS go to the program. The exit code is 1 when a check failed.
    """
    target, device = choose(device_name, target_name)
    settings = isa_settings(isa)
    with open_session(
        target, app, arguments, settings=settings, model=model, device=device
    ) as session:
        report = read_report(session.lines(), session.run_id)
        code = session.close()
    _show(report)
    if json_path:
        content = {"target": target.name, "app": app, **dataclasses.asdict(report)}
        write_atomically(json_path, (json.dumps(content, indent=1) + "\n").encode())
    if not report.passed or code != 0:
        raise CheckFailed(
            f"`{app}` on {target.name}: {report.bad} checks are bad, exit code {code}"
        )
    console.info(f"{app} on {target.name}: {len(report.tests)} tests passed")


def _show(report: Report) -> None:
    console.note(" ".join(f"{key}={value}" for key, value in report.boot.items()))
    if report.tests:
        rows = [[t.name, t.result, _pairs(t.details)] for t in report.tests]
        console.table(["test", "result", ""], rows)
    if report.benches:
        rows = [[b.name, b.mode, b.frames, _pairs(b.figures)] for b in report.benches]
        console.table(["measurement", "mode", "n", ""], rows)


def _pairs(fields: dict[str, str]) -> str:
    return " ".join(f"{key}={value}" for key, value in fields.items())
