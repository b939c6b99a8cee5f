"""Linux programs of another processor, run by qemu-user."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from kit import process
from kit.channel import ProcessChannel
from kit.runner._base import Capabilities, Runner, Started


class QemuUserRunner(Runner):
    """QEMU in user mode, with no environment but the settings: the same run every time."""

    capabilities = Capabilities(emulated=True, exit_code=True, end_of_input=True)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        emulator = self.target.emulator
        child = process.start(
            [emulator.program, *emulator.args, program, *args], env=dict(settings)
        )
        return Started(ProcessChannel(child), child)
