"""USB serial ports by ids that stay the same wherever they are plugged in."""

import os
import re

import serial.tools.list_ports
from serial.tools.list_ports_common import ListPortInfo

from kit import process
from kit.device.found import Found
from kit.errors import DeviceError

_PORT_FORM = re.compile(r"([0-9a-f]{4}):([0-9a-f]{4})(?::(.+))?", re.IGNORECASE)
_SEE_OTHERS = "plug it in; see what is: ./tools/percepnet devices detect"
_NOT_PERMITTED = (
    "may not be used by this account",
    "add yourself to the group: sudo usermod -aG dialout $USER, and log in again",
)


def serial_ports() -> list[Found]:
    """USB serial ports, each by its stable id."""
    return [_found(port) for port in _usb_ports()]


def port_id(port: ListPortInfo) -> str:
    """VID:PID:SERIAL of a USB port, or VID:PID of one whose maker gave it no serial number."""
    ids = f"{port.vid:04x}:{port.pid:04x}"
    return f"{ids}:{port.serial_number}" if port.serial_number else ids


def find_port(address: str) -> str:
    """The path or URL that pyserial opens for the `serial` of a device.

    Raises DeviceError when it is not plugged in, may not be used, or stands for several ports. In a
    dry run an id that is not plugged in stays as it is.
    """
    path = _path_by_id(address) if _PORT_FORM.fullmatch(address) else address
    if "://" in path or process.dry_run:
        return path
    if not os.path.exists(path):
        raise DeviceError(f"serial port `{address}` is not there", hint=_SEE_OTHERS)
    if not os.access(path, os.R_OK | os.W_OK):
        state, hint = _NOT_PERMITTED
        raise DeviceError(f"serial port `{path}` {state}", hint=hint)
    return path


def _usb_ports() -> list[ListPortInfo]:
    return [port for port in serial.tools.list_ports.comports() if port.vid is not None]


def _found(port: ListPortInfo) -> Found:
    words = [port.manufacturer, port.product, f"on {port.device}"]
    what = " ".join(word for word in words if word)
    usable = os.access(port.device, os.R_OK | os.W_OK)
    return Found("serial", port_id(port), what, *(() if usable else _NOT_PERMITTED))


def _path_by_id(address: str) -> str:
    wanted = address.lower()
    paths = [
        port.device
        for port in _usb_ports()
        if wanted in (port_id(port).lower(), f"{port.vid:04x}:{port.pid:04x}")
    ]
    if len(paths) > 1:
        raise DeviceError(
            f"{len(paths)} serial ports are `{address}`: {', '.join(sorted(paths))}",
            hint="unplug the others, or name this one by its path in /dev/serial/by-path/",
        )
    if paths:
        return paths[0]
    if process.dry_run:
        return address
    raise DeviceError(f"no serial port with the USB id `{address}` is plugged in", hint=_SEE_OTHERS)
