"""The one way to run an external program: logged, with a timeout, clear about what is missing."""

import contextlib
import ctypes
import dataclasses
import logging
import multiprocessing
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kit import packages
from kit.errors import KitError

if TYPE_CHECKING:
    from multiprocessing.pool import Pool

log = logging.getLogger("kit.process")

_BLOCK = 1 << 16
_INTERRUPTED_TIMEOUT_S = 10.0
_PR_SET_PDEATHSIG = 1

# Linux's way to leave no emulator behind when this process is killed. It becomes the program: the
# process id is the same. Killed before setpriv asked the kernel, about a millisecond, this process
# leaves the program behind: to ask and look for the parent before exec takes Python code in a fork,
# which threads of BLAS do not bear.
_ENDING_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--") if shutil.which("setpriv") else ()

# Commands are only logged, not run, while this is true (`--dry-run`).
dry_run = False


class Silent(KitError):
    """A program that did not end, or take what it was sent, in time; it was ended."""


def show_commands(run_them: bool = True) -> None:
    """Show every command on stderr from now on; run_them=False: run none (a dry run)."""
    global dry_run
    dry_run = not run_them
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("kit").setLevel(logging.INFO)


def log_action(text: str) -> None:
    """Log what is done to a device without a program, e.g. over its serial line, as a command is.

    The caller does it only if not process.dry_run.
    """
    log.info("%s%s", "(dry run) " if dry_run else "", text)


@dataclasses.dataclass(frozen=True)
class Result:
    """How a program ended: its arguments, exit code and what it wrote."""

    args: tuple[str, ...]
    returncode: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """stdout as text."""
        return self.stdout.decode(errors="replace")


def find_program(name: str) -> str:
    """The full path of a program. Raises KitError naming the Debian package when it is missing."""
    path = shutil.which(name)
    if path is None:
        raise KitError(f"`{name}` is not installed", hint=packages.install_hint(name))
    return path


def _prepare(args: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Arguments as text, the program found; the log gets the command as a person types it."""
    words = [os.fspath(arg) for arg in args]
    log_action(shlex.join(words))
    if not dry_run:
        words[0] = find_program(words[0])
    return words


def run(
    args: Sequence[str | os.PathLike[str]],
    *,
    timeout_s: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    capture: bool = True,
    check: bool = True,
) -> Result:
    """Run a program to its end.

    env replaces the whole environment; capture=False lets the program's output through to ours.
    Raises KitError when it is missing, takes longer than timeout_s or, with check, ends with
    another code than 0.
    """
    words = _prepare(args)
    if dry_run:
        return Result(tuple(words), 0, b"", b"")
    pipe = subprocess.PIPE if capture else None
    child = subprocess.Popen(
        [*_ENDING_WITH_US, *words],
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=pipe,
        stderr=pipe,
    )
    with child:
        try:
            stdout, stderr = child.communicate(stdin, timeout_s)
        except subprocess.TimeoutExpired as expired:
            raise Silent(f"`{shlex.join(words)}` did not end within {timeout_s:g} s") from expired
        except KeyboardInterrupt:
            _let_end(child)
            raise
        finally:
            child.kill()
    result = Result(tuple(words), child.returncode, stdout or b"", stderr or b"")
    if check and result.returncode != 0:
        detail = (result.stderr or result.stdout).decode(errors="replace").strip()
        raise KitError(
            f"`{shlex.join(words)}` failed with exit code {result.returncode}", hint=detail
        )
    return result


def _let_end(child: subprocess.Popen[bytes]) -> None:
    """Interrupt a program, as a terminal does, and give it time to leave things in order."""
    child.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_INTERRUPTED_TIMEOUT_S)


def pool(
    processes: int | None = None, initialise: Callable[..., None] | None = None, *args: Any
) -> "Pool":
    """Processes like this one, to share work among: a context manager.

    Forked: they have what this process has, and args need not be picklable. Should this process be
    killed, so are they; they leave an interruption to it.
    """
    context = multiprocessing.get_context("fork")
    return context.Pool(processes, _begin_worker, (os.getpid(), initialise, args))


def _begin_worker(parent: int, initialise: Callable[..., None] | None, args: Sequence[Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    if initialise:
        initialise(*args)


def start(
    args: Sequence[str | os.PathLike[str]],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdout: int = subprocess.PIPE,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program with stdin and stdout as unbuffered pipes; the caller waits for it and ends
    it. Should the caller be killed, or the thread end that called this, so does the program.

    Raises KitError when it is missing, and in a dry run, where a conversation cannot be had.
    """
    words = _prepare(args)
    if dry_run:
        raise KitError("a dry run ends where a program has to answer", hint=shlex.join(words))
    return subprocess.Popen(
        [*_ENDING_WITH_US, *words],
        cwd=cwd,
        env=env,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        bufsize=0,
    )


def feed(
    args: Sequence[str | os.PathLike[str]],
    data: bytes,
    *,
    stall_timeout_s: float,
    told: Callable[[float], None],
) -> Result:
    """Run a program that takes much input; `told` hears which share of it is gone, 0.0 to 1.0.

    Raises KitError as `run` does, without check; Silent when nothing moves for stall_timeout_s.
    """
    if dry_run:
        log_action(f"{shlex.join(os.fspath(arg) for arg in args)} < {len(data)} bytes")
        return Result(tuple(os.fspath(arg) for arg in args), 0, b"", b"")
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = start(args, stdout=stdout.fileno(), stderr=stderr.fileno())
        try:
            _write_all(child, data, stall_timeout_s, told)
            child.wait(stall_timeout_s)
        except (subprocess.TimeoutExpired, TimeoutError) as stalled:
            raise Silent(f"`{args[0]}` took no more for {stall_timeout_s:g} s") from stalled
        finally:
            child.kill()
            child.wait()
        stdout.seek(0)
        stderr.seek(0)
        return Result(tuple(map(os.fspath, args)), child.returncode, stdout.read(), stderr.read())


def follow(
    args: Sequence[str | os.PathLike[str]], *, timeout_s: float, told: Callable[[bytes], None]
) -> Result:
    """Run a program to its end; `told` hears what it writes to stdout, piece by piece.

    Raises KitError as `run` does, without check.
    """
    if dry_run:
        return run(args, timeout_s=timeout_s)
    deadline = time.monotonic() + timeout_s
    stdout = b""
    with tempfile.TemporaryFile() as stderr:
        child = start(args, stderr=stderr.fileno())
        try:
            while select.select([child.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                piece = child.stdout.read(_BLOCK)
                if not piece:
                    break
                stdout += piece
                told(piece)
            child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as still:
            raise Silent(f"`{args[0]}` did not end within {timeout_s:g} s") from still
        finally:
            child.kill()
            child.wait()
            child.stdin.close()
            child.stdout.close()
        stderr.seek(0)
        return Result(tuple(child.args), child.returncode, stdout, stderr.read())


def _write_all(
    child: subprocess.Popen[bytes], data: bytes, timeout_s: float, told: Callable[[float], None]
) -> None:
    """Write a child's input and close it; a child that has closed it before says why by itself."""
    view = memoryview(data)
    os.set_blocking(child.stdin.fileno(), False)
    try:
        while view:
            told(1.0 - len(view) / len(data))
            if not select.select([], [child.stdin], [], timeout_s)[1]:
                raise TimeoutError
            view = view[os.write(child.stdin.fileno(), view[:_BLOCK]) :]
    except BrokenPipeError:
        pass
    finally:
        child.stdin.close()
