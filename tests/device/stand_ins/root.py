"""A small AArch64 Linux: Debian packages unpacked into a folder, run by qemu-user through binfmt.

Made once, in build/stand_ins/. What runs in it sees an AArch64 machine: busybox, adbd, dropbear.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from kit.paths import BUILD

FOLDER = BUILD / "stand_ins"
APT_TIMEOUT_S = 300
# A new number makes the root anew where an older one lies.
STAMP = "made-1"

_SOURCES = "".join(
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
    f"http://deb.debian.org/debian {suite} main\n"
    for suite in ("bookworm", "bookworm-backports")
)
_PACKAGES = ("adbd", "busybox-static", "dropbear-bin")
# Packages that those name but that nothing here runs.
_UNUSED = ("adduser", "debconf", "dpkg", "perl", "init-system-helpers", "libfile", "tar_")
_PASSWD = "root:x:0:0::/root:/bin/sh\n"
_WRITABLE = ("dev", "proc", "sys", "data", "root", "tmp", "var/tmp", "etc/dropbear")
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_BINFMT_LINE = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")


def aarch64_root() -> Path:
    """The folder of the root, made when it is not there; binfmt is set up too."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        register_binfmt()
        root = FOLDER / "aarch64"
        if not (root / STAMP).is_file():
            shutil.rmtree(root, ignore_errors=True)
            _unpack(_download(FOLDER / "apt"), root)
            _furnish(root)
            (root / STAMP).touch()
    return root


def register_binfmt() -> None:
    """Have the kernel run AArch64 programs, as qemu-user-static's own service does at boot."""
    if not (_BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], check=True)
    if not (_BINFMT / "qemu-aarch64").exists():
        (_BINFMT / "register").write_text(_BINFMT_LINE.read_text())


def _download(folder: Path) -> list[Path]:
    """The packages and what they need, by a private apt that leaves the system's alone."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "state/status").touch()
    (folder / "sources.list").write_text(_SOURCES)
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Sandbox::User": "",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "state/status",
        "Dir::Cache": folder / "cache",
    }
    apt = ["apt-get", "-q", "-y", *(f"-o{key}={value}" for key, value in options.items())]
    subprocess.run([*apt, "update"], check=True, timeout=APT_TIMEOUT_S, stdout=subprocess.DEVNULL)
    wanted = ["--download-only", "--no-install-recommends", "-tbookworm-backports", "install"]
    subprocess.run(
        [*apt, *wanted, *_PACKAGES], check=True, timeout=APT_TIMEOUT_S, stdout=subprocess.DEVNULL
    )
    found = sorted((folder / "cache/archives").glob("*.deb"))
    return [path for path in found if not path.name.startswith(_UNUSED)]


def _unpack(packages: list[Path], root: Path) -> None:
    for package in packages:
        subprocess.run(["dpkg", "-x", package, root], check=True)


def _furnish(root: Path) -> None:
    """What a root needs beside packages: busybox' commands, folders, an account."""
    for name in _WRITABLE:
        (root / name).mkdir(parents=True, exist_ok=True)
    listed = subprocess.run(
        [root / "bin/busybox", "--list"], check=True, capture_output=True, text=True
    )
    for name in listed.stdout.split():
        link = root / "bin" / name
        if not link.exists():
            link.symlink_to("busybox")
    (root / "system/bin").mkdir(parents=True)
    (root / "system/bin/sh").symlink_to("/bin/sh")
    (root / "etc/passwd").write_text(_PASSWD)
    (root / "etc/shells").write_text("/bin/sh\n")
    os.chmod(root / "root", 0o700)
