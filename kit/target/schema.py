"""What a target and a toolchain description may say; the loader checks against this.

targets/README.md explains the keys with an example.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

# How far a target's programs were tried, and what that means to somebody who owns the thing.
PROVEN = {
    "host": "built and tested on this computer",
    "emulated": "built, and tested in an emulator; never tried on the thing itself",
    "compiled": "built and checked for size; never run anywhere",
}

# Kinds of sections that a program without an operating system has; each needs a memory region.
SECTION_KINDS = ("vectors", "text", "weights", "rodata", "data", "bss", "stack")


# The folder of firmware_src/port that every port without an operating system shares.
BARE_METAL_PORT = "bare_metal"


@dataclasses.dataclass(frozen=True)
class Memory:
    """One memory region, in bytes, and the kinds of sections that the linker puts there."""

    origin: int
    size: int
    holds: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Emulator:
    """The QEMU program that stands in for the target, its Debian package and fixed arguments.

    flash: the memory region whose content outlives the program in flash_file (a file in the build
    folder when empty); flash_args: arguments for it, `{file}` its path.
    """

    program: str
    package: str
    args: tuple[str, ...] = ()
    flash: str = ""
    flash_file: str = ""
    flash_args: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Probe:
    """What programs for debug probes call it: pyOCD's name of the chip, OpenOCD's file."""

    pyocd: str = ""
    openocd: str = ""


@dataclasses.dataclass(frozen=True)
class Note:
    """Something to know about a target, and who says so: a document, or our own measurement."""

    text: str
    source: str


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Cores of one kind in a phone's or board's processor."""

    cpu: str
    cores: int
    clock_hz: int


@dataclasses.dataclass(frozen=True)
class Android:
    """What makes a target a phone with Android.

    abi: as Android's packages call it. triple: the compiler's word for it, without the API level.
    api: the oldest level that the library is for. shell_toolchain: of the static programs that
    `adb shell` runs; they need the kernel alone.
    """

    abi: str
    triple: str
    api: int
    shell_toolchain: str


@dataclasses.dataclass(frozen=True)
class Console:
    """The serial line that a board's program talks over: which UART on which pins, and its baud."""

    uart: str
    baud: int


@dataclasses.dataclass(frozen=True)
class Budgets:
    """Limits that a verdict holds measurements against; what is left out is not judged.

    For the target's own model. core_percent, p999_us, missed: of one core, in paced mode, on a
    device. frame_instructions: the worst frame under emulation. flash_bytes and ram_bytes are
    whole programs, text_bytes code with constants and weights.
    """

    core_percent: float | None = None
    p999_us: float | None = None
    missed: int | None = None
    frame_instructions: int | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    text_bytes: int | None = None
    state_bytes: int | None = None
    stack_bytes: int | None = None

    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: limit for name, limit in vars(self).items() if limit is not None}


@dataclasses.dataclass(frozen=True)
class Costs:
    """What the library takes of a processor with the kernels of an instruction set, as counted.

    code_bytes: without weights, tables included. stack_bytes: the most that a call of the library
    takes, by whichever toolchain; tests/analysis/test_stack.py proves it. A frame takes
    signal_path instructions, for its network per_row for each row of a matrix, and for every 1000
    weights per_kmac, or per_sparse_kmac where those are of block sparse matrices. counted_on: a
    processor of its kind that an emulator has.
    """

    code_bytes: int
    stack_bytes: int
    signal_path: int
    per_row: int
    per_kmac: int
    per_sparse_kmac: int
    counted_on: str


