"""`flash`: a program onto a device, or new weights into the program that it runs."""

import contextlib
from pathlib import Path

import click

from kit import console, process
from kit.build import build, program_path
from kit.device.claim import claimed
from kit.runner import Runner
from kit.verbs._device import borrow, choose, device_options, fleet_option, progress

DEFAULT_APP = "selftest"


@click.command(
    epilog="Examples: ./tools/percepnet flash --device pixel; "
    "./tools/percepnet flash bench --device nucleo --dry-run; "
    "./tools/percepnet flash --weights new.tflite --device nucleo"
)
@click.argument("app", required=False)
@device_options
@fleet_option
@click.option("--model", default="", help="A .tflite file instead of the target's own model.")
@click.option(
    "--weights",
    help="Replace the weights alone, while the program `device` runs: a .tflite file, a .pnwb "
    "file, or a model's name.",
)
@click.option(
    "--signature",
    type=click.Path(path_type=Path),
    help="Ed25519 signature of the weights' .pnwb file, for a program that asks for one.",
)
@click.option("--dry-run", is_flag=True, help="Show the commands, run none.")
def command(
    app: str | None,
    device_name: str | None,
    target_name: str | None,
    place: str | None,
    model: str,
    weights: str | None,
    signature: Path | None,
    dry_run: bool,
) -> None:
    """Build APP (the self-test by default), write it to a device and verify it there.

    With --weights, a device keeps its program and what it runs until the new weights have arrived
    whole and passed their self-test; an update that was cut off goes on where it ended.
    """
    if app and weights:
        raise click.UsageError("either APP or --weights", click.get_current_context())
    if signature and not weights:
        raise click.UsageError("--signature is of --weights", click.get_current_context())
    if dry_run:
        process.show_commands(run_them=False)
    runner = borrow(place, device_name, target_name) if place else choose(device_name, target_name)
    if weights:
        _flash_weights(runner, weights, model, signature)
    else:
        _flash_program(runner, app or DEFAULT_APP, model)


def _flash_program(runner: Runner, app: str, model: str) -> None:
    with claimed(runner.device) if runner.device else contextlib.nullcontext():
        runner.check()
        if not runner.capabilities.flash:
            raise runner.nothing_to_flash()
        build(runner.target.name, model)
        with progress(f"flashing {app}") as show:
            runner.flash(program_path(runner.target, app), show)
    if process.dry_run:
        console.info(f"nothing was done: a dry run of `{app}` onto {runner.name}")
    else:
        verified = ", and verified" if runner.capabilities.verify else ""
        console.info(f"{app} is on {runner.name}{verified}")


def _flash_weights(runner: Runner, weights: str, model: str, signature: Path | None) -> None:
    from kit.update import update_weights
    from kit.update.weights import read_signature, read_weights, source_hash

    blob = read_weights(weights, runner.target.layout)
    signed = read_signature(signature) if signature else b""
    name = f"weights {source_hash(blob)}"
    if process.dry_run:
        process.log_action(f"{runner.name}: Query, Begin, Data ({len(blob)} bytes), Commit, Test")
        console.info(f"nothing was done: a dry run of {name} onto {runner.name}")
        return
    with progress(f"sending {name}") as show:
        done = update_weights(runner, blob, model, show, signed)
    if done.sent_from is None:
        console.info(f"{runner.name} runs {name} already; self-test passed")
        return
    went_on = f", the first {done.sent_from} were there" if done.sent_from else ""
    console.info(
        f"{runner.name} runs {name}: {len(blob)} bytes{went_on}; self-test passed; "
        f"update {done.sequence} of its store"
    )
