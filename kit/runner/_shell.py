"""Linux devices with a shell, whichever way leads to it: files are written so that a program there
is always whole, and an end of the line is never taken for an end of the program."""

import abc
import contextlib
import dataclasses
import hashlib
import os
import re
import shlex
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, ClassVar

from kit import process
from kit.channel import ProcessChannel
from kit.device.vitals import SCRIPT, Cores, Vitals, parse_vitals
from kit.errors import DeviceError, KitError
from kit.runner._base import Capabilities, Progress, Runner, Started, no_progress

COMMAND_TIMEOUT_S = 30.0
STALL_TIMEOUT_S = 30.0
END_TIMEOUT_S = 2.0
# Fits, with its answers, in the pipes on the way: 32 kB.
PACKETS_AHEAD = 32
PROGRAM_MODE = "755"

# The last word of every command, on stderr: without it the line broke before the command's end.
_EXIT = re.compile(r"percepnet-exit=(\d+)\s*\Z")
_MISMATCH, _CUT_SHORT, _REFUSED = 91, 92, 93

# End what an earlier, cut-off run left behind: its process id is in a file, its folder is ours.
_SWEEP = """
for file in *.pid; do
    [ -f "$file" ] || continue
    pid=$(cat "$file")
    [ "$(readlink /proc/$pid/cwd)" != "$(pwd -P)" ] || kill -9 "$pid"
    rm -f "$file"
done 2>/dev/null
"""

_REASONS = {
    "No space left on device": "free some space there, or name another `folder` in the device map",
    "Read-only file system": "make it writable, or name another `folder` in the device map",
    "Permission denied": "its account may not write there: name another `folder` in the device map",
    "sha256sum": "the device needs the command `sha256sum` (toybox, busybox, coreutils)",
}


@dataclasses.dataclass(frozen=True)
class Answer:
    """How a command on the device ended."""

    code: int
    stdout: str
    stderr: str


class ShellStarted(Started):
    """A program on a device; the local process carries its streams."""

    def __init__(
        self, runner: "ShellRunner", carrier: subprocess.Popen[bytes], complaints: IO[bytes]
    ) -> None:
        """complaints: the file that takes the stderr of both."""
        super().__init__(ProcessChannel(carrier), carrier)
        self._runner = runner
        self._complaints = complaints

    def wait(self, timeout_s: float) -> int:
        super().wait(timeout_s)
        return self._exit_code()

    def kill(self) -> None:
        super().kill()
        self._runner.sweep()

    def explain(self) -> None:
        """Raise DeviceError if the line broke; what else went wrong others say."""
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return
        self._exit_code()

    def _exit_code(self) -> int:
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace")
        match = _EXIT.search(said)
        if match is None:
            raise self._runner.lost(said)
        return int(match[1])


