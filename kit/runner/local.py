"""Programs of this computer, run as they are."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from kit import process
from kit.channel import ProcessChannel
from kit.runner._base import Capabilities, Runner, Started


class LocalRunner(Runner):
    """A child process; settings are environment variables."""

    capabilities = Capabilities(emulated=False, exit_code=True, end_of_input=True)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        child = process.start([program, *args], env={**os.environ, **settings})
        return Started(ProcessChannel(child), child)
