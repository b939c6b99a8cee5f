"""What verbs that work on devices share: the options that choose one, and its progress bar."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from kit import console
from kit.device import load_device
from kit.host import HOST_TARGET
from kit.runner import Progress, Runner, make_runner, needs_device
from kit.target import Target, load_target


def device_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--device and --target."""
    function = click.option("--target", "target_name", help="This target, or its only device.")(
        function
    )
    return click.option("--device", "device_name", help="A device of the map (`devices`).")(
        function
    )


def fleet_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """--labgrid."""
    return click.option(
        "--labgrid",
        "place",
        metavar="PLACE",
        help="A device of a board farm: acquired now, released at the end.",
    )(function)


def borrow(place: str, device_name: str | None, target_name: str | None) -> Runner:
    """The runner of a place's device, acquired until the end of the verb.

    Raises KitError when it is not to be had.
    """
    from kit.fleet import borrowed

    context = click.get_current_context()
    if device_name:
        raise click.UsageError("--labgrid and --device name two devices: leave one out", context)
    device = context.with_resource(borrowed(place, target_name or ""))
    return make_runner(load_target(device.target), device)


def choose(device_name: str | None, target_name: str | None) -> Runner:
    """The runner of the device or target that is named. Raises KitError for unknown names."""
    if device_name:
        device = load_device(device_name)
        return make_runner(load_target(target_name or device.target), device)
    if target_name:
        return make_runner(load_target(target_name))
    raise click.UsageError(
        "say where: --device NAME (`devices` lists them) or --target NAME (`targets` does)",
        click.get_current_context(),
    )


def where(
    target_name: str | None, device_name: str | None, place: str | None
) -> tuple[Target, Runner | None]:
    """The target, this computer if none is named, and the runner of its device where it is not
    this computer that runs it."""
    if place or device_name:
        runner = (
            borrow(place, device_name, target_name) if place else choose(device_name, target_name)
        )
        return runner.target, runner
    target = load_target(target_name or HOST_TARGET)
    return target, make_runner(target) if needs_device(target) else None


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """A progress bar on stderr; yields who is told the share that is done."""
    with console.progress(what, 1.0) as bar:
        yield lambda share: bar.update(bar.task_ids[0], completed=share)
