"""A phone: adbd 34 on a network of its own, and Debian's adb to reach it.

It is not Android: no bionic, no SELinux, no thermal service, and its /sys holds what a test puts
there.
"""

import subprocess
from pathlib import Path
from typing import Self

from tests.device.stand_ins.machine import COMMAND_TIMEOUT_S, Machine, wait_until, write_program

ADBD = "/usr/lib/android-sdk/platform-tools/adbd"
ADBD_PORT = 5601
SERVER_PORT = 5602
STORAGE = "/data/local/tmp"


class Phone(Machine):
    """A phone that is connected. `programs` is to stand first on PATH: its `adb` reaches it."""

    serial = f"127.0.0.1:{ADBD_PORT}"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, own_network=True)
        self.programs = folder / "bin"
        self._settings = [f"HOME={folder}", f"ANDROID_ADB_SERVER_PORT={SERVER_PORT}"]

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self._adb = ["env", *self._settings, *self.enter(mounts=False), "/usr/bin/adb"]
            # Among the machine's processes, so that the server ends with it.
            self._run_adb([*self.enter(), "env", *self._settings, "/usr/bin/adb", "start-server"])
            write_program(self.programs / "adb", f'#!/bin/sh\nexec {" ".join(self._adb)} "$@"\n')
            self.plug_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def adb(self, *args: str) -> str:
        """What adb says."""
        return self._run_adb([*self._adb, *args])

    def _run_adb(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        return done.stdout

    def plug_in(self) -> None:
        """Start adbd and connect adb to it."""
        self.start(ADBD, ADBD_PORT=str(ADBD_PORT))
        wait_until(self._is_connected, "adb is connected to adbd")

    def _is_connected(self) -> bool:
        self.adb("connect", self.serial)
        return self.adb("-s", self.serial, "get-state") == "device\n"

    def unplug(self) -> None:
        """Kill adbd: the device vanishes, whatever it was doing."""
        self.kill("adbd")
