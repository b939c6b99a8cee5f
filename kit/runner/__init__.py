"""How a program gets onto a target and starts. Each file here is one runner, by its name."""

import importlib
from pathlib import Path

from kit.device import Device, device_for
from kit.errors import DeviceError, TargetError
from kit.runner._base import Capabilities, Progress, Runner, Started, no_progress
from kit.runner._session import (
    Session,
    new_run_id,
    open_session,
    run_programs,
    start_program,
)
from kit.target import Target

__all__ = [
    "Capabilities",
    "Progress",
    "Runner",
    "Session",
    "Started",
    "make_runner",
    "needs_device",
    "new_run_id",
    "no_progress",
    "open_session",
    "run_programs",
    "runner_names",
    "start_program",
]


def runner_names() -> list[str]:
    """Names that a target's `runner` key may say."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def make_runner(target: Target, device: Device | None = None) -> Runner:
    """The runner of a target on a device. Without one: the target's own, or, where only a device
    runs it, that of the only device of this target.

    Raises TargetError, naming the known ones, when there is no such runner, DeviceError when no
    device fits or it is another target's.
    """
    if device is None and needs_device(target):
        device = device_for(target)
    name = (device and device.runner_name) or target.runner
    if device and not name:
        raise DeviceError(
            f"the device map does not say how `{device.name}` is reached",
            hint=f"./tools/percepnet devices add {device.name} --target {target.name} "
            "with --adb, --ssh, --probe, --gdb or --serial",
        )
    if name not in runner_names():
        whose = f"target `{target.name}`" if name == target.runner else f"device `{device.name}`"
        raise TargetError(
            f"{whose}: `runner` names `{name}`", hint=f"valid: {', '.join(runner_names())}"
        )
    kind = _runner_class(name)
    if device:
        _check_fit(target, device, kind)
    return kind(target, device)


def needs_device(target: Target) -> bool:
    """Whether programs of a target run on a device of the map alone, not on this computer."""
    return not target.runner


def _runner_class(name: str) -> type[Runner]:
    module = importlib.import_module(f"kit.runner.{name}")
    return next(
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and thing.__module__ == module.__name__
        and issubclass(thing, Runner)
    )


def _check_fit(target: Target, device: Device, kind: type[Runner]) -> None:
    if device.target != target.name:
        raise DeviceError(
            f"device `{device.name}` is a `{device.target}`, not a `{target.name}`",
            hint="leave out --target: the device map says it",
        )
    if kind.way and kind.way not in device.ways:
        raise DeviceError(
            f"device `{device.name}`: its runner needs `{kind.way}`, which the map does not say",
            hint=f"./tools/percepnet devices add {device.name} --target {target.name} "
            f"--{kind.way} ...",
        )
