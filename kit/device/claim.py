"""One user of a device at a time on this computer: two measurements would disturb each other."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from kit.device.device import Device
from kit.device.runtime import runtime_folder
from kit.errors import DeviceError


@contextlib.contextmanager
def claimed(device: Device) -> Iterator[None]:
    """Hold a device for a while. Raises DeviceError when another process of ours holds it."""
    path = _lock_path(device)
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            lock.seek(0)
            raise DeviceError(
                f"device `{device.name}` is busy: process {lock.read().strip()} uses it",
                hint="wait for it, or end it",
            ) from held
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _lock_path(device: Device) -> Path:
    """By what the device is, not by its name: two names of one device exclude each other."""
    thing = repr(sorted(device.ways.items()) or device.name)
    name = hashlib.sha256(thing.encode()).hexdigest()[:16]
    return runtime_folder() / f"{name}.lock"
