"""What runners of boards without an operating system share: the console, and the words lent to a
program."""

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from kit.channel import Channel, SerialChannel
from kit.device import Device
from kit.device.port import find_port
from kit.elf import load_elf
from kit.errors import DeviceError
from kit.runner._base import Started

CONNECT_TIMEOUT_S = 5.0

# firmware_src/port/bare_metal/pn_command_line.c: where a program looks for the words lent to it.
LENT_SECTION = ".lent"
LENT_BYTES = 512
_LENT_MAGIC = 0x4C504E57
_LENT_HEAD = struct.Struct("<III")  # magic, length of the text, its inverse


class BoardStarted(Started):
    """A program on a board. It has no exit code and does not end: the conversation does."""

    def __init__(self, channel: Channel, finish: Callable[[], None]) -> None:
        self.channel = channel
        self._finish = finish

    def wait(self, timeout_s: float) -> int:
        self.kill()
        return 0

    def kill(self) -> None:
        try:
            self._finish()
        finally:
            self.channel.close()


def open_console(device: Device) -> Channel:
    """The serial line that a board's program talks over. Raises DeviceError without one."""
    port = device.console or device.serial
    if not port:
        raise DeviceError(
            f"device `{device.name}` has no serial line: its program could not be heard",
            hint=f"./tools/percepnet devices add {device.name} --target {device.target} ... "
            "--serial VID:PID:SERIAL",
        )
    return SerialChannel(find_port(port), device.baud, CONNECT_TIMEOUT_S)


def lent_words(
    program: Path, args: Sequence[str], settings: Mapping[str, str]
) -> tuple[int, bytes]:
    """Arguments and settings as a loader or debugger lays them down in RAM for a program to find.

    Returns the address and the bytes, LENT_BYTES of them. Raises DeviceError for words that cannot
    be given, and for a program that looks for none.
    """
    words = [program.stem, *(f"{name}={value}" for name, value in settings.items()), *args]
    if unfit := [word for word in words if not word or " " in word or not word.isascii()]:
        raise DeviceError(f"a board's program cannot be given the argument {unfit[0]!r}")
    text = " ".join(words).encode()
    if len(text) > LENT_BYTES - _LENT_HEAD.size - 1:
        raise DeviceError(f"a board's program cannot be given {len(text)} bytes of arguments")
    head = _LENT_HEAD.pack(_LENT_MAGIC, len(text), len(text) ^ 0xFFFFFFFF)
    sections, _ = load_elf(program)
    place = next((section for section in sections if section.name == LENT_SECTION), None)
    if place is None:
        raise DeviceError(f"{program} has no section `{LENT_SECTION}`", hint="build it again")
    return place.address, (head + text).ljust(LENT_BYTES, b"\0")