@dataclasses.dataclass(frozen=True)
class Target:
    """One thing that programs are built for.

    proven: a key of PROVEN. runner: how programs start where no device is named; empty when only
    a device on the desk can. board: the file of port/PORT/boards with its clocks and UART.
    isas: instruction sets with a kernel file suffix, the most capable last. best_isa: the most
    capable that its processor runs, for estimates; the last when empty. costs: by instruction set,
    for estimates. apps: programs built,
    all when empty. model: a name in kit/models. layout: the order of packed weights. cpu_flags:
    given to compiler and linker; tune_flags: to the compiler alone. clock_hz: of the core
    that runs the program. bandwidth_mb_s: 10^6 bytes of weights that one core streams from memory
    in a second, for estimates. clusters: by name, e.g. `little` and `big`. instructions: limits
    under emulation by model, instruction set and stage (or `frame`): mean of a frame, counted
    exactly.
    """

    name: str
    description: str
    proven: str
    toolchain: str
    port: str
    model: str
    layout: str
    isas: tuple[str, ...]
    best_isa: str = dataclasses.field(default="", repr=False)  # changes nothing built
    costs: Mapping[str, Costs] = dataclasses.field(default_factory=dict, repr=False)  # nor this
    runner: str = ""
    board: str = ""
    cpu_flags: tuple[str, ...] = ()
    tune_flags: tuple[str, ...] = ()
    defines: Mapping[str, str] = dataclasses.field(default_factory=dict)
    apps: tuple[str, ...] = ()
    variants: tuple[str, ...] = ("release",)
    shared_library: bool = False
    stack_size: int = 0
    program_suffix: str = ""
    clock_hz: int = 0
    cores: int = 1
    bandwidth_mb_s: int = 0
    clusters: Mapping[str, Cluster] = dataclasses.field(default_factory=dict)
    console: Console | None = None
    android: Android | None = None
    probe: Probe | None = None
    emulator: Emulator | None = None
    memory: Mapping[str, Memory] = dataclasses.field(default_factory=dict)
    budgets: Budgets = dataclasses.field(default_factory=Budgets)
    instructions: Mapping[str, Mapping[str, Mapping[str, int]]] = dataclasses.field(
        default_factory=dict
    )
    notes: tuple[Note, ...] = ()

    @property
    def runnable_isas(self) -> tuple[str, ...]:
        """Of its instruction sets those that its processor runs, the most capable last."""
        return self.isas[: self.isas.index(self.best_isa) + 1] if self.best_isa else self.isas

    @property
    def counts_instructions(self) -> bool:
        """Whether its clock counts an emulator's instructions, so that it says nothing of time."""
        return self.emulator is not None and "-icount" in self.emulator.args


@dataclasses.dataclass(frozen=True)
class Variant:
    """Flags that make one build out of several of the same sources (release, checked)."""

    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class WithoutNdk:
    """What a toolchain of the Android NDK uses where there is none: programs, and flags to add."""

    cc: str
    ar: str
    objcopy: str
    packages: tuple[str, ...]
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Toolchain:
    """A compiler: its programs, the Debian packages that bring them, and its flags.

    Programs are called prefix + cc, prefix + ar and so on, and are in `home` where that is not
    empty; `link`, the compiler itself when empty, is a whole name. bare_metal: no operating system,
    so that targets must name memory regions. In flags `{root}` stands for the checkout's
    folder and `{build}` for the build's. isa_flags: what a kernel file of each ISA is compiled
    with. without_ndk: only in files; the loader takes over what it says where no Android NDK is
    found.
    """

    name: str
    description: str
    prefix: str
    packages: tuple[str, ...]
    cc: str = "gcc"
    ar: str = "ar"
    link: str = ""
    objcopy: str = "objcopy"
    home: str = dataclasses.field(default="", repr=False)  # where they are changes nothing built
    android: bool = False
    bare_metal: bool = False
    common_cflags: tuple[str, ...] = ()
    common_ldflags: tuple[str, ...] = ()
    cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    test_cflags: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    isa_flags: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    variants: Mapping[str, Variant] = dataclasses.field(default_factory=dict)
    without_ndk: WithoutNdk | None = None

    def program(self, name: str) -> str:
        """How to start one of its programs: cc, ar or objcopy."""
        return str(Path(self.home) / (self.prefix + name))
