"""What every channel does alike: a thread takes bytes in, readers wait with a timeout."""

import abc
import threading
import time
from collections.abc import Callable

from kit.errors import DeviceError

LONGEST_LINE = 1 << 20


class Channel(abc.ABC):
    """A byte stream each way; output is taken in at once, so that neither side blocks."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    @abc.abstractmethod
    def _receive(self) -> bytes:
        """Wait for bytes and return them; empty at the end of the stream."""

    @abc.abstractmethod
    def write(self, data: bytes) -> None:
        """Send all bytes. Raises DeviceError when nobody is there to take them."""

    @abc.abstractmethod
    def finish_writing(self) -> None:
        """Tell the program that no more bytes come, where the channel can."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give the channel back."""

    def read_exact(self, count: int, timeout_s: float) -> bytes:
        """Exactly `count` bytes. Raises DeviceError at the end of the stream or after timeout_s."""
        self._wait(lambda: len(self._buffer) >= count, timeout_s, f"{count} bytes")
        return self._take(count)

    def read_some(self, timeout_s: float) -> bytes:
        """What is there, once something is; empty after timeout_s. DeviceError at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._buffer or self._ended, timeout_s)
            if self._ended and not self._buffer:
                raise DeviceError("the program ended, or the line was cut")
            return self._take(len(self._buffer))

    def read_line(self, timeout_s: float) -> bytes | None:
        """The next line without line feed, a last unended one too; None at the end.

        Raises DeviceError after timeout_s, and for what is too long to be a line.
        """
        with self._changed:
            self._wait(self._has_line, timeout_s, "a line")
            if not self._buffer:
                return None
            end = self._buffer.find(b"\n")
            if end < 0 and not self._ended:
                raise DeviceError(
                    f"{LONGEST_LINE} bytes came without the end of a line",
                    hint="does another program run there, or is the serial line's speed wrong?",
                )
            line = self._take(len(self._buffer) if end < 0 else end + 1)
        return line.rstrip(b"\r\n")

    def _has_line(self) -> bool:
        return b"\n" in self._buffer or self._ended or len(self._buffer) > LONGEST_LINE

    def _take(self, count: int) -> bytes:
        with self._changed:
            taken = bytes(self._buffer[:count])
            del self._buffer[:count]
        return taken

    def _wait(self, ready: Callable[[], bool], timeout_s: float, what: str) -> None:
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not ready():
                remaining = deadline - time.monotonic()
                if self._ended:
                    raise DeviceError(
                        f"the program ended while {what} were awaited",
                        hint=f"last words: {bytes(self._buffer[-200:])!r}" if self._buffer else "",
                    )
                if remaining <= 0 or not self._changed.wait(remaining):
                    raise DeviceError(f"no answer: waited {timeout_s:g} s for {what}")

    def _pump(self) -> None:
        while True:
            data = self._receive()
            with self._changed:
                self._buffer += data
                self._ended = not data
                self._changed.notify_all()
                if self._ended:
                    return
