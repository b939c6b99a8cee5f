"""Linux boards over OpenSSH's client, as the user's own configuration has it."""

import functools

from kit import process
from kit.device.runtime import runtime_folder
from kit.errors import DeviceError
from kit.runner._shell import COMMAND_TIMEOUT_S, ShellRunner

SSH = "ssh"
CONNECT_TIMEOUT_S = 10
ALIVE_INTERVAL_S = 5
KEEP_S = 60

# What the client says, what that means, and what to do; {host} is the device's.
_MEANINGS = (
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "is not the machine that it was: its host key is another",
        "if it was installed again: ssh-keygen -R {host}; ssh {host}\nif not, do not trust it",
    ),
    (
        "Host key verification failed",
        "has a host key that is not known",
        "say once that you trust it: ssh {host}",
    ),
    (
        "Permission denied",
        "does not let this computer in",
        "give it your key: ssh-copy-id {host}; then `ssh {host} true` must ask nothing",
    ),
    ("Could not resolve hostname", "has a name that nobody knows", "is it right? try: ssh {host}"),
    ("Connection refused", "is on, but no ssh server answers there", "start its ssh server"),
    ("timed out", "cannot be reached", "is it on, and on this network? try: ssh {host}"),
    ("No route to host", "cannot be reached", "is it on, and on this network? try: ssh {host}"),
    ("Network is unreachable", "cannot be reached", "is this computer on its network?"),
    ("not responding", "does not answer any more", "is it on, and on this network?"),
    ("closed", "hung up", "is its ssh server running? try: ssh {host}"),
    ("reset by peer", "hung up", "is its ssh server running? try: ssh {host}"),
)


class SshRunner(ShellRunner):
    """`ssh HOST`: user, key, port and jump hosts are the configuration's. Nothing is ever asked."""

    way = "ssh"
    storage = "/var/tmp"

    def command(self, script: str) -> list[str]:
        return [SSH, *_options(self.address), "--", self.address, script]

    def check(self) -> None:
        command = self.command("echo ready")
        done = process.run(command, timeout_s=COMMAND_TIMEOUT_S, check=False)
        if not process.dry_run and done.text != "ready\n":
            raise self._explained(done.stderr.decode(errors="replace"))

    def _explained(self, said: str) -> DeviceError:
        for words, meaning, hint in _MEANINGS:
            if words in said:
                return DeviceError(
                    f"`{self.address}` {meaning}", hint=hint.format(host=self.address)
                )
        return DeviceError(f"`ssh {self.address}` does not work", hint=said.strip())


@functools.cache
def _options(host: str) -> tuple[str, ...]:
    """For this host: no questions, a broken line is noticed, and one connection serves all
    commands, unless the user's configuration has one already."""
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": CONNECT_TIMEOUT_S,
        "ServerAliveInterval": ALIVE_INTERVAL_S,
    }
    if not _shares_connections(host):
        options |= {
            "ControlMaster": "auto",
            "ControlPath": f"{runtime_folder()}/%C",
            "ControlPersist": KEEP_S,
        }
    return tuple(f"-o{key}={value}" for key, value in options.items())


def _shares_connections(host: str) -> bool:
    done = process.run([SSH, "-G", "--", host], timeout_s=COMMAND_TIMEOUT_S, check=False)
    return any(line.startswith("controlpath ") for line in done.text.splitlines())
