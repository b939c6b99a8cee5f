"""STM32 boards over the boot loader in their ROM (ST's AN3155): no probe, only a serial port."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from kit import process
from kit.channel import PortChannel
from kit.device.port import find_port
from kit.elf import read_image
from kit.runner._base import Capabilities, Progress, Runner, Started, no_progress
from kit.runner._board import BoardStarted, lent_words, open_console
from kit.serialboot import Flasher, Loader, SerialLine, Timeouts, load_chip, load_wiring
from kit.serialboot.loader import BLOCK_BYTES
from kit.serialboot.port import LOADER_BAUD


class SerialBootRunner(Runner):
    """Flash through the ROM's loader, start with its command Go.

    The console is the same port, or the device's `console`.

    The device's `wiring` says how DTR and RTS reset the board; with `none` somebody sets BOOT0 and
    presses reset before every flash and run.
    """

    capabilities = Capabilities(
        emulated=False, exit_code=False, end_of_input=False, flash=True, verify=True, resume=True
    )
    way = "serial"
    timeouts = Timeouts()

    def check(self) -> None:
        load_wiring(self.device.wiring)
        find_port(self.address)

    def flash(self, program: Path, progress: Progress = no_progress) -> None:
        wiring = load_wiring(self.device.wiring)
        process.log_action(f"{self.address}: {LOADER_BAUD} baud, 8E1; {wiring.text}")
        process.log_action(f"{self.address}: Get, Get ID; Read Memory where the program will be")
        process.log_action(f"{self.address}: Erase, Write Memory, Read Memory of pages that differ")
        if process.dry_run:
            return
        image = read_image(program)
        with self._loader() as (_, loader):
            chip = load_chip(loader.retried(loader.chip_id))
            Flasher(loader, chip, progress).write(image, self._vectors())

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        address, words = lent_words(program, args, settings)
        with self._loader() as (line, loader):
            for offset in range(0, len(words), BLOCK_BYTES):
                block = words[offset : offset + BLOCK_BYTES]
                loader.retried(lambda at=address + offset, data=block: loader.write(at, data))
            channel = open_console(self.device) if self.device.console else None
            loader.retried(lambda: loader.go(self._vectors()))
            channel = channel or PortChannel(line.release_as_console(self.device.baud))
        return BoardStarted(channel, lambda: None)

    def _vectors(self) -> int:
        """Where the program's vector table is."""
        return next(m.origin for m in self.target.memory.values() if "vectors" in m.holds)

    @contextlib.contextmanager
    def _loader(self) -> Iterator[tuple[SerialLine, Loader]]:
        """The line with the loader that awaits commands; closed at the end if it is still ours."""
        line = SerialLine(find_port(self.address), load_wiring(self.device.wiring))
        try:
            loader = Loader(line, line.enter_loader, self.timeouts)
            loader.connect()
            yield line, loader
        finally:
            line.close()
