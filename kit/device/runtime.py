"""A folder of this account's own, for locks and sockets; it need not outlive the session."""

import os
import stat
import tempfile
from pathlib import Path

from kit.errors import KitError


def runtime_folder() -> Path:
    """Made when it is not there; its name is short, as sockets need it.

    Raises KitError if others could write in it.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base, "percepnet") if base else Path(tempfile.gettempdir(), _name())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    mine = stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid()
    if not mine or stat.S_IMODE(state.st_mode) & 0o022:
        raise KitError(f"{folder} must be yours alone", hint="move it away")
    return folder


def _name() -> str:
    return f"percepnet-{os.getuid()}"
