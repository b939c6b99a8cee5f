"""Target descriptions: what is accepted, and how mistakes are told."""

import shutil
from pathlib import Path

import pytest

from kit.codegen.linker import render_linker_script
from kit.errors import DeviceError, TargetError
from kit.paths import TARGETS
from kit.runner import make_runner
from kit.target import load_target, load_toolchain, target_names

BOARD = """
extends = "cpus/aarch64"
description = "a board"
proven = "compiled"
port = "linux"
model = "tiny"
"""
MICROCONTROLLER = 'extends = "emulators/mps3_an547"\n'


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
    if target.runner:
        assert make_runner(target).target is target
    if target.memory:
        script = render_linker_script(target)
        assert all(f"> {name}" in script for name, region in target.memory.items() if region.holds)


def test_a_new_board_is_one_file(base: Path) -> None:
    write_board(base, BOARD)
    target = load_target("my_board", base)
    assert "my_board" in target_names(base)
    assert target.isas[-1] == "neondot"
    assert target.toolchain == "gcc_aarch64"


def test_extends_merges_tables_and_replaces_lists(base: Path) -> None:
    (base / "cpus" / "mine.toml").write_text(
        'isas = ["scalar", "neon"]\n[defines]\nA = "1"\nB = "2"\n'
    )
    text = BOARD.replace("cpus/aarch64", "cpus/mine") + (
        'toolchain = "gcc_aarch64"\nlayout = "rm16"\nisas = ["scalar"]\n[defines]\nB = "3"\n'
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
        ("isas = [1]", "isas[0]", "text"),
        ("budgets = {core_percent = true}", "budgets.core_percent", "a number"),
        ("budgets = {missed = 0.5}", "budgets.missed", "a whole number"),
        ("notes = ['a word']", "notes[0]", "a table"),
        ("notes = 'a word'", "notes", "a list of tables"),
        ("shared_library = 1", "shared_library", "true or false"),
        ("memory = 1", "memory", "a table"),
        (
            "instructions = {tiny = {neon = {frame = 1.5}}}",
            "instructions.tiny.neon.frame",
            "a whole number",
        ),
    ],
)
def test_a_wrong_type_is_told_with_the_right_one(
    base: Path, line: str, key: str, words: str
) -> None:
    kept = "".join(f"{row}\n" for row in BOARD.splitlines() if not row.startswith(f"{key} "))
    error = refusal(base, f"{kept}{line}\n")
    assert f"`{key}` must be {words}" in error.message


@pytest.mark.parametrize("key", ["description", "proven", "port", "model"])
def test_a_missing_key_is_named(base: Path, key: str) -> None:
    kept = "".join(f"{row}\n" for row in BOARD.splitlines() if not row.startswith(key))
    assert f"`{key}` is missing" in refusal(base, kept).message


@pytest.mark.parametrize(
    ("key", "value", "valid"),
    [
        ("toolchain", '"clang"', "gcc_x86_64"),
        ("port", '"amiga"', "linux"),
        ("isas", '["sve"]', "neon"),
        ("best_isa", '"mve"', "scalar, neon, neondot"),
        ("proven", '"surely"', "host, emulated, compiled"),
        ("variants", '["fast"]', "checked, profile, release"),
        ("instructions", "{tiny = {mve = {frame = 1}}}", "scalar, neon, neondot"),
        (
            "costs",
            "{mve = {code_bytes = 1, stack_bytes = 1, signal_path = 1, per_row = 1, per_kmac = 1, "
            'per_sparse_kmac = 1, counted_on = "a lathe"}}',
            "scalar, neon, neondot",
        ),
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


def test_a_port_with_boards_needs_one(base: Path) -> None:
    error = refusal(base, BOARD.replace('port = "linux"', 'port = "cortex_m"'))
    assert "key `board` is missing" in error.message
    assert "pico2" in error.hint


def test_extending_a_missing_part_names_the_parts(base: Path) -> None:
    error = refusal(base, BOARD.replace("aarch64", "cortex_m99"))
    assert "my_board.toml" in error.message
    assert "cpus/cortex_m55" in error.hint


@pytest.mark.parametrize("parent", ["cpus/folder", f"cpus/{'9' * 300}"])
def test_what_extends_names_may_be_no_file_that_can_be_read(base: Path, parent: str) -> None:
    (base / "cpus" / "folder.toml").mkdir()
    error = refusal(base, BOARD.replace("cpus/aarch64", parent))
    assert "what `extends` names cannot be read: " in error.message


def test_a_circle_of_extends_is_an_error(base: Path) -> None:
    (base / "cpus" / "a.toml").write_text('extends = "cpus/b"\n')
    (base / "cpus" / "b.toml").write_text('extends = "cpus/a"\n')
    assert "circle" in refusal(base, BOARD.replace("cpus/aarch64", "cpus/a")).message


def test_broken_toml_is_told_with_its_line(base: Path) -> None:
    error = refusal(base, BOARD + "isas = = 1\n")
    assert "not valid TOML" in error.message
    assert "line" in error.message


def test_every_target_says_where_its_hardware_figures_come_from(base: Path) -> None:
    error = refusal(base, BOARD + "bandwidth_mb_s = 4000\n")
    assert "`notes` is missing" in error.message
    noted = 'notes = [{text = "4 GB/s", source = "our guess"}]\n'
    write_board(base, BOARD + "bandwidth_mb_s = 4000\n" + noted)
    assert load_target("my_board", base).notes[0].source == "our guess"


def test_budgets_that_are_not_set_are_no_limits(base: Path) -> None:
    write_board(base, BOARD + "[budgets]\ncore_percent = 5\nmissed = 0\n")
    assert load_target("my_board", base).budgets.limits() == {"core_percent": 5.0, "missed": 0}


def test_an_unknown_budget_is_answered_with_the_known_ones(base: Path) -> None:
    error = refusal(base, BOARD + "[budgets]\nflash = 5\n")
    assert "`budgets.flash`" in error.message
    assert "flash_bytes" in error.hint


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ('[memory.ram]\nholds = ["data"]', "no memory region holds bss, stack", "bss"),
        ('[memory.ram]\nholds = ["data", "heap"]', "`memory.ram.holds` says `heap`", "stack"),
        ('[memory.ddr]\nholds = ["weights", "text"]', "`memory.ddr` both hold `text`", ""),
        ("[memory.ddr]\norigin = 0x31000000", "`memory.ram` and `memory.ddr` overlap", ""),
        ("[memory.ram]\nsize = 0", "`memory.ram` needs a size above 0", ""),
        ("stack_size = 0", "`stack_size` must be more than 0", ""),
        ("stack_size = 0x500000", "at most the size of `memory.ram`, 4194304 bytes", ""),
    ],
)
def test_memory_that_cannot_be_is_refused(base: Path, text: str, message: str, hint: str) -> None:
    error = refusal(base, MICROCONTROLLER + text + "\n")
    assert "my_board.toml" in error.message
    assert message in error.message
    assert hint in error.hint


