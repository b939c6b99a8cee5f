"""What a target and a toolchain description may say; the loader checks against this."""

import dataclasses
from collections.abc import Mapping


@dataclasses.dataclass(frozen=True)
class Memory:
    """One memory region, in bytes, and the kinds of sections that the linker puts there."""

    origin: int
    size: int
    holds: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Emulator:
    """The QEMU program that stands in for the target, its Debian package and fixed arguments."""

    program: str
    package: str
    args: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Target:
    """One thing that programs are built for.

    isas: instruction sets with a kernel file suffix, the most capable last. apps: programs built,
    all when empty. model: a name in kit/models. layout: the order of packed weights. cpu_flags:
    given to compiler and linker. budgets: limits by name, e.g. instructions per frame.
    """

    name: str
    description: str
    toolchain: str
    port: str
    runner: str
    model: str
    layout: str
    isas: tuple[str, ...]
    cpu_flags: tuple[str, ...] = ()
    defines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    apps: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("release",)
    shared_library: bool = False
    stack_size: int = 0
    program_suffix: str = ""
    emulator: Emulator | None = None
    memory: Mapping[str, Memory] = dataclasses.field(default_factory=dict)
    budgets: Mapping[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Variant:
    """Flags that make one build out of several of the same sources (release, checked)."""

    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """A compiler: the prefix of its programs, the Debian packages that bring it, and its flags.

    In flags `{root}` stands for the checkout's folder. isa_flags: what a kernel file of each ISA is
    compiled with.
    """

    name: str
    description: str
    prefix: str
    packages: tuple[str, ...]
    common_cflags: tuple[str, ...] = ()
    common_ldflags: tuple[str, ...] = ()
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    test_cflags: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    isa_flags: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    variants: Mapping[str, Variant] = dataclasses.field(default_factory=dict)
