"""Boards: what is compiled fits and lies where the chip starts; what an emulator runs is right."""

import json
import struct
from pathlib import Path

import pytest

from kit.build import build, program_path
from kit.measure import SIZE_OF_APP, run_app
from kit.paths import BUILD
from kit.target import Target, load_target, target_kind, target_names

# Whose processors the emulator has, and the kernels that they must choose.
LINUX_BOARDS = {
    "raspberry_pi_zero2w": "neon",
    "raspberry_pi_4": "neon",
    "raspberry_pi_5": "neondot",
    "beaglebone_black": "neon",
}
MICROCONTROLLERS = [
    name for name in target_names() if target_kind(name) == "boards" and load_target(name).memory
]
# The same sources by another compiler.
BY_CLANG = (
    "qemu_aarch64+clang_aarch64",
    "qemu_armhf+clang_armhf",
    "mps3_an547+clang_arm_none_eabi",
)


def crcs(target: Target) -> dict[str, str]:
    report = run_app(target, "selftest")
    assert report.passed
    return {test.name: test.details["crc"] for test in report.tests}


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """CRCs of this computer's self-test."""
    return crcs(load_target("host_x86_64"))


def test_every_board_is_known_to_these_tests():
    boards = {name for name in target_names() if target_kind(name) == "boards"}
    assert boards == {*LINUX_BOARDS, *MICROCONTROLLERS}


@pytest.mark.parametrize("name", LINUX_BOARDS)
def test_a_linux_boards_program_is_right_and_takes_its_processors_kernels(name: str, expected):
    target = load_target(name)
    report = run_app(target, "selftest")
    assert report.boot["isa"] == LINUX_BOARDS[name]
    assert {test.name: test.details["crc"] for test in report.tests} == expected


@pytest.mark.parametrize("name", ["qemu_armhf", "mps2_an386", "netduinoplus2", *BY_CLANG])
def test_the_self_test_gives_this_computers_bytes_on(name: str, expected):
    assert crcs(load_target(name)) == expected


@pytest.mark.parametrize("name", MICROCONTROLLERS)
def test_a_microcontrollers_program_fits_its_budgets(name: str):
    build(name)
    target = load_target(name)
    assert target.proven == "compiled"
    size = json.loads((BUILD / name / "size.json").read_text())[SIZE_OF_APP]
    assert 0 < size["text"] + size["data"] <= target.budgets.flash_bytes
    assert target.stack_size < size["data"] + size["bss"] <= target.budgets.ram_bytes
    assert all(region["used"] <= region["size"] for region in size["regions"].values())
    assert size["regions"]["flash"]["used"] > size["sections"][".weights"] > 300_000


def loaded(program: Path, address: int, count: int) -> bytes:
    """Bytes of an ELF file (32 bits) at the address where they are stored."""
    content = program.read_bytes()
    offset, entry_size, entries = (
        *struct.unpack_from("<I", content, 28),
        *struct.unpack_from("<HH", content, 42),
    )
    for i in range(entries):
        kind, at, _, stored, size = struct.unpack_from("<IIIII", content, offset + i * entry_size)
        if kind == 1 and stored <= address and address + count <= stored + size:
            return content[at + address - stored :][:count]
    raise AssertionError(f"nothing is stored at {address:#x}")


@pytest.mark.parametrize("name", MICROCONTROLLERS)
def test_a_microcontroller_finds_its_stack_and_first_instruction_where_flash_begins(name: str):
    build(name)
    target = load_target(name)
    flash, ram = target.memory["flash"], target.memory["ram"]
    program = program_path(target, "selftest")
    stack, reset = struct.unpack("<II", loaded(program, flash.origin, 8))
    assert ram.origin < stack <= ram.origin + ram.size
    assert stack % 8 == 0
    assert reset % 2 == 1, "a Thumb address"
    assert flash.origin < reset < flash.origin + flash.size


def test_the_pico_2s_image_is_announced_to_its_boot_rom():
    build("pico2")
    program = program_path(load_target("pico2"), "selftest")
    words = struct.unpack("<32I", loaded(program, 0x10000000, 128))
    first = words.index(0xFFFFDED3)
    assert words[first + 1] == 0x10210142
    assert words[first + 4] == 0xAB123579
