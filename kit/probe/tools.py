"""The command lines of pyOCD and OpenOCD, and what their errors mean to a person."""

import abc
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from kit import packages, process
from kit.device.probe import pyocd_is_installed
from kit.errors import DeviceError, KitError, TargetError
from kit.runner._base import Progress, no_progress
from kit.target import Probe, Target

FLASH_TIMEOUT_S = 600.0
OPENOCD = "openocd"
_CONNECTED = "see what is plugged in: ./tools/percepnet devices detect"


class ProbeTool(abc.ABC):
    """A program that works a probe. Commands are lists of arguments.

    Between them the chip stays stopped: what was just written is not heard before it was compared
    and given its words.
    """

    # What its output says, as a pattern, and what that means: a message and the next step.
    errors: ClassVar[Mapping[str, tuple[str, str]]]
    # How many `=` it draws while it flashes; 0: it says nothing until it is through.
    all_marks: ClassVar[int] = 0

    def __init__(self, probe: Probe, probe_id: str) -> None:
        self.probe = probe
        self.probe_id = probe_id

    @abc.abstractmethod
    def flash(self, program: Path) -> list[str]:
        """Reset the chip, stop it and write a program's sections."""

    @abc.abstractmethod
    def read(self, pieces: Sequence[tuple[int, int, Path]]) -> list[str]:
        """Read memory: address, bytes, and the file they go to, of each piece."""

    @abc.abstractmethod
    def start(self, address: int, words: Path) -> list[str]:
        """Reset the board, lay a file's bytes at an address in RAM, and let it run."""

    def run(self, command: Sequence[str], progress: Progress = no_progress) -> None:
        """Run one of the commands; `progress` is told how far it is, where it says so.

        Raises DeviceError with what its output means.
        """
        marks = 0

        def count_marks(piece: bytes) -> None:
            nonlocal marks
            marks += piece.count(b"=")
            if marks and self.all_marks:
                progress(min(1.0, marks / self.all_marks))

        done = process.follow(command, timeout_s=FLASH_TIMEOUT_S, told=count_marks)
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        if done.returncode == 0:
            return
        for pattern, (message, hint) in self.errors.items():
            if re.search(pattern, said, re.IGNORECASE):
                raise DeviceError(
                    f"debug probe `{self.probe_id}`: {message}",
                    hint=hint.format(chip=self.probe.pyocd, id=self.probe_id),
                )
        raise DeviceError(
            f"debug probe `{self.probe_id}`: {Path(command[0]).name} failed", hint=said[-2000:]
        )


_MISSING = ("it is not connected", _CONNECTED)
_NOT_PERMITTED = (
    "it may not be used by this account",
    "install the rules: tools/udev/README.md; then plug it in again",
)
_BUSY = ("another program uses it", "end that: a debugger, an IDE, another run")
_NO_CHIP = (
    "it does not reach the chip",
    "is the board powered? are SWDIO, SWCLK and ground connected? hold reset while it connects",
)
_LOCKED = "the chip is locked against debuggers"
_NOT_WRITTEN = (
    "the chip's flash could not be written",
    "is it write-protected? is the board powered? then run the same command again",
)


