"""What a runner is: it says what it can do, writes programs to a device where there is one, and
starts them with a channel to each."""

import abc
import dataclasses
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from kit.channel import Channel
from kit.device import Device
from kit.device.vitals import Cores
from kit.errors import DeviceError
from kit.target import Target

# Told how far something is: 0.0 to 1.0.
Progress = Callable[[float], None]


def no_progress(_share: float) -> None:
    """For whom nobody watches."""


@dataclasses.dataclass(frozen=True)
class Capabilities:
    """What a runner can do.

    emulated: times mean nothing. exit_code: it is known. end_of_input: input can end. flash:
    programs are written to a device and stay there. verify: what was written is compared with what
    it should be. resume: an interrupted write goes on where it stopped, instead of afresh.
    packets_ahead: how many may be underway to a program before its first answer is read.
    """

    emulated: bool
    exit_code: bool
    end_of_input: bool
    flash: bool = False
    verify: bool = False
    resume: bool = False
    packets_ahead: int = 1

    @property
    def realtime(self) -> bool:
        """Its clock is the world's: times and a pace mean something."""
        return not self.emulated


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

    def explain(self) -> None:
        """After the output ended too early: raise DeviceError if the line to the device broke."""
        return


class Runner(abc.ABC):
    """One way to bring programs of a target onto a device and to start them.

    way: the key of the device map that says where the device is (`adb`, `ssh`, `serial` ...); empty
    for a runner that needs no device. All methods raise KitError for what a person can mend, and
    leave the device so that the next `flash` works.
    """

    capabilities: Capabilities
    way: ClassVar[str] = ""

    def __init__(self, target: Target, device: Device | None = None) -> None:
        self.target = target
        self.device = device
        self.pinned_to: Cores | None = None
        if device and device.emulated:
            self.capabilities = dataclasses.replace(self.capabilities, emulated=True)

    @property
    def address(self) -> str:
        """Where the device is, as its entry in the device map says."""
        assert self.device is not None
        return getattr(self.device, self.way)

    @property
    def name(self) -> str:
        """What people call the place where programs run: the device, or the target."""
        return self.device.name if self.device else self.target.name

    def check(self) -> None:
        """Raise DeviceError, with the next step, if the device is not there, ready and free."""
        return

    def flash(self, program: Path, progress: Progress = no_progress) -> None:
        """Write a program where `start` finds it, and verify it; nothing if it is there already.

        In a dry run every command is logged and nothing done.
        """
        raise self.nothing_to_flash()

    def nothing_to_flash(self) -> DeviceError:
        """What to tell who wants to flash where nothing is flashed."""
        return DeviceError(
            f"there is nothing to flash on `{self.target.name}`",
            hint="its programs run from where they are built: "
            f"./tools/percepnet run --target {self.target.name}",
        )

    def environment(self) -> Mapping[str, str]:
        """What bears on a measurement now, by name: processor, clock governor, temperature ...

        What a device does not tell is said to be missing.
        """
        return {}

    def clusters(self) -> Sequence[Cores]:
        """Groups of cores that programs can be pinned to; none where that cannot be."""
        return ()

    def pin(self, cluster: str) -> None:
        """Have programs run on one cluster. Raises DeviceError, naming those that are, else."""
        clusters = {cores.name: cores for cores in self.clusters()}
        if cluster not in clusters:
            known = ", ".join(clusters) or "it tells none"
            raise DeviceError(
                f"`{self.name}` has no cluster of cores `{cluster}`", hint=f"clusters: {known}"
            )
        self.pinned_to = clusters[cluster]

    @abc.abstractmethod
    def start(self, program: Path, args: Sequence[str], settings: Mapping[str, str]) -> Started:
        """Start a program, flashed where that takes it, with arguments and settings
        (PN_NAME: value)."""
