"""The build: the same bytes in any folder, and nothing compiled that did not change.

It runs on a copy of the checkout whose firmware is a few toy files around the real port, so that a
build takes a moment.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.paths import FIRMWARE, ROOT, TARGETS

BUILD_TIMEOUT_S = 120
HOST, BOARD = "host_x86_64", "mps2_an500"
MADE_FOR_BOARD = ("libpercepnet.a", "toy.elf", "obj/gen/pn_tables.o", "obj/gen/pn_model.o")
MADE = ("libpercepnet.a", "libpercepnet.so", "toy", "gen/pn_model.c", "gen/model.pnwb")
TOY = {
    "dsp/pn_alpha.c": "int pn_alpha(void);\nint pn_alpha(void) { return 1; }\n",
    "nn/pn_user.c": '#include "pn_model.h"\nconst char *pn_user(void);\n'
    "const char *pn_user(void) { return PN_MODEL_HASH; }\n",
    "kernels/pn_toy_ukernel_x1__scalar.c": "int pn_s(void);\nint pn_s(void) { return 2; }\n",
    "kernels/pn_toy_ukernel_x1__avx2.c": "#ifndef __AVX2__\n#error no flags\n#endif\n"
    "int pn_a(void);\nint pn_a(void) { return 2; }\n",
    "kernels/pn_toy_ukernel_x1__mve.c": "#error not for this target\n",
    "kernels/pn_table.c": "#define PN_KERNEL(family, isa) #family #isa\n"
    'const char pn_table[] =\n#include "pn_kernel_list.h"\n    "";\n',
    "apps/toy.c": '#include "pn_build_info.h"\n#include "pn_port.h"\nconst char *pn_user(void);\n'
    'int main(void) {\n    pn_port_line("%s %s", PN_BUILD_TARGET, pn_user());\n    return 0;\n}\n',
}


def write_model(path: Path, seed: int) -> None:
    arch = Architecture(8, 16, 16, 16, 8)
    path.write_bytes(write_tflite(random_weights(arch, seed), arch, {"name": "toy"}))


def make_checkout(folder: Path) -> Path:
    """A checkout with toy firmware, and model.tflite beside it."""
    ignore = shutil.ignore_patterns("__pycache__", "*.flac")
    for tree in (ROOT / "kit", TARGETS):
        shutil.copytree(tree, folder / tree.name, ignore=ignore)
    shutil.copyfile(ROOT / "SConstruct", folder / "SConstruct")
    headers_and_port = shutil.ignore_patterns("*.c")
    shutil.copytree(FIRMWARE, folder / "firmware_src", ignore=headers_and_port)
    shutil.copytree(FIRMWARE / "port", folder / "firmware_src" / "port", dirs_exist_ok=True)
    for name, text in TOY.items():
        (folder / "firmware_src" / name).write_text(text)
    write_model(folder / "model.tflite", seed=1)
    return folder


def without_network() -> list[str]:
    """The command before a command that is to run where there is no network, not even lo.

    As root that needs nothing; for others the kernel has to allow namespaces of users.
    """
    return ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]


def scons(
    checkout: Path, *words: str, env: dict[str, str] | None = None, before: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-m", "SCons", "-Q", *words]
    return subprocess.run(
        command,
        cwd=checkout,
        env=env,
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )


def steps_of(done: subprocess.CompletedProcess[str]) -> list[tuple[str, Path]]:
    """What a build that went well did: `cc`, `gen`, `link` and so on, and the file."""
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (line.split() for line in done.stdout.splitlines() if line.startswith("  "))
    # SCons writes the compilation database every time.
    lines = ((word, names) for word, *names in lines if word != "json")
    return [(word, Path(name)) for word, names in lines for name in names if "/" in name]


def build(
    checkout: Path, *words: str, goal: str = HOST, env: dict[str, str] | None = None
) -> set[str]:
    """Build a goal's programs; returns the names of what was compiled, generated, linked."""
    done = scons(checkout, goal, f"model={checkout / 'model.tflite'}", *words, env=env)
    return {path.name for _, path in steps_of(done)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = make_checkout(tmp_path_factory.mktemp("first") / "checkout")
    build(checkout)
    return checkout


def assert_same_bytes(one: Path, other: Path, target: str = HOST) -> None:
    for name in MADE if target == HOST else MADE_FOR_BOARD:
        assert (one / target / name).read_bytes() == (other / target / name).read_bytes(), name


def test_another_folder_user_and_date_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    other = make_checkout(tmp_path / "a" / "much_longer_folder_name")
    for path in other.rglob("*"):
        os.utime(path, (1e9, 1e9))
    somebody = {
        "HOME": str(tmp_path),
        "USER": "somebody",
        "TZ": "Asia/Tokyo",
        "LANG": "tr_TR.UTF-8",
    }
    build(other, env=os.environ | somebody | {"PYTHONHASHSEED": "7"})
    assert_same_bytes(built / "build", other / "build")


def test_a_build_folder_elsewhere_gets_the_same_bytes_and_leaves_the_checkout_alone(
    built: Path, tmp_path: Path
) -> None:
    other = make_checkout(tmp_path / "checkout")
    before = sorted(path for path in other.rglob("*") if path.suffix != ".pyc")
    assert "toy" in build(other, f"build={tmp_path / 'out'}")
    assert build(other, f"build={tmp_path / 'out'}") == set()
    after = sorted(path for path in other.rglob("*") if path.suffix != ".pyc")
    assert [path for path in after if path not in before and path.name != "__pycache__"] == []
    assert_same_bytes(built / "build", tmp_path / "out")


def test_a_boards_compiler_is_not_told_where_the_build_folder_is(
    two_targets: Path, tmp_path: Path
) -> None:
    build(two_targets, goal=BOARD)
    build(two_targets, f"build={tmp_path / 'out'}", goal=BOARD)
    assert_same_bytes(two_targets / "build", tmp_path / "out", BOARD)


def test_what_was_compiled_comes_from_the_cache_in_another_checkout(tmp_path: Path) -> None:
    cache = f"cache={tmp_path / 'cache'}"
    one, other = (make_checkout(tmp_path / name) for name in ("one", "other"))
    build(one, cache)
    again = scons(other, HOST, f"model={other / 'model.tflite'}", cache)
    assert "Retrieved `build/host_x86_64/obj/dsp/pn_alpha.o' from cache" in again.stdout
    assert not [path for word, path in steps_of(again) if word in ("cc", "gen")]
    assert_same_bytes(one / "build", other / "build")


@pytest.fixture(scope="module")
def two_targets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the host and an emulated board built."""
    checkout = make_checkout(tmp_path_factory.mktemp("two") / "checkout")
    assert {path.parts[1] for _, path in build_both(checkout)} == {HOST, BOARD}
    return checkout


def build_both(checkout: Path) -> list[tuple[str, Path]]:
    return steps_of(scons(checkout, HOST, BOARD, f"model={checkout / 'model.tflite'}"))


def test_a_changed_board_rebuilds_that_board_alone(two_targets: Path) -> None:
    board = two_targets / f"targets/emulators/{BOARD}.toml"
    board.write_text(board.read_text().replace("clock_hz = 25000000", "clock_hz = 26000000"))
    steps = build_both(two_targets)
    assert ("cc", Path(f"build/{BOARD}/obj/port/cortex_m/boards/mps.o")) in steps
    assert {path.parts[1] for _, path in steps} == {BOARD}
    assert not [path for _, path in steps if path.name in ("pn_model.c", "pn_tables.c")]


def test_cleaning_leaves_nothing_and_takes_no_compiler(two_targets: Path) -> None:
    folder = two_targets / "build"
    nothing_installed = os.environ | {"PATH": "/nowhere"}
    assert scons(two_targets, "-c", HOST, env=nothing_installed).returncode == 0
    assert [path.name for path in folder.glob("[!.]*")] == [BOARD]
    assert scons(two_targets, "-c", env=nothing_installed).returncode == 0
    assert not folder.exists()


def test_the_compilation_database_is_the_targets_own(built: Path) -> None:
    database = json.loads((built / f"build/{HOST}/compile_commands.json").read_text())
    files = {entry["file"] for entry in database}
    assert {"firmware_src/dsp/pn_alpha.c", "firmware_src/apps/toy.c"} <= files
    assert all(entry["output"].startswith(f"build/{HOST}/") for entry in database)


def test_help_says_what_can_be_built_and_every_option(built: Path) -> None:
    done = scons(built, "-h")
    assert done.returncode == 0
    for word in ("scons test-NAME", "scons -c", "cache:", "build:", "below:", "model:", "verbose:"):
        assert word in done.stdout


def test_a_second_build_does_nothing_and_knows_it_from_the_stamp(built: Path) -> None:
    done = scons(built, HOST, f"model={built / 'model.tflite'}")
    assert "Nothing to be done" in done.stdout
    assert build(built) == set()


def test_a_program_that_is_gone_is_linked_again(built: Path) -> None:
    (built / "build" / HOST / "toy").unlink()
    assert "toy" in build(built)


def test_a_source_touched_but_unchanged_is_not_compiled(built: Path) -> None:
    (built / "firmware_src/dsp/pn_alpha.c").touch()
    assert build(built) == set()


def test_another_model_rebuilds_what_depends_on_it_and_no_more(built: Path) -> None:
    write_model(built / "model.tflite", seed=2)
    steps = build(built)
    assert {"pn_model.c", "pn_model.o", "pn_user.o", "toy"} <= steps
    assert not steps & {"pn_alpha.o", "pn_table.o", "pn_tables.o", "pn_port_line.o", "toy.o"}


def test_a_changed_source_is_compiled_alone(built: Path) -> None:
    (built / "firmware_src/dsp/pn_alpha.c").write_text(TOY["dsp/pn_alpha.c"].replace("1", "3"))
    objects = {name for name in build(built) if name.endswith(".o")}
    assert objects == {"pn_alpha.o", "toy.o"}, "toy.o carries the firmware's id"


def test_kernels_come_and_go_by_file_name(built: Path) -> None:
    kernels = built / "build/host_x86_64/gen/pn_kernel_list.h"
    lines = [line for line in kernels.read_text().splitlines() if line.startswith("PN_KERNEL")]
    assert lines == ["PN_KERNEL(pn_toy_ukernel_x1, scalar)", "PN_KERNEL(pn_toy_ukernel_x1, avx2)"]
    (built / "firmware_src/kernels/pn_toy_ukernel_x1__avx2.c").unlink()
    assert {"pn_kernel_list.h", "pn_table.o"} <= build(built)
    assert "avx2" not in kernels.read_text()


def test_the_program_runs_and_carries_its_target(built: Path) -> None:
    said = subprocess.run([built / "build/host_x86_64/toy"], capture_output=True, text=True)
    assert said.stdout.startswith("host_x86_64 ")


def test_a_board_and_its_weights_are_built_without_a_network(tmp_path: Path) -> None:
    reach = "import socket; socket.create_connection(('127.0.0.1', 9), 1)"
    alone = subprocess.run(
        [*without_network(), sys.executable, "-c", reach], capture_output=True, text=True
    )
    assert "Network is unreachable" in alone.stderr
    checkout = make_checkout(tmp_path / "checkout")
    words = (BOARD, f"model={checkout / 'model.tflite'}", "cache=")
    done = scons(checkout, *words, before=without_network())
    made = {path.name for _, path in steps_of(done)}
    assert {"pn_model.c", "model.pnwb", "toy.elf", "libpercepnet.a"} <= made
    old = (checkout / "build" / BOARD / "gen" / "model.pnwb").read_bytes()
    write_model(checkout / "model.tflite", seed=2)
    steps_of(scons(checkout, *words, before=without_network()))
    assert (checkout / "build" / BOARD / "gen" / "model.pnwb").read_bytes() != old


def test_a_warning_stops_the_build(built: Path) -> None:
    bad = built / "firmware_src/dsp/pn_bad.c"
    bad.write_text("short pn_bad(int a);\nshort pn_bad(int a) { return a; }\n")
    done = scons(built, "host_x86_64", "model=none")
    bad.unlink()
    assert done.returncode != 0
    assert "Werror=conversion" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["modle=x"],
            "unknown option `modle=`\n           options: below=, build=, cache=, model=",
        ),
        (["target=host_x86"], "unknown target `host_x86`"),
        (["host_x86"], "unknown target `host_x86`"),
        (["-c", "host_x86"], "unknown target `host_x86`"),
        (["test-host_x86"], "unknown target `host_x86`"),
        (["model=missing.tflite"], "model file `missing.tflite` does not exist"),
        (["fuzz-host_x86_64"], "toolchain `gcc_x86_64` has no variant `fuzz`"),
    ],
)
def test_mistakes_are_told_before_anything_is_built(
    built: Path, words: list[str], message: str
) -> None:
    done = scons(built, *words)
    assert done.returncode == 2
    assert f"percepnet: {message}" in done.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "targets/host/host_x86_64.toml",
            'model = "tiny"',
            'model = "teeny"',
            "target `host_x86_64` names the model `teeny`: no kit/models/teeny.tflite\n"
            "           models: compact, full, lite, tiny; or say model=FILE.tflite",
        ),
        (
            "targets/host/host_x86_64.toml",
            'model = "tiny"',
            'model = "tiny"\napps = ["toy", "joy"]',
            "target `host_x86_64` names the app `joy`\n           apps: toy",
        ),
        (
            "targets/toolchains/gcc_base.toml",
            "scalar = ",
            "square = ",
            "targets/host/host_x86_64.toml: `isas` names `scalar`",
        ),
    ],
)
def test_a_mistake_in_a_target_is_told_before_anything_is_built(
    built: Path, file: str, old: str, new: str, message: str
) -> None:
    text = (built / file).read_text()
    assert old in text
    (built / file).write_text(text.replace(old, new))
    done = scons(built, HOST)
    (built / file).write_text(text)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"percepnet: {message}" in done.stderr


def test_a_model_that_is_none_stops_the_build(built: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_text("no model")
    done = scons(built, HOST, f"model={tmp_path / 'bad.tflite'}", f"build={tmp_path / 'build'}")
    assert done.returncode == 2
    assert "bad.tflite" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "build" / HOST / "gen" / "pn_model.c").exists()


@pytest.mark.parametrize("goal", [f"profile-{HOST}", "host-jni"])
def test_what_takes_a_model_is_not_built_without_one(goal: str, built: Path) -> None:
    done = scons(built, goal, "model=none")
    assert steps_of(done) == []
    assert "Nothing to be done" in done.stdout


def test_a_file_can_be_built_alone(built: Path, tmp_path: Path) -> None:
    """A goal that is a path is SCons' own business."""
    name = tmp_path / "build" / HOST / "obj/dsp/pn_alpha.o"
    done = scons(built, str(name), "model=none", f"build={tmp_path / 'build'}")
    assert [path.name for _, path in steps_of(done)] == ["pn_alpha.o"]
    assert name.is_file()


def test_what_a_killed_compiler_left_is_not_trusted(built: Path, tmp_path: Path) -> None:
    compiler = tmp_path / "bin" / "gcc"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\nkill -9 $$\n")
    compiler.chmod(0o755)
    folder = tmp_path / "build"
    path = f"{compiler.parent}:{os.environ['PATH']}"
    words = (HOST, "model=none", f"build={folder}")
    assert scons(built, *words, env={**os.environ, "PATH": path}).returncode != 0
    assert (folder / ".underway").exists(), "the next build forgets what SCons remembers"
    steps_of(scons(built, *words))
    assert not (folder / ".underway").exists()


@pytest.mark.parametrize("end", ["os._exit(0)", "session.distrust()", "pass"])
def test_what_a_killed_build_left_is_not_trusted(end: str, tmp_path: Path):
    """SCons would take files that it did not get to note for those that it remembers."""
    signatures = tmp_path / ".sconsign.dblite"
    signatures.touch()
    program = f"import os; from kit.scons import session; session.take_build_lock(); {end}"
    environment = {**os.environ, "PERCEPNET_BUILD": str(tmp_path)}
    command = [sys.executable, "-c", program]
    for _ in range(2):
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert signatures.exists() == (end == "pass")
