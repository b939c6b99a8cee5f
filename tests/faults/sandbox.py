"""A place where a verb is run and disturbed, and what must hold there afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import tomlkit

from kit.device.map import MAP_SETTING
from kit.paths import ROOT
from tests.faults.scenarios import OLD, Scenario

LONGEST_S = 900.0
GONE_WITHIN_S = 30.0
_MARK = "PERCEPNET_FAULTS_TEST"


class Sandbox:
    """Folders of one scenario: `{in}`, `{out}`, `{work}`, and those for temporary things."""

    def __init__(self, folder: Path, inputs: Path, scenario: Scenario) -> None:
        self.scenario = scenario
        self.out, self.work, self.temporary = (folder / name for name in ("out", "work", "tmp"))
        self._runtime, self._said = folder / "run", folder / "said"
        for path in (self.out, self.work, self.temporary, self._runtime):
            path.mkdir(exist_ok=True)
        places = {"in": inputs, "out": self.out, "work": self.work}
        self._args = [word.format_map(places) for word in scenario.args]
        self._token = uuid.uuid4().hex

    def set_old(self) -> None:
        """Put what was there before in the outputs' places."""
        for name in self.scenario.outputs:
            (self.out / name).write_bytes(self._old(name))

    def start(self, *prefix: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start the verb, behind another program if one is named."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.temporary),
            "XDG_RUNTIME_DIR": str(self._runtime),
            MAP_SETTING: str(self.out / "devices.toml"),
            _MARK: self._token,
            **environment,
        }
        with self._said.open("ab") as said:
            return subprocess.Popen(
                [*prefix, sys.executable, "-m", "kit", *self._args],
                cwd=self.work,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def finish(self, child: subprocess.Popen[bytes]) -> int:
        """Its exit code."""
        try:
            return child.wait(LONGEST_S)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)

    def said(self) -> str:
        """All that the verb wrote so far."""
        return self._said.read_text(errors="replace")

    def require_old_or_new(self) -> None:
        """No output is half."""
        for name in self.scenario.outputs:
            content = (self.out / name).read_bytes()
            assert content == self._old(name) or _is_whole(name, content), f"half: {name}"

    def require_new(self) -> None:
        """Every output is there, and nothing else is left."""
        for name in self.scenario.outputs:
            content = (self.out / name).read_bytes()
            assert content != self._old(name), f"{name} was not written\n{self.said()}"
            assert _is_whole(name, content), f"half: {name}"
        self.require_nothing_left()

    def require_nothing_left(self) -> None:
        """Neither files nor processes."""
        strange = {path.name for path in self.out.iterdir()} - set(self.scenario.outputs)
        strange |= {path.name for path in self.temporary.iterdir()}
        assert not strange
        self.require_no_process()

    def require_no_process(self) -> None:
        """Whatever the verb started has gone, or goes soon."""
        end = time.monotonic() + GONE_WITHIN_S
        while left := self._processes():
            assert time.monotonic() < end, f"processes that stayed: {left}"
            time.sleep(0.05)

    def _processes(self) -> list[str]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{_MARK}={self._token}".encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_text().replace("\0", " "))
            except OSError:
                continue  # it has gone meanwhile
        return found

    def _old(self, name: str) -> bytes:
        return self.scenario.old.get(name, OLD)


def _is_whole(name: str, content: bytes) -> bool:
    """Whether a file came to its end."""
    suffix = Path(name).suffix
    if suffix == ".html":
        return content.rstrip().endswith(b"</html>")
    if suffix == ".png":
        return b"IEND" in content[-12:]
    if suffix == ".wav":
        return int.from_bytes(content[4:8], "little") + 8 == len(content)
    if suffix == ".tflite":
        return content[4:8] == b"TFL3" and len(content) > 300_000
    try:
        {".json": json.loads, ".xml": ElementTree.fromstring, ".toml": _parse_toml}[suffix](content)
    except ValueError:
        return False
    return True


def _parse_toml(content: bytes) -> None:
    tomlkit.parse(content)
