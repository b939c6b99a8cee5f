"""One run of SCons: its targets, one build at a time, and mistakes told as everywhere."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

from kit import console
from kit.errors import KitError
from kit.lock import acquire_build_lock
from kit.target import target_names

# The alias of every target.
ALL = "all"

# Held open until the process ends: closing the file releases the lock.
_lock: TextIO | None = None


def take_build_lock() -> None:
    """Wait until no other SCons works in build/, and keep others out until this process ends."""
    global _lock
    _lock = acquire_build_lock()


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
    """Targets of this run: of `target=`, and of the aliases NAME, test-NAME and profile-NAME."""
    known = target_names()
    named = [word.removeprefix("test-").removeprefix("profile-") for word in command_line]
    chosen = known if ALL in command_line else []
    chosen = [*chosen, *(name for name in named if name.partition("+")[0] in known)]
    chosen += [name.strip() for name in option.split(",") if name.strip()]
    return list(dict.fromkeys(chosen))
