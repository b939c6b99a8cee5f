"""VNNI kernels against the definition, on a processor that Bochs emulates.

tests/c/test_kernels.c and what it takes become the ROM of a bare computer (tests/device/bochs).
"""

from pathlib import Path

import pytest

from kit import process
from kit.build import build
from kit.host import HOST_TARGET
from kit.paths import BUILD, C_TESTS, FIRMWARE
from kit.scons.sources import INCLUDE_FOLDERS, kernels, library_sources
from kit.target import load_target, load_toolchain

HERE = Path(__file__).parent / "bochs"
GENERATED = BUILD / HOST_TARGET / "gen"
FLAGS = [
    *("-std=c11", "-O2", "-ffreestanding", "-fno-pic", "-fno-stack-protector"),
    *("-fcf-protection=none", "-fno-asynchronous-unwind-tables", "-U_FORTIFY_SOURCE"),
    *(f"-I{folder}" for folder in (GENERATED, *(FIRMWARE / name for name in INCLUDE_FOLDERS))),
    f"-I{FIRMWARE / 'port'}",
]
SETTINGS = """\
cpu: model=tigerlake, count=1, reset_on_triple_fault=0, ips=50000000
memory: guest=32, host=32
romimage: file={rom}, address=0
port_e9_hack: enabled=1
plugin_ctrl: unmapped=1, speaker=0
display_library: rfb, options="timeout=0"
log: {log}
panic: action=fatal
"""
TIMEOUT_S = 250
SSE_AVX_AVX512 = 0xE7


def gcc(*words: str | Path) -> None:
    """Compile or link; KitError with the compiler's words when that fails."""
    process.run(["gcc", *words], timeout_s=TIMEOUT_S)


def compile_kernel(path: Path, isa: str, flags: list[str], out: Path) -> Path:
    """An object of a kernel; AVX-VNNI's instruction in the encoding of AVX-512 VNNI."""
    assembly, result = out / f"{path.stem}.s", out / f"{path.stem}.o"
    gcc(*FLAGS, *flags, "-S", path, "-o", assembly)
    text = assembly.read_text()
    if isa == "avxvnni":
        assert "{vex} vpdpbusd" in text
        text = text.replace("{vex} vpdpbusd", "{evex} vpdpbusd")
        assembly.write_text(text)
    gcc("-c", assembly, "-o", result)
    return result


def make_rom(out: Path, xcr0: int) -> Path:
    """The ROM of a computer that runs the test of all kernels and turns itself off."""
    build(HOST_TARGET)
    target = load_target(HOST_TARGET)
    toolchain = load_toolchain(target.toolchain)
    sources = [path for path in library_sources(False) if path.parent.name in ("kernels", "dsp")]
    sources += [FIRMWARE / "core" / "pn_bands.c", FIRMWARE / "port" / "pn_port_line.c"]
    sources += [C_TESTS / "test_kernels.c", GENERATED / "pn_tables.c", *sorted(HERE.glob("*.[cS]"))]
    objects = []
    for source in sources:
        objects.append(out / f"{source.stem}.o")
        renamed = ["-Dpn_cpu_has=pn_cpu_detect"] if source.name == "pn_cpu.c" else []
        flags = [*FLAGS, *renamed, f"-DXCR0={xcr0}"]
        gcc(*flags, "-c", source, "-o", objects[-1])
    for kernel in kernels(target):
        flags = list(toolchain.isa_flags[kernel.isa])
        objects.append(compile_kernel(kernel.path, kernel.isa, flags, out))
    program, rom = out / "rom.elf", out / "rom.bin"
    link = ["-nostdlib", "-static", "-no-pie", f"-Wl,-T,{HERE / 'image.ld'}", "-Wl,--build-id=none"]
    gcc(*link, "-Wl,--no-warn-rwx-segments", *objects, "-lgcc", "-o", program)
    process.run(["objcopy", "-O", "binary", program, rom], timeout_s=TIMEOUT_S)
    return rom


def run_bochs(rom: Path) -> str:
    """What a computer with this ROM writes to its console before it turns itself off."""
    settings, commands = rom.with_suffix(".rc"), rom.with_suffix(".commands")
    settings.write_text(SETTINGS.format(rom=rom, log=rom.with_suffix(".log")))
    commands.write_text("continue\nquit\n")  # Debian's build starts in its debugger
    words = ["bochs", "-q", "-f", settings, "-rc", commands]
    return process.run(words, timeout_s=TIMEOUT_S, check=False).text


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of a computer with every vector register."""
    return run_bochs(make_rom(tmp_path_factory.mktemp("all"), SSE_AVX_AVX512))


def test_vnni_kernels_give_the_bits_of_the_definition(console: str):
    assert "PN_TEST name=kernels result=ok failures=0" in console
    assert "PN_DONE bad=0" in console


@pytest.mark.parametrize("isa", ["avxvnni", "avx512vnni"])
def test_both_vnni_were_found_and_ran(console: str, isa: str):
    assert f"layout 1 with {isa}: uses {isa}" in console
