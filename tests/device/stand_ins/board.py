"""A Linux board: dropbear on loopback, reached by this computer's OpenSSH client."""

import socket
import subprocess
from pathlib import Path
from typing import Self

from tests.device.stand_ins.machine import Machine, wait_until, write_program

DROPBEAR = "/usr/sbin/dropbear"
HOST_KEY = "/etc/dropbear/key"
STORAGE = "/var/tmp"

_CONFIG = """
Host {name} jump
    HostName 127.0.0.1
    Port {port}
    User root
    IdentityFile {folder}/id
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    StrictHostKeyChecking yes
    HostKeyAlias board
Host behind
    ProxyJump jump
"""


class Board(Machine):
    """A board that is on. `programs` is to stand first on PATH: its `ssh` has the board's config.

    Its names are `board`, and `behind` for the same behind a jump host.
    """

    name = "board"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, own_network=False)
        self.programs = folder / "bin"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self._write_client_files()
            self.new_host_key()
            self.trust_host_key()
            self.allow_client()
            self.plug_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _write_client_files(self) -> None:
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "id"]
        subprocess.run(key, check=True)
        config = self.folder / "config"
        names = f"{self.name} behind"
        config.write_text(_CONFIG.format(name=names, port=self.port, folder=self.folder))
        write_program(self.programs / "ssh", f'#!/bin/sh\nexec /usr/bin/ssh -F {config} "$@"\n')

    def new_host_key(self) -> None:
        """Another identity, as after the system was installed again."""
        self.run(f"rm -f {HOST_KEY}; dropbearkey -t ed25519 -f {HOST_KEY}")

    def trust_host_key(self) -> None:
        """Have the client know the board's identity."""
        said = self.run(f"dropbearkey -y -f {HOST_KEY}")
        key = next(line for line in said.splitlines() if line.startswith("ssh-ed25519"))
        (self.folder / "known_hosts").write_text(f"board {key}\n")

    def allow_client(self) -> None:
        """Let this computer in."""
        key = (self.folder / "id.pub").read_text().strip()
        self.run(
            f"mkdir -p /root/.ssh; echo '{key}' > /root/.ssh/authorized_keys; chmod -R go= /root"
        )

    def revoke_client(self) -> None:
        """Let this computer in no more."""
        self.run("rm /root/.ssh/authorized_keys")

    def plug_in(self) -> None:
        """Start the ssh server."""
        self.start(DROPBEAR, "-F", "-E", "-s", "-r", HOST_KEY, "-p", f"127.0.0.1:{self.port}")
        wait_until(self._answers, "dropbear listens")

    def _answers(self) -> bool:
        with socket.socket() as attempt:
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0

    def unplug(self) -> None:
        """Kill the server and every connection of it."""
        self.kill("dropbear")
