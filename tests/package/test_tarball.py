"""The tarball: consumers by CMake and pkg-config, native and cross, give the library's bytes."""

import re
from pathlib import Path

import pytest

from tests.package.consumer import CONSUMER, make_package, sh, unpack

CMAKELISTS = """cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(percepnet 0.1 CONFIG REQUIRED)
add_executable(consumer main.c)
target_link_libraries(consumer PRIVATE percepnet::percepnet)
"""
AARCH64 = [
    "-DCMAKE_SYSTEM_NAME=Linux",
    "-DCMAKE_SYSTEM_PROCESSOR=aarch64",
    "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
]
QEMU = ("qemu-aarch64", "-L", "/usr/aarch64-linux-gnu")


@pytest.fixture(scope="module")
def host_package(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("host")
    return unpack(make_package("host_x86_64", "tarball", folder), folder / "unpacked")


def test_a_board_gets_the_static_library_alone(tmp_path):
    package = unpack(make_package("mps2_an500", "tarball", tmp_path), tmp_path / "unpacked")
    assert [path.name for path in (package / "lib").glob("lib*")] == ["libpercepnet.a"]
    assert "SHARED" not in (package / "lib/cmake/percepnet/percepnetConfig.cmake").read_text()


def configure_and_build(package: Path, folder: Path, *options: str) -> Path:
    """A consumer in its own folder, built by CMake; the program."""
    (folder / "main.c").write_text(CONSUMER)
    (folder / "CMakeLists.txt").write_text(CMAKELISTS)
    where = f"-Dpercepnet_DIR={package}/lib/cmake/percepnet"
    sh("cmake", "-S", folder, "-B", folder / "b", where, *options)
    sh("cmake", "--build", folder / "b")
    return folder / "b" / "consumer"


@pytest.mark.parametrize("shared", ["OFF", "ON"])
def test_a_cmake_consumer_gives_the_same_bytes(host_package, tmp_path, noisy, clean, shared):
    program = configure_and_build(host_package, tmp_path, f"-DBUILD_SHARED_LIBS={shared}")
    needed = sh("readelf", "-d", program).decode()
    assert ("libpercepnet.so.0" in needed) == (shared == "ON")
    assert sh(program, stdin=noisy) == clean


@pytest.mark.parametrize("wanted", ["0.2", "1.0", "0.1.99"])
def test_cmake_refuses_a_version_that_it_is_not(host_package, tmp_path, wanted):
    (tmp_path / "main.c").write_text(CONSUMER)
    (tmp_path / "CMakeLists.txt").write_text(CMAKELISTS.replace("0.1 ", f"{wanted} "))
    with pytest.raises(AssertionError, match="requested\\s+version"):
        sh("cmake", "-S", tmp_path, "-B", tmp_path / "b", f"-Dpercepnet_ROOT={host_package}")


def test_a_pkg_config_consumer_gives_the_same_bytes(host_package, tmp_path, noisy, clean):
    (tmp_path / "main.c").write_text(CONSUMER)
    search = {"PKG_CONFIG_PATH": str(host_package / "lib/pkgconfig"), "PATH": "/usr/bin:/bin"}
    flags = sh("pkg-config", "--cflags", "--libs", "percepnet", **search).decode().split()
    program = tmp_path / "consumer"
    sh("gcc", tmp_path / "main.c", "-o", program, *flags)
    assert sh(program, stdin=noisy, LD_LIBRARY_PATH=str(host_package / "lib")) == clean


def test_the_shared_library_exports_the_public_interface_alone(host_package):
    symbols = sh("nm", "-D", "--defined-only", host_package / "lib/libpercepnet.so").decode()
    names = {line.split()[-1] for line in symbols.splitlines()}
    header = (host_package / "include/percepnet.h").read_text()
    assert names == set(re.findall(r"\b(pn_\w+)\(", header))


def test_it_brings_the_licence_and_the_models_card(host_package):
    assert "Apache License" in (host_package / "LICENSE").read_text()
    assert "Model `tiny`" in (host_package / "MODEL.md").read_text()


@pytest.mark.parametrize("shared", ["OFF", "ON"])
def test_an_aarch64_consumer_gives_the_same_bytes(tmp_path, noisy, clean, shared):
    package = unpack(make_package("qemu_aarch64", "tarball", tmp_path), tmp_path / "unpacked")
    folder = tmp_path / "consumer"
    folder.mkdir()
    program = configure_and_build(package, folder, *AARCH64, f"-DBUILD_SHARED_LIBS={shared}")
    assert sh(*QEMU, program, stdin=noisy, PATH="/usr/bin:/bin") == clean


def test_a_second_packing_gives_the_same_bytes(tmp_path):
    first, second = (
        make_package("host_x86_64", "tarball", tmp_path / name).read_bytes() for name in "ab"
    )
    assert first == second
