"""What a runner is: it says what it can do, and starts a program with a channel to it."""

import abc
import dataclasses
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from kit.channel import Channel
from kit.errors import DeviceError
from kit.target import Target


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """emulated: times mean nothing. exit_code: it is known. end_of_input: input can end."""

    emulated: bool
    exit_code: bool
    end_of_input: bool


class Started:
    """A running program: its channel, and the local process that carries it."""

    def __init__(self, channel: Channel, process: subprocess.Popen[bytes]) -> None:
        self.channel = channel
        self._process = process

    def wait(self, timeout_s: float) -> int:
        """The exit code. Raises DeviceError, and ends the program, when it does not end itself."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as still:
            self.kill()
            raise DeviceError(
                f"the program did not end within {timeout_s:g} s; it was stopped"
            ) from still
        finally:
            self.channel.close()

    def kill(self) -> None:
        """End the program now."""
        self._process.kill()
        self._process.wait()
        self.channel.close()


class Runner(abc.ABC):
    """One way to start programs of a target."""

    capabilities: ClassVar[Capabilities]

    def __init__(self, target: Target) -> None:
        self.target = target

    @abc.abstractmethod
    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        """Start a program with arguments and settings (PN_NAME: value). Raises KitError."""
