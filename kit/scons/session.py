"""One run of SCons: its targets, one build at a time, and mistakes told as everywhere."""

import contextlib
import fcntl
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from kit import console
from kit.errors import KitError
from kit.paths import BUILD
from kit.target import target_names

LOCK_TIMEOUT_S = 900.0
_LOCK_POLL_S = 0.1

# Held open until the process ends: closing the file releases the lock.
_lock: TextIO | None = None


def take_build_lock() -> None:
    """Wait until no other SCons works in build/. Raises KitError after LOCK_TIMEOUT_S."""
    global _lock
    BUILD.mkdir(exist_ok=True)
    _lock = (BUILD / ".lock").open("w")
    deadline = time.monotonic() + LOCK_TIMEOUT_S
    while True:
        try:
            fcntl.flock(_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as busy:
            if time.monotonic() > deadline:
                raise KitError(
                    f"another build holds {BUILD / '.lock'}", hint="wait for it, or end it"
                ) from busy
            time.sleep(_LOCK_POLL_S)


@contextlib.contextmanager
def user_errors() -> Iterator[None]:
    """Print a KitError as a person reads it and end SCons with its exit code."""
    try:
        yield
    except KitError as mistake:
        console.error(mistake.message, mistake.hint)
        sys.exit(mistake.exit_code)


def reject_unknown(arguments: Iterable[str], known: Iterable[str]) -> None:
    """Raise KitError for a NAME=value on SCons' command line that no option is called."""
    for name in set(arguments) - set(known):
        raise KitError(
            f"unknown option `{name}=`",
            hint=f"options: {', '.join(f'{k}=' for k in sorted(known))}",
        )


def chosen_targets(option: str, command_line: Sequence[str]) -> list[str]:
    """Targets of this run: of `target=`, and of the aliases NAME and test-NAME."""
    known = target_names()
    named = [word.removeprefix("test-") for word in command_line]
    chosen = [name for name in named if name in known]
    chosen += [name.strip() for name in option.split(",") if name.strip()]
    return list(dict.fromkeys(chosen))
