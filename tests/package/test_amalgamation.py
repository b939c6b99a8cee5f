"""The library in one file: clean C99 for two compilers, the library's bytes on every processor."""

import dataclasses
from pathlib import Path

import pytest

from kit.denoiser import Denoiser
from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.package import Request, make_format
from kit.paths import ROOT
from kit.target import load_target
from tests.package.consumer import CONSUMER, make_package, sh, unpack

CLEAN_C99 = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")
HERE = Path(__file__).parent
SECOND = 96000  # bytes: the emulated boards take their time


def unpack_for(target: str, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(target)
    return unpack(make_package(target, "amalgamation", folder), folder / "unpacked")


@pytest.fixture(scope="module")
def for_applications(tmp_path_factory) -> Path:
    return unpack_for("host_x86_64", tmp_path_factory)


@pytest.fixture(scope="module")
def for_microcontrollers(tmp_path_factory) -> Path:
    return unpack_for("mps2_an500", tmp_path_factory)


def build(compiler: list[str], package: Path, folder: Path) -> Path:
    """percepnet.c under the strict flags, the consumer as it is."""
    sh(*compiler, *CLEAN_C99, "-c", package / "percepnet.c", "-o", folder / "percepnet.o")
    (folder / "main.c").write_text(CONSUMER)
    program = folder / "consumer"
    include = f"-I{package}"
    sh(*compiler, include, folder / "main.c", folder / "percepnet.o", "-o", program)
    return program


@pytest.fixture(scope="module")
def for_aarch64(for_applications, tmp_path_factory) -> Path:
    compiler = ["aarch64-linux-gnu-gcc", "-O2", "-static"]
    return build(compiler, for_applications, tmp_path_factory.mktemp("aarch64"))


@pytest.mark.parametrize("optimisation", ["-O0", "-O2"])
@pytest.mark.parametrize("compiler", ["gcc", "clang-19"])
def test_it_gives_the_librarys_bytes_here(
    for_applications, tmp_path, noisy, clean, compiler, optimisation
):
    program = build([compiler, optimisation], for_applications, tmp_path)
    assert sh("sh", "-c", f"{program} 2>isa", cwd=tmp_path, stdin=noisy) == clean
    assert (tmp_path / "isa").read_text().strip() == Denoiser().isa, "this processor's best"
    assert sh(program, stdin=noisy, PN_FORCE_ISA="scalar") == clean
    symbols = sh("nm", "--defined-only", "-g", tmp_path / "percepnet.o").decode().splitlines()
    assert all(line.split()[-1].startswith("pn_") for line in symbols)


@pytest.mark.parametrize(("cpu", "isa"), [("max", "neondot"), ("cortex-a53", "neon")])
def test_one_aarch64_program_runs_with_and_without_dot_product(
    for_aarch64, tmp_path, noisy, clean, cpu, isa
):
    emulated = f"qemu-aarch64 -cpu {cpu} {for_aarch64}"
    assert sh("sh", "-c", f"{emulated} 2>isa", cwd=tmp_path, stdin=noisy) == clean
    assert (tmp_path / "isa").read_text().strip() == isa


def test_the_file_for_microcontrollers_gives_the_same_bytes_anywhere(
    for_microcontrollers, tmp_path, noisy, clean
):
    program = build(["clang-19", "-O2"], for_microcontrollers, tmp_path)
    assert sh(program, stdin=noisy) == clean


@pytest.mark.parametrize(
    ("cpu", "machine", "ram", "isa"),
    [
        ("cortex-m7", "mps2-an500", "0x20000000", "d"),  # dsp
        ("cortex-m55", "mps3-an547", "0x31000000", "m"),  # mve
    ],
)
def test_emulated_microcontrollers_give_the_same_bytes(
    for_microcontrollers, tmp_path, noisy, clean, cpu, machine, ram, isa
):
    program = tmp_path / "consumer.elf"
    sh(
        *("arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", "-mfloat-abi=hard", "-O2", *CLEAN_C99),
        *(f"-I{for_microcontrollers}", for_microcontrollers / "percepnet.c"),
        *(HERE / "semihosted.c", "-nostartfiles", "-specs=nano.specs"),
        *("-T", HERE / "semihosted.ld", f"-Wl,--defsym=RAM={ram}", "-o", program),
    )
    (tmp_path / "in.raw").write_bytes(noisy[:SECOND])
    emulator = f"qemu-system-arm -M {machine} -display none -monitor none -serial none"
    semihosting = "-semihosting-config enable=on,target=native"
    command = f"{emulator} {semihosting} -kernel {program}; echo $?"
    code = sh("sh", "-c", command, cwd=tmp_path).split()[-1]
    assert chr(int(code)) == isa
    assert (tmp_path / "out.raw").read_bytes() == clean[:SECOND]


@pytest.mark.parametrize("cpu", ["cortex-m0plus", "cortex-m4", "cortex-m33"])
def test_it_compiles_cleanly_for(for_microcontrollers, tmp_path, cpu):
    compiler = ("arm-none-eabi-gcc", f"-mcpu={cpu}", "-mthumb", "-O2", *CLEAN_C99)
    sh(*compiler, "-c", for_microcontrollers / "percepnet.c", "-o", tmp_path / "o.o")
    undefined = sh("arm-none-eabi-nm", "-u", tmp_path / "o.o").decode().split()[1::2]
    allowed = ("mem", "str", "__aeabi_", "__clzsi2", "__clzdi2")
    assert all(name.startswith(allowed) for name in undefined)


def test_another_model_is_built_in(tmp_path):
    arch = Architecture(8, 16, 16, 16, 8)
    model = tmp_path / "toy.tflite"
    model.write_bytes(write_tflite(random_weights(arch, 1), arch, {"name": "toy"}))
    request = dataclasses.replace(Request(load_target("host_x86_64")), model=model)
    package = unpack(make_format("amalgamation").write(request, tmp_path), tmp_path / "unpacked")
    assert "the model `toy`" in (package / "percepnet.c").read_text()
    assert not (package / "MODEL.md").exists()
    assert (package / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
