"""`devices`: the phones, boards and probes on this desk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kit import console
from kit.device import Device, load_device, load_devices, map_path, remove_device, save_device
from kit.device.detect import Found, detect, missing_tools
from kit.device.device import device_keys
from kit.errors import DeviceError
from kit.files import write_json
from kit.runner import make_runner
from kit.target import load_target


def _json_option(function: Callable[..., None]) -> Callable[..., None]:
    path = click.Path(path_type=Path)
    return click.option("--json", "json_path", type=path, help="Write the list here.")(function)


def _device_options(function: Callable[..., None]) -> Callable[..., None]:
    """An option for every key of the device map."""
    for key, field in reversed(device_keys().items()):
        if field.type is bool:
            option = click.option(f"--{key}", is_flag=True, help=field.metadata["help"])
        else:
            option = click.option(
                f"--{key}",
                type=field.type,
                required=key == "target",
                default=None if key == "target" else field.default,
                help=field.metadata["help"],
            )
        function = option(function)
    return function


@click.group(
    invoke_without_command=True,
    epilog="Examples: ./tools/percepnet devices detect; "
    "./tools/percepnet devices add pixel --target android_arm64 --adb 33271FDH2000AB",
)
@click.pass_context
def command(context: click.Context) -> None:
    """Keep the map of devices on this desk: names, targets, how each is reached."""
    if context.invoked_subcommand is None:
        context.invoke(list_devices, json_path=None)


@command.command("list", epilog="Example: ./tools/percepnet devices list")
@_json_option
def list_devices(json_path: Path | None) -> None:
    """List the devices of the map."""
    devices = load_devices()
    rows = [[d.name, d.target, _ways(d), d.runner_name] for d in devices.values()]
    if rows:
        console.table(["device", "target", "reached by", "runner"], rows)
    else:
        console.note(f"no devices in {map_path()}; see: ./tools/percepnet devices detect")
    if json_path:
        _write_json(json_path, [_facts(device) for device in devices.values()])


@command.command(epilog="Example: ./tools/percepnet devices show pixel")
@click.argument("name")
def show(name: str) -> None:
    """Show a device, whether it is ready, and what its runner can do."""
    device = load_device(name)
    console.info(json.dumps(_facts(device), indent=2))
    runner = make_runner(load_target(device.target), device)
    able = [key for key, value in vars(runner.capabilities).items() if value]
    console.info(f"runner {device.runner_name or runner.target.runner}: {', '.join(able)}")
    runner.check()
    for key, value in runner.environment().items():
        console.info(f"{key}: {value}")
    console.info("it is ready")


@command.command(
    epilog="Examples: ./tools/percepnet devices add pixel --target android_arm64 --adb "
    "33271FDH2000AB; ./tools/percepnet devices add pi --target raspberry_pi_4 --ssh pi@raspberrypi"
)
@click.argument("name")
@_device_options
def add(name: str, **keys: Any) -> None:
    """Add the device NAME to the map, or change it; it need not be connected."""
    device = Device(name, **keys)
    make_runner(load_target(device.target), device)
    known = name in load_devices()
    save_device(device)
    console.info(f"{'changed' if known else 'added'} `{name}` in {map_path()}")


@command.command(epilog="Example: ./tools/percepnet devices remove pixel")
@click.argument("name")
def remove(name: str) -> None:
    """Take the device NAME out of the map; nothing happens to the device."""
    remove_device(name)
    console.info(f"removed `{name}` from {map_path()}")


@command.command("detect", epilog="Example: ./tools/percepnet devices detect")
@_json_option
def detect_devices(json_path: Path | None) -> None:
    """Look for phones (adb), serial ports and debug probes, and say how to add each."""
    names = {(way, at): d.name for d in load_devices().values() for way, at in d.ways.items()}
    found = detect()
    for line in missing_tools():
        console.note(line)
    if json_path:
        _write_json(json_path, [vars(one) for one in found])
    if not found:
        raise DeviceError("nothing is connected", hint="plug a phone, board or probe in")
    rows = [[f.way, f.address, f.what, f.state, names.get((f.way, f.address), "")] for f in found]
    console.table(["way", "address", "what it is", "state", "device"], rows)
    for one in found:
        if advice := _advice(one, (one.way, one.address) in names):
            console.note(advice)


def _advice(found: Found, known: bool) -> str:
    if found.hint:
        return f"{found.address}: {found.hint}"
    if known:
        return ""
    return f"./tools/percepnet devices add NAME --target TARGET --{found.way} {found.address}"


def _ways(device: Device) -> str:
    return ", ".join(f"{way} {at}" for way, at in device.ways.items()) or "emulator"


def _facts(device: Device) -> dict[str, Any]:
    """What the map says of a device; keys that say nothing are left out."""
    facts = {"name": device.name}
    for key, field in device_keys().items():
        if (value := getattr(device, key)) != field.default:
            facts[key] = value
    return facts


def _write_json(path: Path, content: object) -> None:
    write_json(path, content)
