"""System packages (Debian's names are Ubuntu's too): which are missing, how to get them."""

import dataclasses
import os
import shutil

from kit.errors import KitError
from kit.target import Target, Toolchain, load_toolchain

APT_TIMEOUT_S = 1800.0

JDK = "default-jdk-headless"

# Set by tools/percepnet: its users have agreed to have missing packages installed.
MAY_INSTALL = "PERCEPNET_INSTALL"

# How to tell that a package is there: a program on PATH, or a file that it alone brings.
_EVIDENCE = {
    "gcc": "gcc",
    "g++": "g++",
    "libc6-dev": "/usr/include/stdio.h",
    "gcc-aarch64-linux-gnu": "aarch64-linux-gnu-gcc",
    "libc6-dev-arm64-cross": "/usr/aarch64-linux-gnu/lib/libc.a",
    "gcc-arm-linux-gnueabihf": "arm-linux-gnueabihf-gcc",
    "libc6-dev-armhf-cross": "/usr/arm-linux-gnueabihf/lib/libc.a",
    "gcc-arm-none-eabi": "arm-none-eabi-gcc",
    "libnewlib-arm-none-eabi": "/usr/lib/arm-none-eabi/newlib/libc.a",
    "gcc-arm-linux-gnueabi": "arm-linux-gnueabi-gcc",
    "libc6-dev-armel-cross": "/usr/arm-linux-gnueabi/lib/libc.a",
    "clang-19": "clang-19",
    "lld-19": "ld.lld-19",
    "llvm-19": "llvm-ar-19",
    "libclang-rt-19-dev": "/usr/lib/llvm-19/lib/clang/19/lib/linux/libclang_rt.fuzzer-x86_64.a",
    JDK: "javac",
    "qemu-user": "qemu-aarch64",
    "qemu-system-arm": "qemu-system-arm",
    "gdb-multiarch": "gdb-multiarch",
    "openocd": "openocd",
    "cmake": "cmake",
    "pkg-config": "pkg-config",
    "proguard-cli": "proguard",
    "adb": "adb",
    "openssh-client": "ssh",
    "qemu-user-static": "qemu-aarch64-static",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "iproute2": "ip",
    "bochs": "bochs",
    "libfaketime": "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
}

# A file NAME.list for each package that dpkg has installed.
_INSTALLED = "/var/lib/dpkg/info"

# What the tests take beyond the targets' compilers and emulators.
_TEST_TOOLS = {
    "gdb-multiarch": "boards behind a gdb server",
    "openocd": "boards on a debug probe",
    "g++": "a consumer in C++",
    "cmake": "consumers of packages",
    "pkg-config": "consumers of packages",
    "proguard-cli": "an app that is shrunk",
    "clang-19": "consumers of packages",
    "libclang-rt-19-dev": "guessing inputs that break something",
    "adb": "talking to a stand-in of a phone",
    "openssh-client": "talking to a stand-in of a Linux board",
    "qemu-user-static": "running those stand-ins",
    "debian-archive-keyring": "fetching what those stand-ins run",
    "iproute2": "their network",
    "openssl": "who signs weights",
    "bochs": "a processor with AVX-512",
    "libfaketime": "a clock that jumps",
    "bochs-term": "a display, which bochs depends on",
}


@dataclasses.dataclass(frozen=True)
class Need:
    """A package, what it is for, and whether it is there."""

    package: str
    purpose: str
    present: bool


def install_line(packages: list[str]) -> str:
    """The command that installs packages, for a person to run."""
    return f"sudo apt-get install -y {' '.join(packages)}"


def install_hint(program: str) -> str:
    """Say how to install a program that is missing."""
    package = next((name for name, evidence in _EVIDENCE.items() if evidence == program), None)
    if package is None:
        return f"install `{program}` and put it on PATH"
    return f"install it: {install_line([package])}"


def is_present(package: str) -> bool:
    """Whether a package's program or file is here, however it came.

    A package that _EVIDENCE does not know is looked up in Debian's own list.
    """
    evidence = _EVIDENCE.get(package, f"{_INSTALLED}/{package}.list")
    return os.path.exists(evidence) if evidence.startswith("/") else bool(shutil.which(evidence))


def needs(target: Target, toolchain: Toolchain) -> list[Need]:
    """What building for a target and running on it takes."""
    wanted = dict.fromkeys(toolchain.packages, f"compiling for {target.name}")
    if toolchain.android:
        shell = load_toolchain(target.android.shell_toolchain)
        wanted |= dict.fromkeys(shell.packages, f"programs for the shell of {target.name}")
    if target.emulator:
        wanted[target.emulator.package] = f"emulating {target.name}"
    return [Need(package, purpose, is_present(package)) for package, purpose in wanted.items()]


def ensure(target: Target, toolchain: Toolchain) -> None:
    """Install what is missing for a target, after saying what and why, where that was agreed to.

    Raises KitError with the one line to run where it was not, or where it does not work.
    """
    _install([need for need in needs(target, toolchain) if not need.present])


def ensure_package(package: str, purpose: str) -> None:
    """The same for one package."""
    _install([] if is_present(package) else [Need(package, purpose, False)])


def ensure_jdk() -> None:
    """The same for compiling Java."""
    ensure_package(JDK, "compiling Java and for Java")


def ensure_test_tools() -> None:
    """The same for what the tests take beyond the targets."""
    tools = [
        Need(package, purpose, is_present(package)) for package, purpose in _TEST_TOOLS.items()
    ]
    _install([need for need in tools if not need.present])


def _install(missing: list[Need]) -> None:
    # Here, because kit.process asks this module for hints.
    from kit import console, process

    if not missing:
        return
    names = [need.package for need in missing]
    why = "\n".join(f"{need.package}: {need.purpose}" for need in missing)
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    able = shutil.which("apt-get") and (not prefix or shutil.which("sudo"))
    if not os.environ.get(MAY_INSTALL) or not able:
        raise KitError(
            f"missing packages: {', '.join(names)}",
            hint=f"{why}\ninstall them: {install_line(names)}",
        )
    for need in missing:
        console.note(f"installing {need.package}: {need.purpose}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names]):
        command = [*prefix, "apt-get", *words]
        done = process.run(command, timeout_s=APT_TIMEOUT_S, env=environment, check=False)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise KitError(
                "the packages could not be installed",
                hint=f"{said}\nby hand: {install_line(names)}",
            )
