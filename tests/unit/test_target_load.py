"""Target descriptions: what is accepted, and how mistakes are told."""

import shutil
from pathlib import Path

import pytest

from kit.codegen.linker import render_linker_script
from kit.errors import TargetError
from kit.paths import TARGETS
from kit.runner import make_runner
from kit.target import load_target, load_toolchain, target_names

BOARD = """
extends = "cpus/cortex_m55"
description = "a board"
port = "cortex_m"
runner = "qemu_system"
model = "tiny"
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A copy of targets/ with a folder for boards of a test's own."""
    copy = tmp_path / "targets"
    shutil.copytree(TARGETS, copy)
    (copy / "boards").mkdir(exist_ok=True)
    return copy


def write_board(base: Path, text: str) -> None:
    (base / "boards" / "my_board.toml").write_text(text)


def refusal(base: Path, text: str) -> TargetError:
    write_board(base, text)
    with pytest.raises(TargetError) as caught:
        load_target("my_board", base)
    return caught.value


@pytest.mark.parametrize("name", target_names())
def test_every_target_loads_with_its_toolchain_runner_and_linker_script(name: str) -> None:
    target = load_target(name)
    assert "release" in target.variants
    assert set(target.variants) <= set(load_toolchain(target.toolchain).variants)
    assert make_runner(target).target is target
    if target.memory:
        assert render_linker_script(target).count("> code") >= 1


def test_a_new_board_is_one_file(base: Path) -> None:
    write_board(base, BOARD)
    target = load_target("my_board", base)
    assert "my_board" in target_names(base)
    assert target.isas[-1] == "mve"
    assert target.toolchain == "gcc_arm_none_eabi"


def test_extends_merges_tables_and_replaces_lists(base: Path) -> None:
    (base / "cpus" / "mine.toml").write_text(
        'isas = ["scalar", "mve"]\n[defines]\nA = "1"\nB = "2"\n'
    )
    text = BOARD.replace("cpus/cortex_m55", "cpus/mine") + (
        'toolchain = "gcc_arm_none_eabi"\nlayout = "rm16"\nisas = ["scalar"]\n[defines]\nB = "3"\n'
    )
    write_board(base, text)
    target = load_target("my_board", base)
    assert target.isas == ("scalar",)
    assert target.defines == {"A": "1", "B": "3"}


def test_an_unknown_key_is_named_with_its_file_and_the_nearest_key(base: Path) -> None:
    error = refusal(base, BOARD + "stack_sice = 4096\n")
    assert "my_board.toml" in error.message
    assert "`stack_sice`" in error.message
    assert "did you mean `stack_size`?" in error.hint


def test_an_unknown_key_in_a_table_is_named_with_its_path(base: Path) -> None:
    error = refusal(base, BOARD + "[memory.code]\norigin = 0\nsize = 4\nholds = []\nkind = 1\n")
    assert "`memory.code.kind`" in error.message


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ('stack_size = "4096"', "stack_size", "a whole number"),
        ("stack_size = true", "stack_size", "a whole number"),
        ("description = 3", "description", "text"),
        ('isas = "mve"', "isas", "a list of texts"),
        ("isas = [1]", "isas", "a list of texts"),
        ("shared_library = 1", "shared_library", "true or false"),
        ("memory = 1", "memory", "a table"),
    ],
)
def test_a_wrong_type_is_told_with_the_right_one(
    base: Path, line: str, key: str, words: str
) -> None:
    kept = "".join(f"{row}\n" for row in BOARD.splitlines() if not row.startswith(f"{key} "))
    error = refusal(base, f"{kept}{line}\n")
    assert f"`{key}` must be {words}" in error.message


@pytest.mark.parametrize("key", ["description", "port", "runner", "model"])
def test_a_missing_key_is_named(base: Path, key: str) -> None:
    kept = "".join(f"{row}\n" for row in BOARD.splitlines() if not row.startswith(key))
    assert f"`{key}` is missing" in refusal(base, kept).message


@pytest.mark.parametrize(
    ("key", "value", "valid"),
    [
        ("toolchain", '"clang"', "gcc_x86_64"),
        ("port", '"amiga"', "linux"),
        ("isas", '["sve"]', "mve"),
    ],
)
def test_a_wrong_choice_is_told_with_the_valid_ones(
    base: Path, key: str, value: str, valid: str
) -> None:
    kept = "".join(f"{row}\n" for row in BOARD.splitlines() if not row.startswith(key))
    error = refusal(base, f"{kept}{key} = {value}\n")
    assert f"`{key}`" in error.message
    assert valid in error.hint


def test_an_unknown_target_is_answered_with_near_names() -> None:
    with pytest.raises(TargetError) as caught:
        load_target("mps3_an574")
    assert "`mps3_an547`" in caught.value.hint


def test_extending_a_missing_part_names_the_parts(base: Path) -> None:
    error = refusal(base, BOARD.replace("cortex_m55", "cortex_m99"))
    assert "my_board.toml" in error.message
    assert "cpus/cortex_m55" in error.hint


def test_a_circle_of_extends_is_an_error(base: Path) -> None:
    (base / "cpus" / "a.toml").write_text('extends = "cpus/b"\n')
    (base / "cpus" / "b.toml").write_text('extends = "cpus/a"\n')
    assert "circle" in refusal(base, BOARD.replace("cpus/cortex_m55", "cpus/a")).message


def test_broken_toml_is_told_with_its_line(base: Path) -> None:
    error = refusal(base, BOARD + "isas = = 1\n")
    assert "not valid TOML" in error.message
    assert "line" in error.message


def test_a_linker_script_needs_a_home_for_every_kind_of_section(base: Path) -> None:
    write_board(
        base, BOARD + '[memory.code]\norigin = 0\nsize = 4096\nholds = ["text", "vectors"]\n'
    )
    with pytest.raises(TargetError, match="weights, rodata, data, bss, stack"):
        render_linker_script(load_target("my_board", base))
