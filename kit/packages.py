"""Which Debian package (the names are Ubuntu's too) brings a program; one place for hints, `doctor`
and the launcher.
"""

import shutil

PACKAGE_OF = {
    "gcc": "gcc",
    "g++": "g++",
    "ar": "binutils",
    "size": "binutils",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "aarch64-linux-gnu-ar": "binutils-aarch64-linux-gnu",
    "aarch64-linux-gnu-size": "binutils-aarch64-linux-gnu",
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-ar": "binutils-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "qemu-aarch64": "qemu-user",
    "qemu-system-arm": "qemu-system-arm",
}

# What a compiler needs beside itself, found by a file that the package installs.
LIBRARY_OF = {
    "/usr/include/stdio.h": "libc6-dev",
    "/usr/aarch64-linux-gnu/lib/libc.a": "libc6-dev-arm64-cross",
    "/usr/lib/arm-none-eabi/newlib/libc.a": "libnewlib-arm-none-eabi",
}


def install_hint(program: str) -> str:
    """Say how to install a program that is missing."""
    package = PACKAGE_OF.get(program)
    if package is None:
        return f"install `{program}` and put it on PATH"
    return f"install it: sudo apt-get install -y {package}"


def find(program: str) -> str | None:
    """The program's path, or None when it is not on PATH."""
    return shutil.which(program)
