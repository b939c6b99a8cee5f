"""`flash`: a program onto a device."""

import contextlib

import click

from kit import console, process
from kit.build import build, program_path
from kit.device.claim import claimed
from kit.verbs._device import borrow, choose, device_options, fleet_option, progress


@click.command(
    epilog="Examples: ./tools/percepnet flash --device pixel; "
    "./tools/percepnet flash bench --device nucleo --dry-run"
)
@click.argument("app", default="selftest")
@device_options
@fleet_option
@click.option("--model", default="", help="A .tflite file instead of the target's own model.")
@click.option("--dry-run", is_flag=True, help="Show the commands, run none.")
def command(
    app: str,
    device_name: str | None,
    target_name: str | None,
    place: str | None,
    model: str,
    dry_run: bool,
) -> None:
    """Build APP (the self-test by default), write it to a device and verify it there."""
    if dry_run:
        process.show_commands(run_them=False)
    runner = borrow(place, device_name, target_name) if place else choose(device_name, target_name)
    with claimed(runner.device) if runner.device else contextlib.nullcontext():
        runner.check()
        if runner.capabilities.flash:
            build(runner.target.name, model)
        with progress(f"flashing {app}") as show:
            runner.flash(program_path(runner.target, app), show)
    if process.dry_run:
        console.info(f"nothing was done: a dry run of `{app}` onto {runner.name}")
    else:
        verified = ", and verified" if runner.capabilities.verify else ""
        console.info(f"{app} is on {runner.name}{verified}")
