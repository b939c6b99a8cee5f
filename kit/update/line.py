"""A transfer over a byte stream: a serial line, an emulator's socket, a program's pipes."""

import time
from collections.abc import Callable
from typing import Protocol

from kit.update.transfer import Transfer

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
        if came := line.read_some(max(0.0, min(patience_s, _POLL_S))):
            heard = time.monotonic()
            transfer.take(came)
            if progress:
                progress(transfer.acknowledged, transfer.total)
        elif patience_s <= 0:
            heard = time.monotonic()
            transfer.silence()
