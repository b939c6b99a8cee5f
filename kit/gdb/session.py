"""A conversation with gdb: one command, one answer, and an error in words for what goes wrong."""

import contextlib
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from pygdbmi import gdbmiparser

from kit import process
from kit.channel import ProcessChannel
from kit.errors import DeviceError

GDB = "gdb-multiarch"
ANSWER_TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 3
CONNECT_ANSWER_TIMEOUT_S = 8.0
TRANSFER_TIMEOUT_S = 600.0
INTERRUPT_TIMEOUT_S = 3.0
_SERVERS = (
    "start one: openocd -f board/NAME.cfg, pyocd gdbserver, JLinkGDBServer, or QEMU with -gdb"
)
# Each kind of server knows one of these, and says of the other that it does not.
_RESETS = ("monitor reset halt", "monitor system_reset")
# Of `+download` records, which gdb gives some of while it writes.
_SECTION_STARTED = re.compile(r'^\+download,\{section="[^"]*",section-size="(\d+)"')
_SECTION_SENT = re.compile(r'^\+download,.*section-sent="(\d+)"')
# Whether the board runs after these records.
_STATES = {"running": True, "stopped": False, "thread-group-exited": False}

Record = dict[str, Any]


class GdbError(DeviceError):
    """What gdb said to a command."""


class GdbSession:
    """gdb with a program, connected to a server; a context manager.

    Raises DeviceError when gdb or the server is missing, or the program is not for what is behind
    the server.
    """

    def __init__(self, program: Path, address: str) -> None:
        self.address = address
        self._child = process.start([GDB, "-nx", "-q", "-i=mi3", program])
        self._channel = ProcessChannel(self._child)
        self._running = False
        try:
            self._connect()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def command(
        self,
        text: str,
        timeout_s: float = ANSWER_TIMEOUT_S,
        on_record: Callable[[Record], None] = lambda record: None,
    ) -> list[Record]:
        """Give a command of the machine interface, or of gdb itself; all records to its answer.

        on_record is told each as it comes. Raises GdbError with what gdb says, DeviceError when the
        server is lost or timeout_s is over.
        """
        process.log_action(f"(gdb) {text}")
        self._channel.write((text if text.startswith("-") else _console(text)).encode() + b"\n")
        records = []
        deadline = time.monotonic() + timeout_s
        while True:
            record = self._next_record(deadline)
            if record is None:
                continue
            on_record(record)
            records.append(record)
            if record["type"] == "result":
                break
        if records[-1]["message"] == "error":
            raise self._error(records[-1]["payload"]["msg"])
        return records

    def reset(self) -> None:
        """Reset the board and stop it, where the server can."""
        for text in _RESETS:
            with contextlib.suppress(GdbError):
                self.command(text)

    def load(self, progress: Callable[[int], None]) -> None:
        """Write the program's sections where they belong. progress: told the bytes written."""
        before, section_bytes = 0, 0

        def show(record: Record) -> None:
            nonlocal before, section_bytes
            if started := _SECTION_STARTED.search(str(record["payload"])):
                before, section_bytes = before + section_bytes, int(started[1])
                progress(before)
            elif sent := _SECTION_SENT.search(str(record["payload"])):
                progress(before + int(sent[1]))

        self.command("-target-download", TRANSFER_TIMEOUT_S, show)

    def differing_sections(self) -> list[str]:
        """Names of the program's sections that are otherwise in the board's memory."""
        records = self.command("compare-sections", TRANSFER_TIMEOUT_S)
        lines = [str(r["payload"]) for r in records if r["type"] == "console"]
        compared = [line for line in lines if line.startswith("Section ")]
        if not compared:
            raise DeviceError("gdb compared no sections of the program", hint="build it again")
        return [line.split()[1].rstrip(",") for line in compared if "MIS-MATCHED" in line]

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes to memory."""
        self.command(f"-data-write-memory-bytes {address:#x} {data.hex()}")

    def value(self, expression: str) -> str:
        """What an expression is worth, in gdb's words; `void` for a register that is not there."""
        records = self.command(f"-data-evaluate-expression {expression}")
        return records[-1]["payload"]["value"]

    def run(self) -> None:
        """Let the board run on; gdb waits."""
        self.command("-exec-continue")

    def close(self) -> None:
        """Leave board and server, and end gdb. Says nothing of errors: there is nothing to mend."""
        with contextlib.suppress(DeviceError):
            self._leave()
        self._child.kill()
        self._child.wait()
        self._channel.close()

    def _leave(self) -> None:
        if self._running:
            self.command("-exec-interrupt --all", INTERRUPT_TIMEOUT_S)
            self._wait_for_stop()
        self.command("-target-disconnect", INTERRUPT_TIMEOUT_S)

    def _wait_for_stop(self) -> None:
        deadline = time.monotonic() + INTERRUPT_TIMEOUT_S
        while self._running:
            self._next_record(deadline)

    def _connect(self) -> None:
        # A first command waits for gdb to have read the program.
        self.command("-gdb-set confirm off")
        self.command("-gdb-set mi-async on")
        self.command(f"-gdb-set tcp connect-timeout {CONNECT_TIMEOUT_S}")
        try:
            text = f"-target-select extended-remote {self.address}"
            records = self.command(text, CONNECT_ANSWER_TIMEOUT_S)
        except DeviceError as refused:
            if "'g' packet" in refused.message:
                raise self._other_kind("its registers are others") from refused
            raise DeviceError(
                f"no gdb server answers at {self.address}: {refused.message}", hint=_SERVERS
            ) from refused
        for record in records:
            if record["type"] == "log" and "not compatible" in record["payload"]:
                raise self._other_kind(record["payload"].removeprefix("warning: ").strip())

    def _other_kind(self, why: str) -> DeviceError:
        return DeviceError(
            f"the board at {self.address} is of another kind than the program: {why}",
            hint="is this the server of this device? see: ./tools/percepnet devices list",
        )

    def _next_record(self, deadline: float) -> Record | None:
        """The next record; None for a prompt."""
        line = self._channel.read_line(max(0.0, deadline - time.monotonic()))
        if line is None:
            raise DeviceError("gdb has ended")
        text = line.decode(errors="replace")
        if gdbmiparser.response_is_finished(text):
            return None
        record = gdbmiparser.parse_response(text)
        if record["message"] in _STATES:
            self._running = _STATES[record["message"]]
        return record

    def _error(self, message: str) -> DeviceError:
        if "closed" in message or "reset by peer" in message or "Broken pipe" in message:
            return DeviceError(
                f"the gdb server at {self.address} is gone: {message}",
                hint="start it again, then run the same command: what was half-written is written "
                "afresh",
            )
        return GdbError(message)


def _console(text: str) -> str:
    """A command of gdb's own, for the machine interface."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'-interpreter-exec console "{escaped}"'