def test_a_target_without_operating_system_needs_memory_regions(base: Path) -> None:
    text = BOARD.replace("aarch64", "cortex_m55").replace("linux", "cortex_m")
    text += 'board = "mps"\n'
    error = refusal(base, text)
    assert "no memory region holds vectors, text" in error.message


def test_another_toolchain_is_named_after_a_plus() -> None:
    target = load_target("qemu_aarch64+gcc_aarch64")
    assert (target.name, target.toolchain) == ("qemu_aarch64+gcc_aarch64", "gcc_aarch64")
    with pytest.raises(TargetError, match="unknown toolchain `gcc_arch64`"):
        load_target("qemu_aarch64+gcc_arch64")
    with pytest.raises(TargetError, match="`isas`"):
        load_target("qemu_aarch64+gcc_x86_64")


@pytest.mark.parametrize(
    "line", ["x = " + "[" * 3000, "x = " + "9" * 5000], ids=["nested too deep", "too many digits"]
)
def test_what_the_toml_reader_gives_up_on_is_told_as_broken(base: Path, line: str) -> None:
    assert "not valid TOML" in refusal(base, f"{BOARD}{line}\n").message


def test_a_number_that_no_float_holds_is_refused(base: Path) -> None:
    error = refusal(base, f"{BOARD}[budgets]\ncore_percent = 1{'0' * 400}\n")
    assert "`budgets.core_percent` must be a number" in error.message


@pytest.mark.parametrize("parent", ["/etc/passwd", "../secret", "cpus/a\\u0000b"])
def test_extends_stays_inside_the_folder(base: Path, parent: str) -> None:
    assert "`extends`" in refusal(base, BOARD.replace("cpus/aarch64", parent)).message


def test_a_cluster_without_cores_is_refused(base: Path) -> None:
    cluster = '[clusters.big]\ncpu = "Cortex-A76"\ncores = 0\nclock_hz = 1\n'
    assert "at least one core" in refusal(base, BOARD + cluster).message


def test_androids_toolchain_needs_to_know_which_android(base: Path) -> None:
    error = refusal(base, 'toolchain = "android"\n' + BOARD)
    assert "table `android` is missing" in error.message
    assert "cpus/android_arm64" in error.hint


def test_two_targets_of_one_name_are_refused(base: Path) -> None:
    write_board(base, BOARD)
    shutil.copy(base / "boards" / "my_board.toml", base / "phones" / "my_board.toml")
    with pytest.raises(TargetError, match="two targets of one name"):
        load_target("my_board", base)


def test_a_boards_program_takes_no_words_with_spaces(tmp_path: Path) -> None:
    """A command line by semihosting is one line, cut at its spaces."""
    for word in ("two words", ""):
        with pytest.raises(DeviceError, match=f"argument {word!r}"):
            make_runner(load_target("mps3_an547")).start(tmp_path / "selftest", [word], {})
