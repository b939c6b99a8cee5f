"""Phones, and boards with Android's debug bridge: programs run from adb's shell."""

import dataclasses

from kit.device import Device
from kit.device.adb import ADB, require_adb
from kit.runner._shell import ShellRunner
from kit.target import Target

# Serial numbers of Android's emulators.
EMULATOR = "emulator-"


class AdbRunner(ShellRunner):
    """`adb shell -T`: standard streams are binary, and stderr is apart (Android 7 and later)."""

    way = "adb"
    storage = "/data/local/tmp"

    def __init__(self, target: Target, device: Device | None = None) -> None:
        super().__init__(target, device)
        if self.address.startswith(EMULATOR):
            self.capabilities = dataclasses.replace(self.capabilities, emulated=True)

    def command(self, script: str) -> list[str]:
        return [ADB, "-s", self.address, "shell", "-T", script]

    def check(self) -> None:
        require_adb(self.address)
