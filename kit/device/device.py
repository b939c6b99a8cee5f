"""What is known of one device: its target, and how it is reached."""

import dataclasses
import re
import typing
from collections.abc import Mapping

from kit.errors import DeviceError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

# The runner of each way to reach a device, the first that a device has. A board's serial line comes
# last: beside a probe it is only the console.
_RUNNERS = {
    "adb": "adb",
    "ssh": "ssh",
    "probe": "probe",
    "gdb": "gdb",
    "serial": "serial_boot",
}


def _key(default: typing.Any, text: str) -> typing.Any:
    """A key of the device map; text: what `devices add --help` says of it."""
    return dataclasses.field(default=default, metadata={"help": text})


@dataclasses.dataclass(frozen=True)
class Device:
    """One device. A field here is a key of the device map and an option of `devices add`.

    Empty text: it is not reached that way. With none of them its target's emulator stands in.
    """

    name: str
    target: str = dataclasses.field(metadata={"help": "What is built for it."})
    adb: str = _key("", "Serial number that `adb devices` shows.")
    ssh: str = _key("", "Host, as `ssh HOST` knows it; user, key, port, jump host are ssh's.")
    serial: str = _key("", "Serial port: VID:PID:SERIAL of its USB side, a path, or socket://.")
    probe: str = _key("", "Unique id of its debug probe, as pyOCD shows it.")
    gdb: str = _key("", "HOST:PORT of a gdb server that it hangs on.")
    folder: str = _key("", "Folder on it for our files, where the usual one will not do.")
    console: str = _key("", "Serial port of its program's words, where `serial` is the loader's.")
    baud: int = _key(115200, "Speed of its program's serial port.")
    wiring: str = _key(
        "none", "How DTR and RTS of its serial port reset it; a wrong one lists all."
    )
    runner: str = _key("", "Runner, where it is not the one that the way to it implies.")
    emulated: bool = _key(False, "It is an emulator: its times mean nothing.")

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise DeviceError(
                f"`{self.name}` cannot be the name of a device",
                hint="names are of letters, digits, `_`, `.` and `-`",
            )

    @property
    def ways(self) -> Mapping[str, str]:
        """How it is reached: way (adb, ssh, probe, gdb, serial) and address."""
        return {way: getattr(self, way) for way in _RUNNERS if getattr(self, way)}

    @property
    def runner_name(self) -> str:
        """The runner that its entry says or implies; empty: its target's own."""
        return self.runner or next((_RUNNERS[way] for way in self.ways), "")


def device_keys() -> dict[str, dataclasses.Field[typing.Any]]:
    """Fields of a device but its name, by key."""
    return {f.name: f for f in dataclasses.fields(Device) if f.name != "name"}
