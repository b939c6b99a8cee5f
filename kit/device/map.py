"""The device map: a TOML file in the user's configuration folder, a table for each device.

    [pixel]
    target = "android_arm64"
    adb = "33271FDH2000AB"

It may be edited by hand: comments and order survive what the kit changes.
"""

import contextlib
import difflib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import tomlkit
import tomlkit.exceptions

from kit.device.device import Device, device_keys
from kit.device.runtime import runtime_folder
from kit.errors import DeviceError
from kit.files import write_atomically
from kit.target import PROVEN, Target
from kit.target.construct import construct

# Another file instead, for tests and shared desks.
MAP_SETTING = "PERCEPNET_DEVICES"


def map_path() -> Path:
    """Where the device map is; it need not exist."""
    named = os.environ.get(MAP_SETTING)
    return Path(named) if named else platformdirs.user_config_path("percepnet") / "devices.toml"


def load_devices() -> dict[str, Device]:
    """All devices by name. Raises KitError for a mistake in the map."""
    document = _read()
    where = str(map_path())
    devices = {}
    for name, entry in document.unwrap().items():
        if not isinstance(entry, dict):
            raise DeviceError(f"{where}: `{name}` stands outside of a device's table")
        devices[name] = construct(Device, {"name": name, **entry}, where, f"{name}.")
    return devices


def load_device(name: str) -> Device:
    """One device. Raises DeviceError, with the nearest names, for an unknown one."""
    devices = load_devices()
    if name not in devices:
        raise _unknown(name, list(devices))
    return devices[name]


def save_device(device: Device) -> None:
    """Add a device to the map, or replace the one of its name."""
    table = tomlkit.table()
    for key, field in device_keys().items():
        value = getattr(device, key)
        if value != field.default:
            table[key] = value
    with _changed() as document:
        document[device.name] = table


def remove_device(name: str) -> None:
    """Take a device out of the map. Raises DeviceError for an unknown one."""
    with _changed() as document:
        if name not in document:
            raise _unknown(name, list(document))
        del document[name]


def device_for(target: Target) -> Device:
    """The only device of a target. Raises DeviceError when there is none, or more than one."""
    fit = [device for device in load_devices().values() if device.target == target.name]
    if not fit:
        raise DeviceError(
            f"`{target.name}` runs on a device only, and the device map has none of it",
            hint=f"{PROVEN[target.proven]}\n"
            "see what is connected: ./tools/percepnet devices detect\n"
            f"then: ./tools/percepnet devices add NAME --target {target.name} ...\n"
            "without a device: an emulated target, see ./tools/percepnet targets",
        )
    if len(fit) > 1:
        names = ", ".join(device.name for device in fit)
        raise DeviceError(
            f"{len(fit)} devices are of target `{target.name}`: {names}",
            hint=f"say which: --device {fit[0].name}",
        )
    return fit[0]


def _unknown(name: str, known: list[str]) -> DeviceError:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    if near:
        hint = f"did you mean {' or '.join(f'`{n}`' for n in near)}?"
    else:
        hint = f"known: {', '.join(known)}" if known else "the device map is empty"
    return DeviceError(
        f"unknown device `{name}`",
        hint=f"{hint}\nadd one: ./tools/percepnet devices add {name} --target TARGET ...",
    )


def _read() -> tomlkit.TOMLDocument:
    path = map_path()
    try:
        return tomlkit.parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except OSError as unreadable:
        raise DeviceError(f"{path} cannot be read: {unreadable.strerror}") from unreadable
    # Keys twice, numbers too long and tables too deep as well.
    except (tomlkit.exceptions.TOMLKitError, ValueError, RecursionError) as bad:
        raise DeviceError(
            f"{path}: not valid TOML: {bad}", hint="mend it by hand, or move it away"
        ) from bad


@contextlib.contextmanager
def _changed() -> Iterator[tomlkit.TOMLDocument]:
    """The map, to be changed; written at a clean exit. Others wait, so that no change is lost."""
    with (runtime_folder() / "devices.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        document = _read()
        yield document
        write_atomically(map_path(), tomlkit.dumps(document).encode())
