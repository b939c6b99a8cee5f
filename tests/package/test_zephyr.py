"""The Zephyr module: Kconfig by Zephyr's own library for it, CMake with its documented functions.

Zephyr itself is not here: no image was configured or linked with it.
"""

import re
from pathlib import Path

import kconfiglib
import pytest

from tests.package.consumer import CONSUMER, make_package, sh

FUNCTIONS = Path(__file__).parent / "zephyr_functions.cmake"
APPLICATION = """cmake_minimum_required(VERSION 3.20)
project(application C)
include({functions})
add_library(zephyr_interface INTERFACE)
set(CONFIG_PERCEPNET {switch})
set(CONFIG_PERCEPNET_SPEED y)
add_subdirectory({module}/zephyr module)
add_executable(application main.c)
target_link_libraries(application PRIVATE percepnet)
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory) -> Path:
    return make_package("mps2_an500", "zephyr", tmp_path_factory.mktemp("zephyr"))


def configure(module: Path, folder: Path, switch: str) -> Path:
    (folder / "main.c").write_text(CONSUMER)
    text = APPLICATION.format(functions=FUNCTIONS, module=module, switch=switch)
    (folder / "CMakeLists.txt").write_text(text)
    sh("cmake", "-S", folder, "-B", folder / "b", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    return folder / "b"


def test_an_application_built_with_it_gives_the_librarys_bytes(module, tmp_path, noisy, clean):
    build = configure(module, tmp_path, "y")
    sh("cmake", "--build", build)
    assert sh(build / "application", stdin=noisy) == clean
    assert " -O2 " in (build / "compile_commands.json").read_text()


def test_nothing_is_built_where_it_is_switched_off(module, tmp_path):
    build = configure(module, tmp_path, "n")
    assert "percepnet.c" not in (build / "compile_commands.json").read_text()


def test_kconfig_offers_a_switch_that_is_off_at_first(module, monkeypatch):
    monkeypatch.setenv("srctree", str(module))
    config = kconfiglib.Kconfig("zephyr/Kconfig", warn_to_stderr=False)
    assert not config.warnings
    switch, speed = config.syms["PERCEPNET"], config.syms["PERCEPNET_SPEED"]
    assert (switch.str_value, speed.str_value) == ("n", "n")
    switch.set_value("y")
    assert speed.str_value == "y"


def test_module_yml_names_files_that_exist(module):
    text = (module / "zephyr/module.yml").read_text()
    paths = dict(re.findall(r"^  (cmake|kconfig): (\S+)$", text, re.MULTILINE))
    assert re.search(r"^name: percepnet$", text, re.MULTILINE)
    assert (module / paths["cmake"] / "CMakeLists.txt").is_file()
    assert (module / paths["kconfig"]).is_file()
