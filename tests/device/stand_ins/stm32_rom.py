"""The device's side of ST's application note AN3155: an STM32 in its ROM boot loader, on a pty.

Written from the application note, as there is no emulator of that loader. It has flash that behaves
like flash (erased by pages to ones, programmed from one to zero only), and it can be made to
misbehave: `faults` name moments by the count of bytes that the device has received or sent.
"""

import dataclasses
import enum
import functools
import operator
import os
import pty
import queue
import random
import select
import threading
import tty
from collections.abc import Callable, Mapping

from kit.serialboot.chips import Chip, Page

ACK, NACK, SYNC = 0x79, 0x1F, 0x7F
GET, GET_VERSION, GET_ID, READ, GO = 0x00, 0x01, 0x02, 0x11, 0x21
WRITE, ERASE, EXTENDED_ERASE, READOUT_UNPROTECT = 0x31, 0x43, 0x44, 0x92
ALWAYS_ALLOWED = (GET, GET_VERSION, GET_ID, READOUT_UNPROTECT)
POLL_S = 0.01
RAM_START, RAM_END = 0x20000000, 0x20080000


class Fault(enum.Enum):
    """What goes wrong at a moment."""

    NACK = "refuses what it would have acknowledged"
    SILENCE = "does what it was told, and its answer is lost"
    LOST_BYTE = "does not hear a byte"
    NOISE_IN = "hears another byte"
    NOISE_OUT = "another byte arrives"
    EXTRA_BYTE = "a byte arrives that was not sent"
    UNPLUGGED = "the serial adapter is pulled out"
    POWER_LOSS = "loses power; what was being erased or programmed is torn"


class _Unplugged(Exception):
    pass


class _PowerLost(Exception):
    pass


class _Stopped(Exception):
    pass


class Flash:
    """The chip's flash; `watch` is called after every change of it."""

    def __init__(self, chip: Chip, seed: int, tears_unreadable: bool = False) -> None:
        self.chip = chip
        self.protected: set[int] = set()
        self.watch: Callable[[], None] = lambda: None
        self.unreadable: set[int] = set()
        self._tears_unreadable = tears_unreadable
        self._random = random.Random(seed)
        self.bytes = bytearray(self._random.randbytes(chip.flash_end - chip.flash_start))

    def at(self, address: int, count: int) -> bytes:
        start = address - self.chip.flash_start
        return bytes(self.bytes[start : start + count])

    def erase(self, page: Page, share: float = 1.0) -> None:
        """Erase a page, or with a share below 1 only tear it."""
        if page.number in self.protected:
            return
        start = page.address - self.chip.flash_start
        count = int(page.size * share)
        self.bytes[start : start + count] = b"\xff" * count
        self.unreadable -= set(range(page.address, page.address + page.size))
        if share < 1 and self._tears_unreadable:
            self.unreadable.add(page.address + count)
        self.watch()

    def program(self, address: int, data: bytes, share: float = 1.0) -> None:
        count = int(len(data) * share)
        start = address - self.chip.flash_start
        page = next(p for p in self.chip.pages if p.address <= address < p.address + p.size)
        if page.number in self.protected:
            return
        for i, byte in enumerate(data[:count]):
            self.bytes[start + i] &= byte
        if share < 1 and self._tears_unreadable and data[count : count + 1] not in (b"", b"\xff"):
            self.unreadable.add(address + count)
        self.watch()


