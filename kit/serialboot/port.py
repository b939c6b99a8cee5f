"""A serial port as the boot loader wants it, and then the same port as a program's console."""

import contextlib
import errno
import termios
from collections.abc import Iterator

import serial

from kit.errors import DeviceError
from kit.serialboot.wiring import Wiring

# The fastest that every chip's loader keeps up with (ST's AN2606).
LOADER_BAUD = 115200
WRITE_TIMEOUT_S = 10.0


class SerialLine:
    """An open port, 8 bits with even parity. Raises DeviceError when it cannot be had."""

    def __init__(self, url: str, wiring: Wiring) -> None:
        self.url = url
        self._wiring = wiring
        self._released = False
        self.port = serial.serial_for_url(
            url,
            do_not_open=True,
            baudrate=LOADER_BAUD,
            write_timeout=WRITE_TIMEOUT_S,
        )
        if isinstance(self.port, serial.Serial):
            self.port.exclusive = True
        try:
            wiring.rest(self.port)
            self._open()
        except serial.SerialException as refused:
            raise _cannot_open(url, refused) from refused

    def _open(self) -> None:
        self.port.open()
        try:
            self.port.parity = serial.PARITY_EVEN
        except termios.error:
            # A pseudo terminal: it carries bytes, and knows nothing of parity.
            self.port.parity = serial.PARITY_NONE

    def write(self, data: bytes) -> None:
        with self._watched():
            self.port.write(data)

    def read(self, count: int, timeout_s: float) -> bytes:
        with self._watched():
            self.port.timeout = timeout_s
            return self.port.read(count)

    def enter_loader(self) -> None:
        """Reset the chip into its loader, where the wiring can."""
        with self._watched():
            self._wiring.enter_loader(self.port)

    def release_as_console(self, baud: int) -> serial.SerialBase:
        """Change to what programs speak: no parity, their baud. The port is the caller's then."""
        with self._watched():
            self.port.parity = serial.PARITY_NONE
            self.port.baudrate = baud
            self.port.timeout = 0
        self._released = True
        return self.port

    def close(self) -> None:
        """Give the port back, if it is still ours."""
        if not self._released:
            self.port.close()

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except OSError as gone:  # SerialException is one
            raise DeviceError(
                f"serial port `{self.url}` is gone: {gone.strerror or gone}",
                hint="plug it in and run the same command again: what is written stays written",
            ) from gone


def _cannot_open(url: str, refused: serial.SerialException) -> DeviceError:
    if refused.errno in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in str(refused):
        return DeviceError(
            f"serial port `{url}` is in use by another program",
            hint=f"close it (a terminal, ModemManager?); who it is: fuser -v {url}",
        )
    if refused.errno in (errno.EACCES, errno.EPERM):
        return DeviceError(
            f"serial port `{url}` may not be used by this account",
            hint="sudo usermod -aG dialout $USER, then log in again; or install the rules: "
            "tools/udev/README.md",
        )
    return DeviceError(
        f"serial port `{url}` cannot be opened: {refused}",
        hint="see what is plugged in: ./tools/percepnet devices detect",
    )
