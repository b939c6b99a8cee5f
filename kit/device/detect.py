"""What is connected to this computer, over every way that there is to look for it."""

import shutil

from kit import packages
from kit.device.adb import ADB, adb_devices
from kit.device.found import Found
from kit.device.port import serial_ports
from kit.device.probe import probes, pyocd_is_installed


def detect() -> list[Found]:
    """Everything found, in the order of ways. What is not installed finds nothing."""
    phones = adb_devices() if shutil.which(ADB) else []
    return [*phones, *serial_ports(), *probes()]


def missing_tools() -> list[str]:
    """A line for each way of looking that is not installed here."""
    lines = []
    if not shutil.which(ADB):
        lines.append(f"no phones were looked for: {packages.install_hint(ADB)}")
    if not pyocd_is_installed():
        lines.append("no debug probes were looked for: install pyOCD: pip install pyocd")
    return lines
