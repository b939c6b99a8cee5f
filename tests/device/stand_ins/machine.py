"""A machine of its own in namespaces of this one: mounts, processes and, if wished, network."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.device.stand_ins.root import aarch64_root

START_TIMEOUT_S = 20.0
COMMAND_TIMEOUT_S = 30.0

# The first process of the machine. It lives as long as its standard input is open: the machine is
# gone with the test that started it, whatever ends that.
_BOOT = """
set -e
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
for folder in data root tmp var/tmp sys etc/dropbear; do
    mount -t tmpfs -o mode=755 tmpfs "$root/$folder"
done
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mount -t proc proc "$root/proc"
mkdir -p "$root/data/local/tmp"
[ "$2" != network ] || ip link set lo up
echo ready
exec cat
"""


class Machine:
    """An AArch64 Linux that runs beside this one; a context manager.

    own_network: it has a loopback of its own; programs get there through `enter`.
    """

    def __init__(self, folder: Path, own_network: bool) -> None:
        self.folder = folder
        self.root = aarch64_root()
        self.own_network = own_network
        self._daemons: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        command += ["--net"] if self.own_network else []
        network = "network" if self.own_network else "shared"
        self._init = subprocess.Popen(
            [*command, "sh", "-c", _BOOT, "boot", self.root, network],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if self._init.stdout.readline() != b"ready\n":
            raise RuntimeError("the machine does not start: the tests need the rights of root")
        children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children")
        self.pid = int(children.read_text().split()[0])
        return self

    def __exit__(self, *_: object) -> None:
        # First whoever entered from outside: the kernel waits until they have fetched their dead.
        for daemon in self._daemons:
            daemon.kill()
            daemon.wait()
        self._init.stdin.close()
        self._init.wait()
        self._init.stdout.close()

    def enter(self, *, mounts: bool = True) -> list[str]:
        """The command before a command that is to run in the machine's namespaces.

        mounts=False: in its network alone, among this computer's files and processes.
        """
        network = ["--net"] if self.own_network else []
        inside = ["--mount", "--pid"] if mounts else []
        return ["nsenter", "--target", str(self.pid), *inside, *network]

    def run(self, script: str, check: bool = True) -> str:
        """What a shell script prints, run on the machine as root."""
        command = [*self.enter(), "chroot", self.root, "/bin/sh", "-c", script]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_TIMEOUT_S, check=False
        )
        if check and done.returncode != 0:
            raise RuntimeError(f"`{script}` on the machine: {done.stderr}")
        return done.stdout

    def start(self, program: str, *args: str, **settings: str) -> None:
        """Start a daemon of the machine."""
        command = [*self.enter(), "chroot", self.root, program, *args]
        environment = {"PATH": "/sbin:/usr/sbin:/bin:/usr/bin", **settings}
        log = (self.folder / f"{Path(program).name}.log").open("ab")
        with log:
            self._daemons.append(
                subprocess.Popen(
                    command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            )

    def kill(self, name: str, signal: str = "KILL") -> None:
        """Send a signal to all processes of a name on the machine."""
        named = f"[ $(cat $process/comm) != {name} ]"
        kill = f"kill -{signal} ${{process#/proc/}}"
        self.run(f"for process in /proc/[0-9]*; do {named} || {kill}; done", check=False)

    def fill(self, folder: str, size_kib: int) -> None:
        """Put a disk of this size, empty, over a folder."""
        self.run(f"mount -t tmpfs -o size={size_kib}k,mode=777 tmpfs {folder}")

    def write_protect(self, folder: str) -> None:
        """Make a folder, itself a mount, read-only."""
        self.run(f"mount -o remount,ro {folder}")

    def unmount(self, folder: str) -> None:
        """Undo the last `fill` of a folder."""
        self.run(f"umount -l {folder}")


def wait_until(ready: Callable[[], bool], what: str) -> None:
    """Wait until something is so; RuntimeError after START_TIMEOUT_S."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {START_TIMEOUT_S:g} s until {what}")
        time.sleep(0.05)


def write_program(path: Path, text: str) -> None:
    """Write an executable script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.chmod(path, 0o755)