@dataclasses.dataclass
class Rom:
    """The loader. legacy: it erases by the older command. says: what a program that is started
    says on the line, given what lies in RAM."""

    flash: Flash
    faults: Mapping[int, Fault] = dataclasses.field(default_factory=dict)
    legacy: bool = False
    read_protected: bool = False
    boot0: bool = True
    says: Callable[[bytes], bytes] = lambda ram: b""
    seed: int = 1
    moments: int = 0

    def __post_init__(self) -> None:
        self.faults = dict(self.faults)
        self._random = random.Random(self.seed)
        self.ram = bytearray(RAM_END - RAM_START)
        self._fault: Fault | None = None
        self._stop = threading.Event()
        self._started: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._reset = threading.Event()
        self._nrst = True
        self.path = ""

    # -- the outside: cable, reset button, power

    def plug_in(self) -> str:
        """Connect the serial adapter; the path of its port."""
        self._stop.clear()
        self._controller, port = pty.openpty()
        tty.setraw(port)
        self.path = os.ttyname(port)
        # Held open, or the port's end would be taken for the end of everything.
        self._port = port
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self.path

    def unplug(self) -> None:
        """Pull the adapter out, if it is plugged in."""
        if self.path:
            self._stop.set()
            self._thread.join()
            self.path = ""

    def press_reset(self) -> None:
        """Reset the chip."""
        self._reset.set()

    def set_pins(self, nrst: bool, boot0: bool) -> None:
        """Drive the pins; the chip looks at BOOT0 when NRST rises."""
        if nrst and not self._nrst:
            self.boot0 = boot0
            self._reset.set()
        self._nrst = nrst

    def started_at(self, timeout_s: float) -> int:
        """The address of the program that Go has started; queue.Empty when none is in time."""
        return self._started.get(timeout=timeout_s)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._reset.clear()
                try:
                    self._boot()
                except _PowerLost:
                    continue
        except (_Unplugged, _Stopped):
            pass
        finally:
            os.close(self._controller)
            os.close(self._port)

    # -- the loader

    def _boot(self) -> None:
        """From reset to the next: the program in flash, or the loader."""
        if not self.boot0:
            self._hang()
        while self._receive() != SYNC:
            continue
        self._answer(ACK)
        while True:
            command, complement = self._receive(), self._receive()
            if (
                command ^ complement != 0xFF
                or command not in self._commands()
                or self.read_protected
                and command not in ALWAYS_ALLOWED
            ):
                self._answer(NACK)
            else:
                self._handle(command)

    def _commands(self) -> dict[int, Callable[[], None]]:
        erase = {ERASE: self._erase} if self.legacy else {EXTENDED_ERASE: self._extended_erase}
        return {
            GET: self._get,
            GET_VERSION: self._get_version,
            GET_ID: self._get_id,
            READ: self._read,
            GO: self._go,
            WRITE: self._write,
            **erase,
            READOUT_UNPROTECT: self._readout_unprotect,
        }

    def _handle(self, command: int) -> None:
        if self._answer(ACK):
            self._commands()[command]()

    def _get(self) -> None:
        commands = list(self._commands())
        self._send(bytes([len(commands), 0x31, *commands]))
        self._answer(ACK)

    def _get_version(self) -> None:
        self._send(bytes([0x31, 0, 0]))
        self._answer(ACK)

    def _get_id(self) -> None:
        self._send(bytes([1]) + self.flash.chip.id.to_bytes(2, "big"))
        self._answer(ACK)

    def _read(self) -> None:
        address = self._address()
        if address is None:
            return
        count, complement = self._receive(), self._receive()
        if count ^ complement != 0xFF or not self._in_flash(address, count + 1):
            self._answer(NACK)
        elif self._answer(ACK):
            if self.flash.unreadable & set(range(address, address + count + 1)):
                self._hang()
            self._send(self.flash.at(address, count + 1))

    def _write(self) -> None:
        address = self._address()
        if address is None:
            return
        count = self._receive()
        data = bytes(self._receive() for _ in range(count + 1))
        if self._receive() != count ^ _xor(data) or address % 4 or len(data) % 4:
            self._answer(NACK)
            return
        if address >= RAM_START and address + len(data) <= RAM_END:
            self.ram[address - RAM_START : address - RAM_START + len(data)] = data
            self._answer(ACK)
            return
        if not self._in_flash(address, len(data)):
            self._answer(NACK)
            return
        if self._fault is Fault.POWER_LOSS:
            self.flash.program(address, data, self._random.random())
            self._lose_power()
        self.flash.program(address, data)
        self._answer(ACK)

    def _erase(self) -> None:
        self._erase_pages(1)

    def _extended_erase(self) -> None:
        self._erase_pages(2)

    def _erase_pages(self, width: int) -> None:
        pages = self.flash.chip.pages
        head = bytes(self._receive() for _ in range(width))
        count = int.from_bytes(head, "big") + 1
        if count > len(pages):
            self._answer(NACK)
            return
        codes = [bytes(self._receive() for _ in range(width)) for _ in range(count)]
        if self._receive() != _xor(head + b"".join(codes)):
            self._answer(NACK)
            return
        for code in codes:
            number = int.from_bytes(code, "big")
            if number < len(pages):
                if self._fault is Fault.POWER_LOSS:
                    self.flash.erase(pages[number], self._random.random())
                    self._lose_power()
                self.flash.erase(pages[number])
        self._answer(ACK)

    def _go(self) -> None:
        address = self._address()
        if address is not None:
            self._started.put(address)
            os.write(self._controller, self.says(bytes(self.ram)))
            self._hang()

    def _readout_unprotect(self) -> None:
        for page in self.flash.chip.pages:
            self.flash.erase(page)
        self.read_protected = False
        self._answer(ACK)
        raise _PowerLost

    def _address(self) -> int | None:
        """An address with its checksum, acknowledged; None when it was refused."""
        body = bytes(self._receive() for _ in range(4))
        address = int.from_bytes(body, "big")
        valid = self._in_flash(address, 1) or RAM_START <= address < RAM_END
        if self._receive() != _xor(body) or not valid:
            self._answer(NACK)
            return None
        return address if self._answer(ACK) else None

    def _in_flash(self, address: int, count: int) -> bool:
        chip = self.flash.chip
        return chip.flash_start <= address and address + count <= chip.flash_end

    # -- bytes, and what goes wrong with them

    def _receive(self) -> int:
        while True:
            byte = self._wait_for_byte()
            fault = self._next_moment()
            if fault is Fault.LOST_BYTE:
                continue
            if fault is Fault.NOISE_IN:
                return byte ^ self._random.randrange(1, 256)
            return byte

    def _wait_for_byte(self) -> int:
        while True:
            if self._stop.is_set():
                raise _Stopped
            if self._reset.is_set():
                raise _PowerLost
            if select.select([self._controller], [], [], POLL_S)[0]:
                return os.read(self._controller, 1)[0]

    def _next_moment(self) -> Fault | None:
        """Count a byte. Faults of the line strike now; others wait for the next answer."""
        fault = self.faults.pop(self.moments, None)
        self.moments += 1
        if fault is Fault.UNPLUGGED:
            raise _Unplugged
        if fault in (Fault.NACK, Fault.SILENCE, Fault.POWER_LOSS):
            self._fault = fault
        return fault

    def _answer(self, byte: int) -> bool:
        """Answer; False when the command ends here because a fault made it a refusal."""
        fault, self._fault = self._fault, None
        if fault is Fault.POWER_LOSS:
            self._lose_power()
        if fault is Fault.SILENCE:
            return True
        if fault is Fault.NACK:
            byte = NACK
        self._send(bytes([byte]))
        return byte == ACK

    def _send(self, data: bytes) -> None:
        for byte in data:
            fault = self._next_moment()
            if fault is Fault.NOISE_OUT:
                byte ^= self._random.randrange(1, 256)
            if fault is Fault.EXTRA_BYTE:
                os.write(self._controller, bytes([self._random.randrange(256)]))
            os.write(self._controller, bytes([byte]))

    def _lose_power(self) -> None:
        self._fault = None
        raise _PowerLost

    def _hang(self) -> None:
        """Answer nothing until reset."""
        while True:
            self._wait_for_byte()


def _xor(data: bytes) -> int:
    return functools.reduce(operator.xor, data, 0)
