"""Phones and boards that adb knows, and what to do about those that are not ready."""

import re

from kit import process
from kit.device.found import READY, Found
from kit.errors import DeviceError

ADB = "adb"
ADB_TIMEOUT_S = 20.0

_DEVICE_LINE = re.compile(r"(\S+)\s+(no permissions|\S+)(.*)")

# What adb calls a state: what it means, and what to do.
_ADB_STATES = {
    "unauthorized": (
        "does not trust this computer yet",
        "unlock it and accept the question about USB debugging; "
        "if there is none: adb kill-server, and plug it in again",
    ),
    "offline": (
        "is connected but does not answer",
        "plug it in again; then: adb reconnect offline",
    ),
    "no permissions": (
        "may not be used by this account",
        "add yourself to the group: sudo usermod -aG plugdev $USER, and log in again; "
        "rules for phones: sudo apt-get install -y android-sdk-platform-tools-common",
    ),
    "bootloader": ("is in its boot loader", "start its system: fastboot reboot"),
    "recovery": ("is in recovery", "start its system: adb reboot"),
    "sideload": ("is in recovery", "start its system: adb reboot"),
    "authorizing": ("is being connected", "try again in a moment"),
    "connecting": ("is being connected", "try again in a moment"),
}


def adb_devices() -> list[Found]:
    """What `adb devices` knows. Raises KitError when adb is missing or does not answer."""
    return parse_devices(process.run([ADB, "devices", "-l"], timeout_s=ADB_TIMEOUT_S).text)


def parse_devices(text: str) -> list[Found]:
    """The devices in what `adb devices -l` prints."""
    lines = [line for line in text.splitlines() if not line.startswith(("*", "List"))]
    return [_adb_device(match) for line in lines if (match := _DEVICE_LINE.match(line))]


def _adb_device(match: re.Match[str]) -> Found:
    serial_number, state, rest = match.groups()
    model = re.search(r"model:(\S+)", rest)
    what = model[1].replace("_", " ") if model else "Android device"
    if state == "device":
        return Found("adb", serial_number, what)
    meaning, hint = _ADB_STATES.get(state, (f"is in the state `{state}`", "plug it in again"))
    return Found("adb", serial_number, what, meaning, hint)


def require_adb(serial_number: str) -> None:
    """Raise DeviceError, saying what to do, unless a phone or board is there and ready for adb."""
    try:
        found = adb_devices()
    except process.Silent as silent:
        raise DeviceError("adb does not answer", hint="start it again: adb kill-server") from silent
    if process.dry_run:
        return
    mine = next((one for one in found if one.address == serial_number), None)
    if mine is None:
        others = ", ".join(one.address for one in found)
        raise DeviceError(
            f"adb does not see `{serial_number}`",
            hint="plug it in, and switch on USB debugging in its developer options"
            + (f"\nconnected is: {others}" if others else "")
            + (f"\nover the network: adb connect {serial_number}" if ":" in serial_number else ""),
        )
    if mine.state != READY:
        raise DeviceError(f"`{serial_number}` {mine.state}", hint=mine.hint)
