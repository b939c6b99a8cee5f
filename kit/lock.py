"""One build at a time: whoever changes build/ holds its lock."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from kit.errors import KitError
from kit.paths import BUILD

LOCK_TIMEOUT_S = 900.0
LOCK_NAME = ".lock"
_LOCK_POLL_S = 0.1


def acquire_build_lock() -> TextIO:
    """Wait until nobody else works in build/. Closing the file that is returned frees the lock.

    Raises KitError after LOCK_TIMEOUT_S.
    """
    path = BUILD / LOCK_NAME
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        BUILD.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(lock, path):
                return lock
            lock.close()
        except BlockingIOError as busy:
            lock.close()
            if time.monotonic() > deadline:
                raise KitError(
                    f"another build holds {path}", hint="wait for it, or end it"
                ) from busy
            time.sleep(_LOCK_POLL_S)


def _is_at(lock: TextIO, path: Path) -> bool:
    """Whether a file is still the one at its path: who cleans up takes the lock away with all."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def build_lock() -> Iterator[None]:
    """Hold the lock for a while. Not around a build: SCons takes it itself."""
    with contextlib.closing(acquire_build_lock()):
        yield
