"""Files that appear whole or not at all, and folders that do not outlive their use.

Nothing is left behind by a process that is killed: what is being written has no name yet, where
the system can do that (Linux, on its own file systems), and folders of killed processes are removed
by the next that needs one.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import math
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from kit.errors import KitError

_SCRATCH = ".percepnet-scratch-"
_NAME_BYTES = 100  # of a neighbour's name: file systems allow 255
_AT_CWD, _RENAME_EXCHANGE = -100, 2  # Linux
_CANNOT_BE_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file: it holds the old bytes or all the new ones. Its folder is made.

    Raises KitError as atomic_output does.
    """
    with _worded(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_output(path) as temporary, _worded(path):
        temporary.write_bytes(content)


def write_json(path: Path, content: object) -> None:
    """Write what a verb's --json is for, in ASCII: what came from outside is escaped there.

    JSON has no nan or infinity: null stands for what could not be judged. Raises KitError as
    write_atomically does.
    """
    text = json.dumps(_without_nan(content), indent=1, allow_nan=False)
    write_atomically(path, f"{text}\n".encode("ascii"))


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextlib.contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Give a path to write to; a clean exit puts what was written at `path` in one step.

    It is for this process alone, and has no suffix. Anything but a clean exit leaves `path` as it
    was. Raises KitError if the folder is missing or cannot be written, or the disk is full.
    """
    if path.is_dir():
        raise KitError(f"cannot write `{path}`: it is a folder", hint="name a file in it")
    with contextlib.ExitStack() as stack:
        with _worded(path):
            descriptor, name = stack.enter_context(_unfinished(path))
        yield name or Path(f"/proc/self/fd/{descriptor}")
        with _worded(path):
            os.fsync(descriptor)
            if path.exists():
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            _put_in_place(descriptor, name, path)


@contextlib.contextmanager
def _worded(path: Path) -> Iterator[None]:
    """Tell what the system refuses as a KitError of that output."""
    try:
        yield
    except OSError as error:
        raise write_error(path, os.strerror(error.errno)) from error


@contextlib.contextmanager
def _unfinished(path: Path) -> Iterator[tuple[int, Path | None]]:
    """A new file in the folder of `path`: open, and its name where it had to have one."""
    name = None
    try:
        descriptor = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError as refused:
        if refused.errno not in _CANNOT_BE_NAMELESS or not path.parent.is_dir():
            raise
        name = _neighbour(path)
        descriptor = os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.fchmod(descriptor, 0o666 & ~_umask())
    try:
        yield descriptor, name
    finally:
        os.close(descriptor)
        if name:
            name.unlink(missing_ok=True)


def _put_in_place(descriptor: int, name: Path | None, path: Path) -> None:
    """Let the file be `path`, in place of what was there."""
    if name is None:
        name = _neighbour(path)
        # A folder's descriptor, though the path is whole: Python follows the link only then.
        os.link(f"/proc/self/fd/{descriptor}", name, src_dir_fd=descriptor, follow_symlinks=True)
    try:
        os.replace(name, path)
    except BaseException:
        name.unlink(missing_ok=True)
        raise


def _neighbour(path: Path) -> Path:
    start = os.fsdecode(os.fsencode(path.name)[:_NAME_BYTES])
    return path.with_name(f".{start}.{secrets.token_hex(6)}.part")


def _umask() -> int:
    """The process has no other way to ask for it than to change it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_error(path: Path, reason: str) -> KitError:
    """What to tell of an output that could not be written."""
    folder = path.parent
    if not folder.is_dir():
        return KitError(
            f"cannot write `{path}`: the folder `{folder}` does not exist",
            hint=f"make it first: mkdir -p {folder}",
        )
    if os.statvfs(folder).f_bavail == 0:
        return KitError(f"cannot write `{path}`: the disk is full", hint="free some space")
    return KitError(
        f"cannot write `{path}`: {reason}", hint="check the folder's free space and permissions"
    )


def replace_folder(new: Path, path: Path) -> None:
    """Let a folder be `path`, in one step; what was there is at `new` then."""
    if not path.exists():
        os.replace(new, path)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    names = _AT_CWD, os.fsencode(new), _AT_CWD, os.fsencode(path)
    if libc.renameat2(*names, _RENAME_EXCHANGE):
        raise write_error(path, os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def scratch_folder(parent: Path | None = None) -> Iterator[Path]:
    """A private folder for a while, in `parent`, made if need be, or where temporary files go.

    Takes away what killed processes left of theirs there.
    """
    parent = Path(parent or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{_SCRATCH}*"):
        _remove_if_abandoned(left)
    while True:
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=_SCRATCH))
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():  # nobody took it for abandoned before it was locked
                break
            os.close(lock)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_if_abandoned(folder: Path) -> None:
    """Remove a scratch folder of this account whose process has gone: none holds its lock."""
    with contextlib.suppress(OSError):
        if folder.lstat().st_uid != os.getuid():
            return
        lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)
