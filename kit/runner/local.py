"""Programs of this computer, run as they are."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from kit import process
from kit.channel import ProcessChannel
from kit.device.vitals import SCRIPT, Cores, Vitals, parse_vitals
from kit.runner._base import Capabilities, Runner, Started

VITALS_TIMEOUT_S = 10.0


class LocalRunner(Runner):
    """A child process; settings are environment variables."""

    capabilities = Capabilities(emulated=False, exit_code=True, end_of_input=True)

    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        pinned = ["taskset", self.pinned_to.mask] if self.pinned_to else []
        child = process.start([*pinned, program, *args], env={**os.environ, **settings})
        return Started(ProcessChannel(child), child)

    def environment(self) -> Mapping[str, str]:
        return self._vitals().describe()

    def clusters(self) -> Sequence[Cores]:
        return self._vitals().clusters

    def _vitals(self) -> Vitals:
        return parse_vitals(process.run(["sh", "-c", SCRIPT], timeout_s=VITALS_TIMEOUT_S).text)
