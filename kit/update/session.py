"""An update from beginning to end: reach the program that takes it, send, have it tested."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

from kit.device.claim import claimed
from kit.paths import BUILD
from kit.remote import QUIT, packet, read_boot
from kit.runner import Progress, Runner, no_progress, open_session
from kit.runner._board import open_console
from kit.runner._shell import ShellRunner
from kit.update import protocol
from kit.update.line import Line, ask, send_weights
from kit.update.protocol import Status, UpdateRefused
from kit.update.transfer import Transfer

APP = "device"
FLASH_SETTING = "PN_FLASH"
FLASH_FILE = "weights.flash"


@dataclasses.dataclass(frozen=True)
class Update:
    """What an update came to. sent_from: the first byte that was sent, None where the device ran
    these weights already. sequence: of the weights in its store."""

    sent_from: int | None
    sequence: int


def update_weights(
    runner: Runner,
    blob: bytes,
    model: str = "",
    progress: Progress = no_progress,
    signature: bytes = b"",
) -> Update:
    """Bring weights into the program `device` of a device, and have it test itself with them.

    model: of a program that is started for this, instead of its target's own. signature: of the
    blob, for programs that ask for one. Raises UpdateRefused
    when the device refuses them, DeviceError when it cannot be reached or the line breaks: it then
    keeps its weights, and the next call goes on where this one ended.
    """
    transfer = Transfer(blob, signature)
    with attached(runner, model) as line:
        send_weights(line, transfer, lambda done, total: progress(done / total))
        if ask(line, protocol.TEST).status is not Status.OK:
            raise UpdateRefused(Status.SELF_TEST)
        running = ask(line, protocol.QUERY).running
    return Update(transfer.first_offset, running.sequence)


def runs_by_itself(runner: Runner) -> bool:
    """Whether the program is on the device already, and runs: a board behind a serial line."""
    return bool(runner.way and runner.target.memory)


@contextmanager
def attached(runner: Runner, model: str = "") -> Iterator[Line]:
    """The line of the program `device`; started, and ended, where it does not run by itself.

    model: a .tflite file that is built into a program that is started, instead of its target's own.
    Raises KitError when the device is not ready or the program does not start.
    """
    if runs_by_itself(runner):
        with claimed(runner.device):
            runner.check()
            console = open_console(runner.device)
            try:
                yield console
            finally:
                console.close()
        return
    with open_session(runner, APP, settings=_settings(runner), model=model) as session:
        read_boot(session, APP)
        yield session
        session.write(packet(QUIT, 0))


def _settings(runner: Runner) -> dict[str, str]:
    """The file that stands for flash, where the machine has none of its own."""
    if runner.target.memory:
        return {}
    if isinstance(runner, ShellRunner):
        return {FLASH_SETTING: FLASH_FILE}
    return {FLASH_SETTING: str(BUILD / runner.target.name / FLASH_FILE)}
