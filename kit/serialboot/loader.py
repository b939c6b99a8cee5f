"""The boot loader's commands: bytes and their complements, checksums, acknowledgements.

Every method raises ExchangeFailed when the line garbled or swallowed something, which `recover` and
another try may mend, and what the line itself raises when it is gone.
"""

import dataclasses
import functools
import operator
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from kit import console
from kit.errors import DeviceError

ACK, NACK, SYNC = 0x79, 0x1F, 0x7F
# A byte that ends any command that hangs half-way without doing harm: no checksum of such bytes
# alone fits an address, a number of pages or of bytes to read; written to flash it changes nothing.
FILL = 0xFF

GET, GET_ID, READ, GO, WRITE, ERASE, EXTENDED_ERASE = 0x00, 0x02, 0x11, 0x21, 0x31, 0x43, 0x44
NAMES = {
    GET: "Get",
    GET_ID: "Get ID",
    READ: "Read Memory",
    GO: "Go",
    WRITE: "Write Memory",
    ERASE: "Erase",
    EXTENDED_ERASE: "Extended Erase",
}
BLOCK_BYTES = 256
_LONGEST_COMMAND_BYTES = 1 + BLOCK_BYTES + 1
_ATTEMPTS = 3
_DRAIN_BYTES = 1 << 16
_Result = TypeVar("_Result")


class ExchangeFailed(DeviceError):
    """A command did not go through: no answer, a refusal, or an answer that is none."""


class Refused(ExchangeFailed):
    """The loader said NACK. at_once: to the command itself, as a read-protected chip does."""

    def __init__(self, message: str, at_once: bool) -> None:
        super().__init__(message)
        self.at_once = at_once


class Line(Protocol):
    """What carries the bytes. All methods raise DeviceError when it is gone."""

    def write(self, data: bytes) -> None:
        """Send all bytes."""

    def read(self, count: int, timeout_s: float) -> bytes:
        """Up to `count` bytes, fewer when timeout_s is over before they are there."""


@dataclasses.dataclass(frozen=True)
class Timeouts:
    """How long an answer may take, in seconds.

    erase_s: one page; the slowest of 128 KiB takes 4 s. quiet_s: after so long nothing more comes.
    """

    sync_s: float = 0.5
    answer_s: float = 1.0
    write_s: float = 2.0
    erase_s: float = 8.0
    quiet_s: float = 0.05


def checksum(data: bytes) -> int:
    """All bytes exclusively ORed."""
    return functools.reduce(operator.xor, data, 0)


def _no_reset() -> None:
    """For a board whose reset and boot pins are no business of ours."""


