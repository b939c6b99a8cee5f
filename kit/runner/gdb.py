"""Boards behind a gdb server: OpenOCD, pyOCD, J-Link, an emulator, whatever speaks its protocol."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from kit import process
from kit.device.port import find_port
from kit.elf import read_image
from kit.errors import DeviceError
from kit.gdb import GdbSession
from kit.gdb.session import GDB
from kit.runner._base import Capabilities, Progress, Runner, Started, no_progress
from kit.runner._board import BoardStarted, lent_words, open_console

_ADDRESS = re.compile(r"\S+:\d+|/\S+")
_CORTEX_M = "cortex_m"
_VECTOR_TABLE_OFFSET = 0xE000ED08
# Of the time that flashing takes, what is written; the rest is comparing.
_LOAD_SHARE = 0.8


class GdbRunner(Runner):
    """`load`, `compare-sections` and run; the console is the device's serial line."""

    capabilities = Capabilities(
        emulated=False, exit_code=False, end_of_input=False, flash=True, verify=True
    )
    way = "gdb"

    def check(self) -> None:
        if not _ADDRESS.fullmatch(self.address):
            raise DeviceError(
                f"`{self.address}` is no address of a gdb server", hint="HOST:PORT, e.g. :3333"
            )
        if not process.dry_run:
            process.find_program(GDB)
        if self.device.serial:
            find_port(self.device.serial)

    def flash(self, program: Path, progress: Progress = no_progress) -> None:
        if process.dry_run:
            self._show_flash(program)
            return
        total = sum(segment.stored for segment in read_image(program))
        with self._connect(program) as gdb:
            gdb.reset()
            if gdb.differing_sections():
                gdb.load(lambda sent: progress(_LOAD_SHARE * sent / total))
                if bad := gdb.differing_sections():
                    raise DeviceError(
                        f"{', '.join(bad)} of the program read back differently than written",
                        hint="is the program for this board? is its flash write-protected? Some "
                        "servers write flash only with a configuration of the board",
                    )
            progress(1.0)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        address, words = lent_words(program, args, settings)
        console = open_console(self.device)
        try:
            gdb = self._connect(program)
            try:
                gdb.reset()
                gdb.write_memory(address, words)
                self._set_registers(gdb, program)
                gdb.run()
            except BaseException:
                gdb.close()
                raise
        except BaseException:
            console.close()
            raise
        return BoardStarted(console, gdb.close)

    def _connect(self, program: Path) -> GdbSession:
        gdb = GdbSession(program, self.address)
        is_cortex_m = gdb.value("$xpsr") != "void"
        if is_cortex_m != (self.target.port == _CORTEX_M):
            gdb.close()
            raise DeviceError(
                f"the board at {self.address} is {'a' if is_cortex_m else 'no'} Cortex-M, and "
                f"`{self.target.name}` is {'no' if is_cortex_m else 'a'} such target",
                hint="is this server the one of this device? see: ./tools/percepnet devices list",
            )
        return gdb

    def _set_registers(self, gdb: GdbSession, program: Path) -> None:
        """As after a reset, for servers that cannot reset and programs in RAM."""
        if self.target.port == _CORTEX_M:
            vectors = next(m.origin for m in self.target.memory.values() if "vectors" in m.holds)
            table = next(s.data for s in read_image(program) if s.address == vectors)
            stack, entry = (int.from_bytes(table[at : at + 4], "little") for at in (0, 4))
            gdb.write_memory(_VECTOR_TABLE_OFFSET, vectors.to_bytes(4, "little"))
            gdb.command("set $xpsr = 0x01000000")
            gdb.command(f"set $sp = {stack:#x}")
            gdb.command(f"set $pc = {entry & ~1:#x}")

    def _show_flash(self, program: Path) -> None:
        process.log_action(f"{GDB} -nx -q -i=mi3 {program}")
        for text in (
            f"-target-select extended-remote {self.address}",
            "monitor reset halt",
            "monitor system_reset",
            "compare-sections",
            "-target-download, where sections differ",
            "compare-sections",
        ):
            process.log_action(f"(gdb) {text}")
