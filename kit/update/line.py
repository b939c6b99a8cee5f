"""A transfer over a byte stream: a serial line, an emulator's socket, a program's pipes."""

import time
from collections.abc import Callable
from typing import Protocol

from kit.errors import DeviceError
from kit.update import protocol
from kit.update.protocol import Answer, PacketReader
from kit.update.transfer import Transfer

ANSWER_TIMEOUT_S = 30.0
_POLL_S = 0.5


class Line(Protocol):
    """What a transfer needs of a channel or a session."""

    def write(self, data: bytes) -> None:
        """Send all bytes. Raises DeviceError when nobody is there to take them."""

    def read_some(self, timeout_s: float) -> bytes:
        """Bytes that came, empty after timeout_s. Raises DeviceError when the other end is gone."""


def send_weights(
    line: Line, transfer: Transfer, progress: Callable[[int, int], None] | None = None
) -> None:
    """Carry a transfer to its end; progress gets bytes acknowledged and bytes in all.

    Raises UpdateRefused when the device refuses the weights, DeviceError when it stops answering or
    the line breaks; the device then keeps what it runs, and the next transfer goes on.
    """
    heard = time.monotonic()
    while not transfer.done:
        if out := transfer.give():
            line.write(out)
        patience_s = heard + transfer.patience_s - time.monotonic()
        came = line.read_some(max(0.0, min(patience_s, _POLL_S)))
        if transfer.take(came):
            heard = time.monotonic()
            if progress:
                progress(transfer.acknowledged, transfer.total)
        elif patience_s <= 0:
            heard = time.monotonic()
            transfer.silence()


def ask(line: Line, letter: bytes, timeout_s: float = ANSWER_TIMEOUT_S) -> Answer:
    """One request without content, protocol.QUERY or protocol.TEST, and its answer.

    Raises DeviceError when none comes in time.
    """
    reader = PacketReader()
    line.write(protocol.FLUSH + protocol.packet(0, protocol.request(letter)))
    deadline = time.monotonic() + timeout_s
    while (left_s := deadline - time.monotonic()) > 0:
        for answer in reader.feed(line.read_some(left_s)):
            if answer.letter == letter:
                return answer
    raise DeviceError(
        "nobody who takes weights answers on this line",
        hint="does the program `device` run there? ./tools/percepnet flash device --help",
    )
