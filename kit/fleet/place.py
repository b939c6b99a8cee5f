"""A place of a labgrid coordinator, acquired for a while, as a device.

Everything goes through `labgrid-client`, which a person uses too: LG_COORDINATOR says where the
coordinator is, `labgrid-client who` whom a place is lent to.
"""

import contextlib
import importlib.util
import re
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kit import console, process
from kit.device import Device
from kit.errors import DeviceError, KitError
from kit.target.construct import construct

CLIENT = "labgrid-client"
CLIENT_TIMEOUT_S = 60.0

# A class of resource that labgrid does not know itself and hands on: the keys of our device map.
OWN_CLASS = "PercepnetDevice"
_SERIAL_CLASS = "NetworkSerialPort"
_SSH_CLASS = "NetworkService"
_SCHEMES = {"raw": "socket", "rfc2217": "rfc2217"}

# What the client says, as a pattern; what that means; what to do.
_MEANINGS = (
    (
        r"coordinator (is|became) unavailable|not connect to coordinator",
        "no labgrid coordinator answers",
        "say where it is: export LG_COORDINATOR=HOST:PORT; is it running?",
    ),
    (
        r"matches nothing",
        "the labgrid coordinator has no place `{place}`",
        "see what it has: labgrid-client places",
    ),
    (
        r"matches multiple places",
        "`{place}` stands for several places of the labgrid coordinator",
        "see what it has: labgrid-client places",
    ),
    (
        r"You have already acquired",
        "place `{place}` is acquired by you already",
        "by another run, or one that was killed; then: labgrid-client -p {place} release",
    ),
    (
        r"already acquired by (?P<who>\S+?)\.? ",
        "place `{place}` is in use by {who}",
        "wait for it, or ask them: labgrid-client who",
    ),
    (
        r"has no matching remote resource|orphaned resource|exporter .*disconnected",
        "what belongs to place `{place}` is not there",
        "is its exporter running? see: labgrid-client -p {place} show",
    ),
)


@contextlib.contextmanager
def borrowed(place: str, target_name: str = "") -> Iterator[Device]:
    """A place as a device, acquired now and released at the end, whatever the end is.

    target_name: what is built for it, where its exporter does not say. Raises DeviceError when the
    place is unknown, in use or not all there, and when the coordinator does not answer.
    """
    _require_labgrid()
    with _ended_like_by_hand():
        with _undisturbed():
            _ask(place, "acquire")
        try:
            if process.dry_run:
                _ask(place, "env")
                raise KitError("a dry run ends where a place says what its device is")
            yield _device(place, _resources(place), target_name)
        except BaseException:
            # What went wrong matters more than what goes wrong now.
            with _undisturbed(), _only_told():
                _release(place)
            raise
        with _undisturbed():
            _release(place)


def _release(place: str) -> None:
    try:
        _ask(place, "release")
    except KitError as trouble:
        raise DeviceError(
            f"place `{place}` could not be released: {trouble.message}",
            hint=f"it may stay acquired; then: {CLIENT} -p {place} release",
        ) from trouble


def _ask(place: str, *words: str) -> str:
    """What the client says to a command. Raises DeviceError with what its error means."""
    done = process.run([_client(), "-p", place, *words], timeout_s=CLIENT_TIMEOUT_S, check=False)
    if done.returncode == 0:
        return done.text
    said = done.stderr.decode(errors="replace").strip()
    for pattern, meaning, hint in _MEANINGS:
        if found := re.search(pattern, said):
            facts = {"place": place, **found.groupdict()}
            raise DeviceError(meaning.format(**facts), hint=hint.format(**facts))
    raise DeviceError(f"`{CLIENT} -p {place} {' '.join(words)}` failed", hint=said)


def _client() -> str:
    """The client beside our Python, where the extra `labgrid` puts it, or the one on PATH."""
    return shutil.which(CLIENT, path=str(Path(sys.executable).parent)) or CLIENT


def _resources(place: str) -> Mapping[str, Mapping[str, Any]]:
    """Parameters of an acquired place's resources by class."""
    import yaml

    (target,) = yaml.safe_load(_ask(place, "env"))["targets"].values()
    return {cls: facts or {} for entry in target["resources"] for cls, facts in entry.items()}


def _require_labgrid() -> None:
    """Raise KitError without the extra: its client, and the reader of what the client says."""
    if not (process.dry_run or (shutil.which(_client()) and importlib.util.find_spec("yaml"))):
        raise KitError(
            "labgrid is not installed", hint="install it: .venv/bin/python -m pip install labgrid"
        )


def _device(place: str, resources: Mapping[str, Mapping[str, Any]], target_name: str) -> Device:
    """The device that resources make up; what OWN_CLASS says goes first."""
    keys: dict[str, Any] = {}
    if service := resources.get(_SSH_CLASS):
        keys["ssh"] = f"ssh://{service['username']}@{service['address']}:{service.get('port', 22)}"
    if port := resources.get(_SERIAL_CLASS):
        scheme = _SCHEMES.get(port.get("protocol", "rfc2217"), "socket")
        keys |= {
            "serial": f"{scheme}://{port['host']}:{port['port']}",
            "baud": port.get("speed", 115200),
        }
    keys |= resources.get(OWN_CLASS, {})
    keys["name"] = place
    keys["target"] = target_name or keys.get("target", "")
    if not keys["target"]:
        raise DeviceError(
            f"nobody says which target the device at place `{place}` is",
            hint=f"add --target NAME, or have its exporter say it: a {OWN_CLASS} with `target`",
        )
    return construct(Device, keys, f"place `{place}`", f"{OWN_CLASS}.")


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C waits until this is over: a place is acquired or not, released or not."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _only_told() -> Iterator[None]:
    try:
        yield
    except KitError as trouble:
        console.note(str(trouble))


@contextlib.contextmanager
def _ended_like_by_hand() -> Iterator[None]:
    """SIGTERM, with which others end us, does what Ctrl-C does: nothing stays acquired."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
