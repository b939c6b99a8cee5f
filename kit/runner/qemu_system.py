"""Boards that QEMU emulates whole: programs are ELF files, the UART is a socket."""

import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from kit import process
from kit.channel import SerialChannel
from kit.errors import DeviceError
from kit.files import write_atomically
from kit.paths import BUILD
from kit.runner._base import Capabilities, Runner, Started

CONNECT_TIMEOUT_S = 10.0
ATTEMPTS = 3
BAUD = 115200
ERASED = b"\xff"


class QemuSystemRunner(Runner):
    """QEMU in system mode; arguments and settings are the semihosting command line."""

    capabilities = Capabilities(emulated=True, exit_code=True, end_of_input=False)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        words = [program.stem, *(f"{name}={value}" for name, value in settings.items()), *args]
        if unfit := [word for word in words if not word or " " in word]:
            raise DeviceError(f"a board's program cannot be given the argument {unfit[0]!r}")
        attempts = 0
        while True:
            attempts += 1
            with tempfile.TemporaryFile() as complaints:
                try:
                    return self._start_and_connect(program, words, complaints.fileno())
                except DeviceError as refused:
                    # Between our choice of a port and QEMU's use of it somebody else may take it.
                    if attempts == ATTEMPTS:
                        complaints.seek(0)
                        said = complaints.read().decode(errors="replace").strip()
                        raise DeviceError(f"QEMU does not start: {refused}", hint=said) from refused

    def _start_and_connect(self, program: Path, words: list[str], stderr: int) -> Started:
        port = _free_port()
        child = self._start_qemu(program, words, port, stderr)
        try:
            url = f"socket://127.0.0.1:{port}"
            return Started(SerialChannel(url, BAUD, CONNECT_TIMEOUT_S), child)
        except BaseException:
            child.kill()
            child.wait()
            raise

    def _start_qemu(
        self, program: Path, words: list[str], port: int, stderr: int
    ) -> subprocess.Popen[bytes]:
        emulator = self.target.emulator
        semihosting = [
            "enable=on",
            "target=native",
            *(f"arg={word.replace(',', ',,')}" for word in words),
        ]
        serial = f"tcp:127.0.0.1:{port},server=on,wait=on"
        return process.start(
            [
                emulator.program,
                *emulator.args,
                *self._flash_arguments(),
                *("-semihosting-config", ",".join(semihosting)),
                *("-serial", serial),
                *("-kernel", program),
            ],
            stderr=stderr,
        )

    def _flash_arguments(self) -> list[str]:
        """The file that is the board's flash, made as an erased one is where there is none."""
        emulator = self.target.emulator
        if not emulator.flash:
            return []
        path = Path(emulator.flash_file or BUILD / self.target.name / "flash.bin")
        if not path.exists():
            size = self.target.memory[emulator.flash].size
            write_atomically(path, ERASED * size)
        return [word.replace("{file}", str(path)) for word in emulator.flash_args]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
