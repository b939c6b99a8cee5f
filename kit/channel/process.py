"""The channel of a program on this computer: its standard input and output."""

import os
import subprocess

from kit.channel.base import Channel
from kit.errors import DeviceError

_BLOCK = 1 << 16


class ProcessChannel(Channel):
    """Pipes of a program that kit.process.start has started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        super().__init__()

    def _receive(self) -> bytes:
        return os.read(self._process.stdout.fileno(), _BLOCK)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._process.stdin.fileno(), view) :]
        except (BrokenPipeError, ValueError) as gone:
            raise DeviceError("the program ended while it was sent data") from gone

    def finish_writing(self) -> None:
        self._process.stdin.close()

    def close(self) -> None:
        self._process.stdin.close()
        self._thread.join()
        self._process.stdout.close()
