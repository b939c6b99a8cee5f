"""Finding an Android NDK, and what compiles without one."""

import os
import sys
from pathlib import Path

import pytest

from kit import cli, process
from kit.errors import TargetError
from kit.paths import BUILD, ROOT
from kit.target import load_toolchain
from kit.target.ndk import FOLDER_VARIABLE, find_ndk

SCONS_TIMEOUT_S = 200


@pytest.fixture(autouse=True)
def variable_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option --ndk sets it for the rest of the process."""
    monkeypatch.setenv(FOLDER_VARIABLE, "")


def make_ndk(folder: Path, revision: str = "27.0.12077973") -> Path:
    """A folder that looks like an NDK from outside."""
    programs = folder / "toolchains/llvm/prebuilt/linux-x86_64/bin"
    programs.mkdir(parents=True)
    for name in ("clang", "llvm-ar", "llvm-objcopy"):
        (programs / name).touch(mode=0o755)
    text = f"Pkg.Desc = Android NDK\nPkg.Revision = {revision}\nPkg.BaseRevision = 1.0\n"
    (folder / "source.properties").write_text(text)
    return folder


def test_without_an_ndk_debians_clang_stands_in():
    toolchain = load_toolchain("android")
    assert toolchain.program(toolchain.cc) == "clang-19"
    assert "-nostdlibinc" in toolchain.cflags
    assert "lld-19" in toolchain.packages


@pytest.mark.parametrize("revision", ["23.0.7599858", "25.2.9519653", "29.0.14206865-beta1"])
def test_an_ndk_compiles_by_its_own_means(tmp_path: Path, monkeypatch, revision: str):
    monkeypatch.setenv(FOLDER_VARIABLE, str(make_ndk(tmp_path, revision)))
    toolchain = load_toolchain("android")
    programs = tmp_path / "toolchains/llvm/prebuilt/linux-x86_64/bin"
    assert toolchain.program(toolchain.cc) == str(programs / "clang")
    assert "-nostdlibinc" not in toolchain.cflags
    assert toolchain.packages == ()
    assert find_ndk().revision == revision.partition("-")[0]
    assert str(tmp_path) not in repr(toolchain), "where the NDK is does not change the firmware"


def test_a_build_starts_the_ndks_programs_and_makes_no_stand_ins(tmp_path: Path, monkeypatch):
    ndk = make_ndk(tmp_path / "ndk")
    monkeypatch.setenv(FOLDER_VARIABLE, str(ndk))
    scons = [sys.executable, "-m", "SCons", "-Q", "-n", "verbose=1", "below=never"]
    said = process.run([*scons, "android_armv7"], cwd=ROOT, timeout_s=SCONS_TIMEOUT_S).text
    programs = ndk / "toolchains/llvm/prebuilt/linux-x86_64/bin"
    assert f"{programs}/clang -o" in said
    assert f"{programs}/llvm-objcopy --strip-all" in said
    assert "--target=armv7a-linux-androideabi26" in said
    assert "stand_in" not in said and "nostdlib" not in said
    assert not (BUILD / "never").exists()


def test_other_toolchains_do_not_care(tmp_path: Path, monkeypatch):
    before = load_toolchain("gcc_aarch64")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "nowhere"))
    assert load_toolchain("gcc_aarch64") == before


@pytest.mark.parametrize("revision", ["22.1.7171670", "30.0.1"])
def test_an_unknown_revision_is_refused(tmp_path: Path, monkeypatch, revision: str):
    monkeypatch.setenv(FOLDER_VARIABLE, str(make_ndk(tmp_path, revision)))
    with pytest.raises(TargetError, match="r23 to r29 are known to work"):
        load_toolchain("android")


@pytest.mark.parametrize("missing", ["source.properties", "toolchains"])
def test_a_folder_that_is_no_ndk_is_refused(tmp_path: Path, monkeypatch, missing: str):
    make_ndk(tmp_path)
    (tmp_path / missing).rename(tmp_path / "elsewhere")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(TargetError, match=f"not an Android NDK: it has no {missing}"):
        load_toolchain("android")


def test_the_option_names_an_ndk_as_the_variable_does(tmp_path: Path, capsys):
    ndk = make_ndk(tmp_path)
    cli.main(["doctor", "--target", "android_arm64", "--ndk", str(ndk)])
    assert "the NDK 27.0.12077973 in" in capsys.readouterr().out
    assert os.environ[FOLDER_VARIABLE] == str(ndk)


def test_doctor_says_what_compiles_where_no_ndk_is(capsys):
    assert cli.main(["doctor", "android_arm64"]) == 0
    assert "no NDK is named by" in capsys.readouterr().out


def test_a_wrong_option_is_told_before_anything_is_built(tmp_path: Path, capsys):
    assert cli.main(["build", "android_arm64", "--ndk", str(tmp_path)]) == 2
    assert "is not an Android NDK" in capsys.readouterr().err
