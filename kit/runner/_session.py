"""A conversation with a program on a target, the same for a process, an emulator and a board."""

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kit import console
from kit.build import build, program_path
from kit.devtest.protocol import is_last
from kit.errors import DeviceError
from kit.runner._base import Capabilities, Started
from kit.target import Target, load_target

SILENCE_TIMEOUT_S = 120.0
READ_TIMEOUT_S = 30.0
EXIT_TIMEOUT_S = 30.0


class Session:
    """A running program. Close it (or use `with`) to wait for its end; an error ends it."""

    def __init__(self, started: Started, run_id: str, capabilities: Capabilities) -> None:
        self.run_id = run_id
        self.capabilities = capabilities
        self._started = started
        self._exit_code: int | None = None

    def lines(self, timeout_s: float = SILENCE_TIMEOUT_S) -> Iterator[str]:
        """Lines until PN_DONE or the end of the output; DeviceError after timeout_s of silence."""
        while (line := self._started.channel.read_line(timeout_s)) is not None:
            text = line.decode(errors="replace")
            yield text
            if is_last(text):
                return

    def write(self, data: bytes) -> None:
        """Send bytes to the program's input. Raises DeviceError when it has ended."""
        self._started.channel.write(data)

    def finish_writing(self) -> None:
        """End the program's input, where capabilities.end_of_input says that this is possible."""
        self._started.channel.finish_writing()

    def read_exact(self, count: int, timeout_s: float = READ_TIMEOUT_S) -> bytes:
        """Exactly `count` bytes of output. Raises DeviceError when they do not come."""
        return self._started.channel.read_exact(count, timeout_s)

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> int:
        """Wait for the program's end and return its exit code; DeviceError if it does not end."""
        if self._exit_code is None:
            self._exit_code = self._started.wait(timeout_s)
        return self._exit_code

    def kill(self) -> None:
        """End the program now."""
        self._started.kill()
        self._exit_code = -1

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
    target: Target | str,
    app: str,
    args: Sequence[str] = (),
    *,
    settings: Mapping[str, str] | None = None,
    model: str = "",
    rebuild: bool = True,
) -> Session:
    """Build an app of a target where needed, start it, and talk to it.

    settings: what pn_port_env reads in the program, PN_RUN (session.run_id) beside them.
    model: a .tflite file instead of the target's own. rebuild=False takes the program as it is.
    Raises KitError when it does not build or start.
    """
    if isinstance(target, str):
        target = load_target(target)
    if rebuild:
        build(target.name, model)
    return start_program(target, program_path(target, app), args, settings or {})


def start_program(
    target: Target, program: Path, args: Sequence[str], settings: Mapping[str, str]
) -> Session:
    """Start a built program on its target."""
    from kit.runner import make_runner

    runner = make_runner(target)
    run_id = new_run_id()
    started = runner.start(program, args, {"PN_RUN": run_id, **settings})
    return Session(started, run_id, runner.capabilities)


def run_programs(target: Target, programs: Sequence[Path]) -> int:
    """Run C test programs one after the other; print a line each, and all output of those that
    fail.

    Returns how many failed.
    """
    failed = 0
    for program in programs:
        began = time.monotonic()
        lines, verdict = _run_to_end(target, program)
        failed += verdict != "ok"
        if verdict != "ok":
            console.info("\n".join(f"        {line}" for line in lines))
        name = f"{program.parent.parent.name}/{program.stem}"
        console.info(f"  {verdict:5} {name} ({time.monotonic() - began:.1f} s)")
    console.info(f"{target.name}: {len(programs) - failed} of {len(programs)} C tests passed")
    return failed


def _run_to_end(target: Target, program: Path) -> tuple[list[str], str]:
    """Every line of a program, and `ok` or what was wrong."""
    lines: list[str] = []
    try:
        with start_program(target, program, [], {}) as session:
            for line in session.lines():
                lines.append(line)
            code = session.close()
    except DeviceError as broken:
        return [*lines, broken.message], "FAIL"
    return lines, "ok" if code == 0 else "FAIL"
