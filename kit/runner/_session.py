"""A conversation with a program on a target, the same for a process, an emulator and a board."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kit import console
from kit.build import build, program_path
from kit.device import Device
from kit.device.claim import claimed
from kit.devtest.protocol import is_last
from kit.errors import DeviceError
from kit.runner._base import Capabilities, Runner, Started
from kit.target import Target, load_target

SILENCE_TIMEOUT_S = 120.0
READ_TIMEOUT_S = 30.0
EXIT_TIMEOUT_S = 30.0


class Session:
    """A running program. Close it (or use `with`) to wait for its end; an error ends it."""

    def __init__(
        self,
        started: Started,
        run_id: str,
        capabilities: Capabilities,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        """release: called when the program has ended."""
        self.run_id = run_id
        self.capabilities = capabilities
        self._started = started
        self._release = release
        self._exit_code: int | None = None

    def lines(self, timeout_s: float = SILENCE_TIMEOUT_S) -> Iterator[str]:
        """Lines until PN_DONE or the end of the output; DeviceError after timeout_s of silence."""
        while (line := self._started.channel.read_line(timeout_s)) is not None:
            text = line.decode(errors="replace")
            yield text
            if is_last(text):
                return
        self._started.explain()

    def write(self, data: bytes) -> None:
        """Send bytes to the program's input. Raises DeviceError when it has ended."""
        with self._explained():
            self._started.channel.write(data)

    def finish_writing(self) -> None:
        """End the program's input, where capabilities.end_of_input says that this is possible."""
        self._started.channel.finish_writing()

    def read_exact(self, count: int, timeout_s: float = READ_TIMEOUT_S) -> bytes:
        """Exactly `count` bytes of output. Raises DeviceError when they do not come."""
        with self._explained():
            return self._started.channel.read_exact(count, timeout_s)

    def read_some(self, timeout_s: float = READ_TIMEOUT_S) -> bytes:
        """What output is there, once some is; empty after timeout_s. DeviceError at the end."""
        with self._explained():
            return self._started.channel.read_some(timeout_s)

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> int:
        """Wait for the program's end and return its exit code; DeviceError if it does not end."""
        if self._exit_code is None:
            try:
                self._exit_code = self._started.wait(timeout_s)
            finally:
                self._release()
        return self._exit_code

    def kill(self) -> None:
        """End the program now."""
        self._exit_code = -1
        try:
            self._started.kill()
        finally:
            self._release()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """A broken line in place of what followed from it."""
        try:
            yield
        except DeviceError:
            self._started.explain()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._exit_code is None:
            if error is None:
                self.close()
            else:
                self.kill()


def new_run_id() -> str:
    """A name for one run, so that the words of an older program are not taken for this one's."""
    return secrets.token_hex(4)


def open_session(
    where: Target | str | Runner,
    app: str | Path,
    args: Sequence[str] = (),
    *,
    settings: Mapping[str, str] | None = None,
    model: str = "",
    rebuild: bool = True,
    device: Device | None = None,
) -> Session:
    """Build an app where needed, flash it where that takes it, start it, talk to it.

    where: a target, on `device` if that is given, or a runner. app: its name, or the file of one
    that is built, which stays as it is. settings: what pn_port_env reads in
    the program, PN_RUN (session.run_id) beside them. model: a .tflite file instead of the target's
    own. rebuild=False takes the program as it is.
    Raises KitError when the device is not ready, or the program does not build or start.
    """
    from kit.runner import make_runner

    if isinstance(where, str):
        where = load_target(where)
    runner = where if isinstance(where, Runner) else make_runner(where, device)
    with contextlib.ExitStack() as claim:
        if runner.device:
            claim.enter_context(claimed(runner.device))
        runner.check()
        if rebuild and not isinstance(app, Path):
            build(runner.target.name, model)
        program = app if isinstance(app, Path) else program_path(runner.target, app)
        return start_program(runner, program, args, settings or {}, claim.pop_all().close)


def start_program(
    runner: Runner,
    program: Path,
    args: Sequence[str],
    settings: Mapping[str, str],
    release: Callable[[], None] = lambda: None,
    flash: bool = True,
) -> Session:
    """Start a built program, written to the device before where the runner does that.

    release: called when the program has ended, or could not be started. flash=False: the caller has
    written it.
    """
    try:
        if flash and runner.capabilities.flash:
            runner.flash(program)
        run_id = new_run_id()
        started = runner.start(program, args, {"PN_RUN": run_id, **settings})
    except BaseException:
        release()
        raise
    return Session(started, run_id, runner.capabilities, release)


def run_programs(target: Target, programs: Sequence[Path]) -> int:
    """Run C test programs one after the other; print a line each, and all output of those that
    fail.

    Returns how many failed.
    """
    from kit.runner import make_runner

    runner = make_runner(target)
    failed = 0
    for program in programs:
        began = time.monotonic()
        lines, verdict = _run_to_end(runner, program)
        failed += verdict != "ok"
        if verdict != "ok":
            console.info("\n".join(f"        {line}" for line in lines))
        name = f"{program.parent.parent.name}/{program.stem}"
        console.info(f"  {verdict:5} {name} ({time.monotonic() - began:.1f} s)")
    console.info(f"{target.name}: {len(programs) - failed} of {len(programs)} C tests passed")
    return failed


def _run_to_end(runner: Runner, program: Path) -> tuple[list[str], str]:
    """Every line of a program, and `ok` or what was wrong."""
    lines: list[str] = []
    try:
        with start_program(runner, program, [], {}) as session:
            for line in session.lines():
                lines.append(line)
            code = session.close()
    except DeviceError as broken:
        return [*lines, broken.message], "FAIL"
    return lines, "ok" if code == 0 else "FAIL"