class ShellRunner(Runner):
    """Programs live in a folder of the device that is this account's on this computer.

    Subclasses say how a script gets to a shell there, with binary standard streams.
    """

    capabilities = Capabilities(
        emulated=False,
        exit_code=True,
        end_of_input=True,
        flash=True,
        verify=True,
        resume=True,
        packets_ahead=PACKETS_AHEAD,
    )
    storage: ClassVar[str]

    @abc.abstractmethod
    def command(self, script: str) -> list[str]:
        """The command that has the device's shell run a script."""

    @property
    def folder(self) -> str:
        """Where files of ours are on the device."""
        owner = hashlib.sha256(f"{socket.gethostname()}:{os.getuid()}".encode()).hexdigest()[:8]
        return f"{self.device.folder or self.storage}/percepnet-{owner}"

    def ask(
        self, script: str, data: bytes | None = None, progress: Progress = no_progress
    ) -> Answer:
        """Run a script on the device, `data` as its input.

        Raises DeviceError when the device does not answer, or vanishes before the script's end.
        """
        command = self.command(_with_exit(script))
        try:
            if data is None:
                done = process.run(command, timeout_s=COMMAND_TIMEOUT_S, check=False)
            else:
                done = process.feed(command, data, stall_timeout_s=STALL_TIMEOUT_S, told=progress)
        except process.Silent as silent:
            raise DeviceError(
                f"device `{self.device.name}` does not answer", hint="start it again"
            ) from silent
        if process.dry_run:
            return Answer(0, "", "")
        said = done.stderr.decode(errors="replace")
        match = _EXIT.search(said)
        if match is None:
            raise self.lost(said)
        return Answer(int(match[1]), done.text, said[: match.start()].strip())

    def lost(self, said: str) -> DeviceError:
        """What to say when the line broke: how the device is now, or what its client said."""
        name = self.device.name
        try:
            self.check()
        except KitError as now:
            return DeviceError(f"the line to `{name}` broke: {now.message}", hint=now.hint)
        return DeviceError(
            f"the line to `{name}` broke", hint=f"{said.strip()}\nit is back: try again".strip()
        )

    def flash(self, program: Path, progress: Progress = no_progress) -> None:
        dry = process.dry_run and not program.is_file()
        self.put(b"" if dry else program.read_bytes(), program.name, progress)

    def put(
        self,
        data: bytes,
        name: str,
        progress: Progress = no_progress,
        mode: str = PROGRAM_MODE,
    ) -> None:
        """Write a file in our folder: it has the old content or all of the new, compared on the
        device. What an interrupted write has left is gone on with."""
        wanted = hashlib.sha256(data).hexdigest()
        there, part, size = self._look_at(name)
        if there != wanted:
            whole = 0 < size <= len(data) and part == hashlib.sha256(data[:size]).hexdigest()
            self._send(data, size if whole else 0, name, wanted, mode, progress)
        progress(1.0)

    def _look_at(self, name: str) -> tuple[str, str, int]:
        """SHA-256 of a file, SHA-256 and size of what an interrupted write left of it."""
        file, part = shlex.quote(name), shlex.quote(f"{name}.part")
        answer = self.ask(
            f"mkdir -p {self.folder} && cd {self.folder} && sha256sum </dev/null >/dev/null || "
            f"exit {_REFUSED}\n"
            f"for file in {file} {part}; do\n"
            '    if [ -f "$file" ]; then sha256sum "$file"; else echo none; fi\n'
            "done\n"
            f"[ ! -f {part} ] || wc -c <{part}"
        )
        self._require_done(answer)
        lines = [line.split()[0] for line in answer.stdout.splitlines()] or ["none", "none"]
        return lines[0], lines[1], int(lines[2]) if len(lines) > 2 else 0

    def _send(
        self, data: bytes, start: int, name: str, wanted: str, mode: str, progress: Progress
    ) -> None:
        file, part = shlex.quote(name), shlex.quote(f"{name}.part")
        script = (
            f"cd {self.folder} && cat {'>>' if start else '>'}{part} || "
            f"{{ rm -f {part}; exit {_REFUSED}; }}\n"
            f'if [ "$(sha256sum <{part} | cut -c 1-64)" != {wanted} ]; then\n'
            f"    [ $(wc -c <{part}) -ge {len(data)} ] || exit {_CUT_SHORT}\n"
            f"    rm -f {part}\n"
            f"    exit {_MISMATCH}\n"
            "fi\n"
            f"chmod {mode} {part} && mv -f {part} {file} && sync || exit {_REFUSED}"
        )

        def of_all(share: float) -> None:
            progress((start + share * (len(data) - start)) / max(1, len(data)))

        self._require_done(self.ask(script, data[start:], of_all))

    def _require_done(self, answer: Answer) -> None:
        name = self.device.name
        if answer.code == _MISMATCH:
            raise DeviceError(
                f"`{name}` holds other bytes than were sent: nothing was replaced",
                hint="its storage or the cable is bad; try again, then try another",
            )
        if answer.code == _CUT_SHORT:
            raise DeviceError(f"the line to `{name}` broke in the middle", hint="try again")
        if answer.code != 0:
            said = answer.stderr.splitlines()[-1] if answer.stderr else f"exit code {answer.code}"
            hint = next((hint for reason, hint in _REASONS.items() if reason in said), "")
            raise DeviceError(f"`{name}` cannot write in {self.folder}: {said}", hint=hint)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        run_file = f"{settings.get('PN_RUN', 'run')}.pid"
        words = [
            *("env", *(f"{key}={value}" for key, value in settings.items())),
            *(("taskset", self.pinned_to.mask) if self.pinned_to else ()),
            f"./{program.name}",
            *args,
        ]
        script = (
            f"cd {self.folder} || exit {_REFUSED}\n{_SWEEP}\n"
            f'sh -c \'echo $$ >"$0"; exec "$@"\' {run_file} {shlex.join(words)}\n'
            f"code=$?; rm -f {run_file}; (exit $code)"
        )
        complaints = tempfile.TemporaryFile()  # noqa: SIM115  # ShellStarted reads it at the end
        child = process.start(self.command(_with_exit(script)), stderr=complaints.fileno())
        return ShellStarted(self, child, complaints)

    def sweep(self) -> None:
        """End programs of ours on the device, if it is still there; else the next start does."""
        with contextlib.suppress(DeviceError):
            self.ask(f"cd {self.folder} && {{ {_SWEEP} }}")

    def vitals(self) -> Vitals:
        """The state of the device now."""
        return parse_vitals(self.ask(SCRIPT).stdout)

    def environment(self) -> Mapping[str, str]:
        return self.vitals().describe()

    def clusters(self) -> Sequence[Cores]:
        return self.vitals().clusters


def _with_exit(script: str) -> str:
    return f"(\n{script}\n); echo percepnet-exit=$? >&2"