class Loader:
    """A conversation with the loader over a line.

    enter_loader: brings the chip into its loader, where the board's wiring can; else it must be
    there already.
    """

    def __init__(
        self,
        line: Line,
        enter_loader: Callable[[], None] = _no_reset,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._line = line
        self._enter_loader = enter_loader
        self._timeouts = timeouts or Timeouts()
        self.commands = b""
        self.version = 0
        self.troubles = 0

    def connect(self, patience_s: float = 0.0) -> None:
        """Reset the chip into its loader, where that is possible, and learn what it can do.

        patience_s: how long a person is given to reset it. Raises ExchangeFailed, with what to look
        at, when nobody answers.
        """
        deadline = time.monotonic() + patience_s
        attempts = 0
        while True:
            attempts += 1
            self._enter_loader()
            try:
                self._find_step()
                self._get()
                return
            except ExchangeFailed as silent:
                if attempts >= _ATTEMPTS and time.monotonic() > deadline:
                    raise _no_loader(silent.message) from silent
                if attempts == _ATTEMPTS:
                    console.note("the boot loader is silent: reset the board, with BOOT0 high")

    def recover(self) -> None:
        """Bring both sides back into step after ExchangeFailed; resets the chip if it must."""
        self.troubles += 1
        try:
            self._find_step()
            self._get()
        except ExchangeFailed:
            self.connect()

    def retried(self, exchange: Callable[[], _Result]) -> _Result:
        """Try an exchange that does no harm when it is done twice."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return exchange()
            except ExchangeFailed:
                self.recover()
        return exchange()

    def chip_id(self) -> int:
        """The chip's product id."""
        self._command(GET_ID)
        count = self._exactly(1, "Get ID")[0] + 1
        answer = self._exactly(count, "Get ID")
        self._acknowledged("Get ID", self._timeouts.answer_s)
        return int.from_bytes(answer, "big")

    def read(self, address: int, count: int) -> bytes:
        """1 to 256 bytes of memory."""
        self._command(READ)
        self._send_address(address, "Read Memory")
        self._line.write(bytes([count - 1, (count - 1) ^ 0xFF]))
        self._acknowledged("Read Memory", self._timeouts.answer_s)
        return self._exactly(count, "Read Memory")

    def write(self, address: int, data: bytes) -> None:
        """Program 1 to 256 bytes, a multiple of 4 at a multiple of 4."""
        self._command(WRITE)
        self._send_address(address, "Write Memory")
        body = bytes([len(data) - 1]) + data
        self._line.write(body + bytes([checksum(body)]))
        self._acknowledged("Write Memory", self._timeouts.write_s)

    def erase_page(self, number: int) -> None:
        """Erase one page. A write-protected one stays as it is, and the loader does not say so."""
        command = EXTENDED_ERASE if EXTENDED_ERASE in self.commands else ERASE
        self._command(command)
        width = 2 if command == EXTENDED_ERASE else 1
        body = (0).to_bytes(width, "big") + number.to_bytes(width, "big")
        self._line.write(body + bytes([checksum(body)]))
        self._acknowledged(NAMES[command], self._timeouts.erase_s)

    def go(self, address: int) -> None:
        """Start the program whose vector table is at an address."""
        self._command(GO)
        self._send_address(address, "Go")

    def _find_step(self) -> None:
        """Come to where the loader awaits a command, from wherever it is."""
        for _ in range(_ATTEMPTS):
            self._drain()
            # A loader fresh from reset takes the first for its measure of our speed and says ACK.
            # One that awaits a command takes two for a broken one and says NACK.
            for _ in range(2):
                self._line.write(bytes([SYNC]))
                if self._line.read(1, self._timeouts.sync_s) in (bytes([ACK]), bytes([NACK])):
                    return
            self._line.write(bytes([FILL]) * _LONGEST_COMMAND_BYTES)
        raise ExchangeFailed("no answer to the byte 0x7F that sets its speed")

    def _drain(self) -> None:
        """Drop what comes until nothing does."""
        while self._line.read(_DRAIN_BYTES, self._timeouts.quiet_s):
            continue

    def _get(self) -> None:
        """Learn version and commands; also the proof that this is a loader, in step."""
        self._command(GET)
        count = self._exactly(1, "Get")[0] + 1
        answer = self._exactly(count, "Get")
        self._acknowledged("Get", self._timeouts.answer_s)
        self.version, self.commands = answer[0], answer[1:]

    def _command(self, code: int) -> None:
        self._line.write(bytes([code, code ^ 0xFF]))
        self._acknowledged(NAMES[code], self._timeouts.answer_s, at_once=True)

    def _send_address(self, address: int, name: str) -> None:
        body = address.to_bytes(4, "big")
        self._line.write(body + bytes([checksum(body)]))
        self._acknowledged(name, self._timeouts.answer_s)

    def _acknowledged(self, name: str, timeout_s: float, at_once: bool = False) -> None:
        answer = self._line.read(1, timeout_s)
        if not answer:
            raise ExchangeFailed(f"{name}: no answer within {timeout_s:g} s")
        if answer[0] == NACK:
            raise Refused(f"{name}: refused", at_once)
        if answer[0] != ACK:
            raise ExchangeFailed(f"{name}: {answer[0]:#04x} came instead of an acknowledgement")

    def _exactly(self, count: int, name: str) -> bytes:
        answer = self._line.read(count, self._timeouts.answer_s)
        if len(answer) != count:
            raise ExchangeFailed(f"{name}: {len(answer)} of {count} bytes came")
        return answer


def _no_loader(what: str) -> ExchangeFailed:
    return ExchangeFailed(
        f"the boot loader does not answer: {what}",
        hint="is BOOT0 high, and was the board reset after that?\n"
        "are RX and TX crossed, is ground connected, is this a UART that the loader listens to "
        "(ST's AN2606)?\n"
        "does the adapter do even parity?",
    )