class PyOcd(ProbeTool):
    """pyOCD, as a program of its own: it may fail in its own ways."""

    all_marks = 2 * 40  # erasing, then writing

    errors: ClassVar[Mapping[str, tuple[str, str]]] = {
        r"no connected debug probe|no target device available|no available debug probe": _MISSING,
        r"access denied|insufficient permissions": _NOT_PERMITTED,
        r"resource busy|already in use|exclusive": _BUSY,
        r"target type \S+ not recognized|not a recognized target|unknown target": (
            "pyOCD does not know the chip",
            "install its description: .venv/bin/pyocd pack install {chip}",
        ),
        r"because it is disabled|APPROTECT|secure state|unable to unlock": (
            _LOCKED,
            "unlocking erases all of it: .venv/bin/pyocd erase --mass -u {id} -t {chip}",
        ),
        r"no ack|unexpected ack|transfer (timeout|fault)|no cores|dp init|power.?up": _NO_CHIP,
        r"flash (program|erase|init)|page program|FlashFailure": _NOT_WRITTEN,
    }

    def flash(self, program: Path) -> list[str]:
        stay = ["--no-reset", "-O", "resume_on_disconnect=false"]
        return [*self._words("load"), *stay, str(program)]

    def read(self, pieces: Sequence[tuple[int, int, Path]]) -> list[str]:
        reads = [f"savemem {address:#x} {count} {path}" for address, count, path in pieces]
        return self._commander(["reset halt", *reads])

    def start(self, address: int, words: Path) -> list[str]:
        return self._commander(["reset halt", f"loadmem {address:#x} {words}", "go"])

    def _commander(self, commands: Sequence[str]) -> list[str]:
        return [*self._words("commander"), *(w for text in commands for w in ("-c", text))]

    def _words(self, verb: str) -> list[str]:
        where = ["-W", "-u", self.probe_id, "-t", self.probe.pyocd]
        return [sys.executable, "-m", "pyocd", verb, *where]


class OpenOcd(ProbeTool):
    """OpenOCD with the configuration of a board."""

    errors: ClassVar[Mapping[str, tuple[str, str]]] = {
        r"LIBUSB_ERROR_ACCESS|permission denied": _NOT_PERMITTED,
        r"LIBUSB_ERROR_BUSY": _BUSY,
        r"can't find (board|target|interface)": (
            "this OpenOCD has no configuration of the board",
            "a newer OpenOCD, or pyOCD, may know it",
        ),
        r"device protected|read.?(out )?protect|is locked|MDM: |secured MCU": (
            _LOCKED,
            "unlocking erases all of it: its maker's program does that",
        ),
        r"cannot read IDR|error connecting dp|not examined|target voltage|unable to connect to the "
        r"target|init mode failed": _NO_CHIP,
        r"unable to (open|find)|open failed|no device found|no .* found": _MISSING,
        r"programming failed|failed erasing|error writing|verify failed": _NOT_WRITTEN,
    }

    def flash(self, program: Path) -> list[str]:
        return self._command([f"program {{{program}}} verify"])

    def read(self, pieces: Sequence[tuple[int, int, Path]]) -> list[str]:
        reads = [f"dump_image {{{path}}} {address:#x} {count}" for address, count, path in pieces]
        return self._command(["init", "reset halt", *reads])

    def start(self, address: int, words: Path) -> list[str]:
        load = f"load_image {{{words}}} {address:#x} bin"
        return self._command(["init", "reset halt", load, "resume"])

    def _command(self, commands: Sequence[str]) -> list[str]:
        all_commands = [f"adapter serial {self.probe_id}", *commands, "shutdown"]
        words = [word for text in all_commands for word in ("-c", text)]
        return [OPENOCD, "-f", self.probe.openocd, *words]


def tool_for(target: Target, probe_id: str) -> ProbeTool:
    """pyOCD where it is installed and knows the target, else OpenOCD.

    Raises TargetError for a target that no tool knows, KitError when none is installed.
    """
    known = target.probe
    if known is None or not (known.pyocd or known.openocd):
        raise TargetError(
            f"target `{target.name}` does not say how a debug probe works it",
            hint="[probe] in its file: pyocd, its name in `pyocd list --targets`, or openocd, its "
            "configuration file",
        )
    if known.pyocd and pyocd_is_installed():
        return PyOcd(known, probe_id)
    if known.openocd and (process.dry_run or shutil.which(OPENOCD)):
        return OpenOcd(known, probe_id)
    hints = ["install pyOCD: .venv/bin/pip install pyocd"] if known.pyocd else []
    hints += [packages.install_hint(OPENOCD)] if known.openocd else []
    raise KitError("no program for debug probes is installed", hint="\n".join(hints))
