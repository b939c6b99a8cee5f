"""The build: the same bytes in any folder, and nothing compiled that did not change.

It runs on a copy of the checkout whose firmware is a few toy files around the real port, so that a
build takes a moment.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kit.model.architecture import Architecture
from kit.model.export import write_tflite
from kit.model.random_model import random_weights
from kit.paths import FIRMWARE, ROOT, TARGETS

BUILD_TIMEOUT_S = 120
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


def scons(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "SCons", "-Q", *words]
    return subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S, check=False
    )


def build(checkout: Path) -> set[str]:
    """Build the host's programs; returns what was compiled, generated, linked."""
    done = scons(checkout, "host_x86_64", f"model={checkout / 'model.tflite'}")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = (line.split() for line in done.stdout.splitlines() if line.startswith("  "))
    # SCons writes the compilation database every time.
    return {Path(name).name for _, *names in steps for name in names} - {"compile_commands.json"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkout = make_checkout(tmp_path_factory.mktemp("first") / "checkout")
    build(checkout)
    return checkout


def test_two_folders_give_the_same_bytes(built: Path, tmp_path: Path) -> None:
    other = make_checkout(tmp_path / "a" / "much_longer_folder_name")
    build(other)
    for name in ("libpercepnet.a", "libpercepnet.so", "toy", "gen/pn_model.c", "gen/model.pnwb"):
        ours, theirs = (tree / "build/host_x86_64" / name for tree in (built, other))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_a_second_build_does_nothing(built: Path) -> None:
    assert build(built) == set()


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
        (["modle=x"], "unknown option `modle=`"),
        (["target=host_x86"], "unknown target `host_x86`"),
        (["model=missing.tflite"], "model file `missing.tflite` does not exist"),
    ],
)
def test_mistakes_are_told_before_anything_is_built(
    built: Path, words: list[str], message: str
) -> None:
    done = scons(built, *words)
    assert done.returncode == 2
    assert f"percepnet: {message}" in done.stderr
