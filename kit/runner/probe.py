"""Boards on a debug probe: pyOCD or OpenOCD writes, reads back, resets and starts.

pyOCD was tried on an emulated core only, OpenOCD without any: its command lines are what it takes.
Nobody has yet seen this write a real chip's flash.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from kit import process
from kit.device.port import find_port
from kit.elf import Segment, read_image
from kit.errors import DeviceError
from kit.files import scratch_folder
from kit.probe import tool_for
from kit.runner._base import Capabilities, Progress, Runner, Started, no_progress
from kit.runner._board import BoardStarted, lent_words, open_console

# Of the time that flashing takes, what is written; the rest is reading back.
_WRITTEN_SHARE = 0.7


class ProbeRunner(Runner):
    """Flash, read back and start through a probe; the console is the device's serial line.

    After `flash` the chip stands still until `start`, its reset button or power.
    """

    capabilities = Capabilities(
        emulated=False, exit_code=False, end_of_input=False, flash=True, verify=True
    )
    way = "probe"

    def check(self) -> None:
        tool_for(self.target, self.address)
        if self.device.serial:
            find_port(self.device.serial)

    def flash(self, program: Path, progress: Progress = no_progress) -> None:
        tool = tool_for(self.target, self.address)
        # A dry run needs nothing built.
        image = read_image(program) if program.exists() or not process.dry_run else []
        tool.run(tool.flash(program), lambda share: progress(_WRITTEN_SHARE * share))
        progress(_WRITTEN_SHARE)
        with scratch_folder() as folder:
            pieces = [
                (segment.load_address, segment.stored, folder / f"{segment.load_address:x}")
                for segment in image
            ]
            tool.run(tool.read(pieces))
            if process.dry_run:
                return
            for segment, (_, _, path) in zip(image, pieces, strict=True):
                _compare(segment, path)
        progress(1.0)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        address, words = lent_words(program, args, settings)
        tool = tool_for(self.target, self.address)
        console = open_console(self.device)
        try:
            with scratch_folder() as folder:
                path = folder / "words"
                path.write_bytes(words)
                tool.run(tool.start(address, path))
        except BaseException:
            console.close()
            raise
        return BoardStarted(console, lambda: None)


def _compare(segment: Segment, path: Path) -> None:
    """Raise DeviceError at the first byte that read back differently."""
    found = path.read_bytes() if path.exists() else b""
    if found == segment.data:
        return
    pairs = enumerate(zip(found, segment.data, strict=False))
    first = next((i for i, (there, written) in pairs if there != written), len(found))
    raise DeviceError(
        f"flash reads back differently than written, first at {segment.load_address + first:#x}",
        hint="is the program for this board? is its flash write-protected?",
    )
