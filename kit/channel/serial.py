"""The channel of a serial line: a real port, or an emulator's UART behind `socket://`."""

import select
import time

import serial
from serial.urlhandler import protocol_socket

from kit.channel.base import Channel
from kit.errors import DeviceError

_BLOCK = 1 << 16
_POLL_S = 0.2
_RETRY_S = 0.02
_SOCKET = "socket://"


class _SocketPort(protocol_socket.Serial):
    """pyserial's socket, keeping what has come by the time it is open.

    pyserial discards that, as is right for a port that has been lying there. A socket is new: its
    first bytes are the program's first words.
    """

    def reset_input_buffer(self) -> None:
        """Discard nothing."""


def _open(url: str, baud: int) -> serial.SerialBase:
    if url.startswith(_SOCKET):
        return _SocketPort(url, baudrate=baud, timeout=0)
    return serial.serial_for_url(url, baudrate=baud, timeout=0)


class PortChannel(Channel):
    """An open port of pyserial; closing the channel closes it."""

    def __init__(self, port: serial.SerialBase) -> None:
        self._closing = False
        self._port = port
        super().__init__()

    def _receive(self) -> bytes:
        try:
            while not self._closing:
                if select.select([self._port], [], [], _POLL_S)[0]:
                    return self._port.read(_BLOCK)
        except (serial.SerialException, OSError):
            pass
        return b""

    def write(self, data: bytes) -> None:
        try:
            self._port.write(data)
        except (serial.SerialException, OSError) as gone:
            raise DeviceError("the serial line closed while it was sent data") from gone

    def finish_writing(self) -> None:
        """A serial line has no end: programs on boards are told how much comes."""

    def close(self) -> None:
        self._closing = True
        self._thread.join()
        self._port.close()


class SerialChannel(PortChannel):
    """A line that pyserial opens: `/dev/ttyACM0`, or `socket://127.0.0.1:5000`."""

    def __init__(self, url: str, baud: int, connect_timeout_s: float) -> None:
        """Raises DeviceError when the line cannot be opened within connect_timeout_s."""
        deadline = time.monotonic() + connect_timeout_s
        while True:
            try:
                port = _open(url, baud)
                break
            except serial.SerialException as refused:
                if time.monotonic() > deadline:
                    raise DeviceError(f"cannot open `{url}`: {refused}") from refused
                time.sleep(_RETRY_S)
        super().__init__(port)
