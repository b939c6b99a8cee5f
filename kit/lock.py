"""One build at a time: whoever changes build/ holds its lock."""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from typing import TextIO

from kit.errors import KitError
from kit.paths import BUILD

LOCK_TIMEOUT_S = 900.0
_LOCK_POLL_S = 0.1


def acquire_build_lock() -> TextIO:
    """Wait until nobody else works in build/. Closing the file that is returned frees the lock.

    Raises KitError after LOCK_TIMEOUT_S.
    """
    BUILD.mkdir(exist_ok=True)
    lock = (BUILD / ".lock").open("w")
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError as busy:
            if time.monotonic() > deadline:
                lock.close()
                raise KitError(
                    f"another build holds {BUILD / '.lock'}", hint="wait for it, or end it"
                ) from busy
            time.sleep(_LOCK_POLL_S)


@contextlib.contextmanager
def build_lock() -> Iterator[None]:
    """Hold the lock for a while. Not around a build: SCons takes it itself."""
    with contextlib.closing(acquire_build_lock()):
        yield
