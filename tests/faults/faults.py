"""What befalls a verb on its way: each function disturbs one run and puts the world in order again.

rng chooses the moment; duration_s is what an undisturbed run takes.
"""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.faults.sandbox import Sandbox

Fault = Callable[[Sandbox, random.Random, float], None]
GOOD, WRONG_USE, INTERRUPTED = 0, 2, 130

_DISK_BYTES = 32 << 20
_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
# root is refused nothing unless it gives this up.
_AS_OTHERS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


def killed(sandbox: Sandbox, rng: random.Random, duration_s: float) -> None:
    """kill -9."""
    child = sandbox.start()
    _wait(child, rng.random() * duration_s)
    child.kill()
    sandbox.finish(child)
    sandbox.require_no_process()


def interrupted(sandbox: Sandbox, rng: random.Random, duration_s: float) -> None:
    """Ctrl-C on a terminal: every process there gets it."""
    child = sandbox.start()
    _wait(child, rng.random() * duration_s)
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGINT)
    assert sandbox.finish(child) in (GOOD, INTERRUPTED, -signal.SIGINT), sandbox.said()
    sandbox.require_nothing_left()


def full_disk(sandbox: Sandbox, rng: random.Random, _duration_s: float) -> None:
    """The outputs' disk has no or little space left."""
    with _own_disk(sandbox):
        space = os.statvfs(sandbox.out)
        filler = sandbox.out / "filler"
        free = rng.choice([0, 1, 4])
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, (space.f_bavail - free) * space.f_frsize)
        try:
            code = sandbox.finish(sandbox.start())
        finally:
            filler.unlink()
        _require_told(sandbox, code, "full")


def read_only(sandbox: Sandbox, _rng: random.Random, _duration_s: float) -> None:
    """The outputs' disk cannot be written."""
    with _own_disk(sandbox):
        subprocess.run(["mount", "-o", "remount,ro", sandbox.out], check=True)
        try:
            code = sandbox.finish(sandbox.start())
        finally:
            subprocess.run(["mount", "-o", "remount,rw", sandbox.out], check=True)
        _require_told(sandbox, code, "ead-only")


def forbidden(sandbox: Sandbox, _rng: random.Random, _duration_s: float) -> None:
    """The outputs' folder belongs to somebody else."""
    sandbox.out.chmod(0o555)
    try:
        code = sandbox.finish(sandbox.start(*(_AS_OTHERS if os.getuid() == 0 else ())))
    finally:
        sandbox.out.chmod(0o755)
    _require_told(sandbox, code, "ermission")


def clock_jumps(sandbox: Sandbox, rng: random.Random, duration_s: float) -> None:
    """Somebody sets the clock, by years forth or back."""
    clock = sandbox.work / "clock"
    clock.write_text("+0d\n")
    child = sandbox.start(
        LD_PRELOAD=_FAKETIME,
        FAKETIME_TIMESTAMP_FILE=str(clock),
        FAKETIME_NO_CACHE="1",
        DONT_FAKE_MONOTONIC="1",  # a kernel's never jumps
        NO_FAKE_STAT="1",
    )
    _wait(child, rng.random() * duration_s)
    clock.write_text(f"{rng.choice([-1, 1]) * rng.randrange(1, 4000)}d\n")
    assert sandbox.finish(child) == GOOD, sandbox.said()
    clock.unlink()
    sandbox.require_new()


def two_at_once(sandbox: Sandbox, rng: random.Random, duration_s: float) -> None:
    """The same twice, a moment apart."""
    first = sandbox.start()
    _wait(first, rng.random() * min(1.0, duration_s))
    second = sandbox.start()
    codes = [sandbox.finish(child) for child in (first, second)]
    if sandbox.scenario.alone and WRONG_USE in codes:
        assert "busy" in sandbox.said()
        codes.remove(WRONG_USE)
    assert set(codes) == {GOOD}, sandbox.said()
    sandbox.require_new()


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        killed,
        interrupted,
        full_disk,
        read_only,
        forbidden,
        clock_jumps,
        two_at_once,
    )
}


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    end = time.monotonic() + seconds
    while child.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def _require_told(sandbox: Sandbox, code: int, word: str) -> None:
    """Either nothing was to be written, or the user reads why it could not be, and nothing is left
    of the attempt."""
    if code != GOOD:
        assert code == WRONG_USE and word in sandbox.said(), sandbox.said()
        assert "Traceback" not in sandbox.said(), sandbox.said()
    sandbox.require_nothing_left()


@contextmanager
def _own_disk(sandbox: Sandbox) -> Iterator[None]:
    """A small file system for the outputs, for a while; what was there is there again after it."""
    options = f"size={_DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", sandbox.out], check=True)
    try:
        sandbox.set_old()
        yield
        sandbox.require_old_or_new()
    finally:
        subprocess.run(["umount", sandbox.out], check=True)
