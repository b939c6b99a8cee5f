"""`pytest --device NAME`: somebody's own tests, on an emulated board behind a gdb server and on an
emulator.

pytest finds the plug-in as it does for users: by the entry point in pyproject.toml.
"""

import os
import tomllib

import pytest

from kit.build import build
from kit.device import Device, save_device
from kit.device.map import MAP_SETTING
from kit.paths import ROOT
from tests.device.test_gdb import board

pytest_plugins = ["pytester"]

EMULATED = "mps2_an500"

ON_AN_EMULATOR = """
    def test_the_self_test_passes(self_test):
        assert self_test.passed
        assert self_test.tests

    def test_what_a_frame_costs(device):
        costs = device.bench()
        assert costs.unit == "instructions"
        assert 100_000 < costs.frame <= costs.worst
"""

# Whole runs come last: at their end QEMU's board is gone.
ON_A_BOARD = """
    import logging

    def test_a_program_is_written_once(device, caplog):
        with caplog.at_level(logging.INFO, "kit.process"):
            for _ in range(2):
                session = device.start("selftest")
                assert next(session.lines()).startswith(f"PN_BOOT run={session.run_id} ")
                session.kill()
        assert caplog.text.count("-target-download") == 1
        assert caplog.text.count("compare-sections") == 2

    def test_a_device_has_a_name_and_a_state(device):
        assert device.name == "board"
        assert device.environment() == {}

    def test_the_self_test_passes(self_test):
        assert self_test.passed
"""


@pytest.fixture
def installed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder of somebody's tests, the kit installed, an empty device map."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (entry,) = project["entry-points"]["pytest11"].items()
    package = pytester.path / "site" / "percepnet_kit-1.dist-info"
    package.mkdir(parents=True)
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: percepnet-kit\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[pytest11]\n{} = {}\n".format(*entry))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), str(ROOT)]))
    monkeypatch.setenv(MAP_SETTING, str(pytester.path / "devices.toml"))
    return pytester


def run(pytester: pytest.Pytester, *words: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *words, timeout=120)


def test_somebody_s_tests_run_on_a_board(installed: pytest.Pytester) -> None:
    build(EMULATED)
    installed.makepyfile(ON_A_BOARD)
    with board(EMULATED) as device:
        save_device(device)
        result = run(installed, "--device", "board")
    result.assert_outcomes(passed=3)


def test_each_device_that_is_named_runs_every_test(installed: pytest.Pytester) -> None:
    build(EMULATED)
    for name in ("one", "two"):
        save_device(Device(name, EMULATED))
    installed.makepyfile(ON_AN_EMULATOR)
    result = run(installed, "-v", "--device", "one", "--device", "two")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*costs?one?*", "*costs?two?*"])


def test_an_unknown_device_ends_the_run_before_any_test(installed: pytest.Pytester) -> None:
    save_device(Device("nucleo", EMULATED))
    installed.makepyfile("def test_it(device): pass")
    result = run(installed, "--device", "nucleoo")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown device `nucleoo`*", "*did you mean `nucleo`*"])


def test_a_test_without_a_device_fails_with_what_to_say(installed: pytest.Pytester) -> None:
    installed.makepyfile("def test_it(device): pass\ndef test_other(): pass")
    result = run(installed)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["*no device was named: pytest --device NAME*"])


def test_a_device_that_is_not_ready_is_one_message(installed: pytest.Pytester) -> None:
    save_device(Device("board", EMULATED, gdb="nowhere"))
    installed.makepyfile("def test_it(device): pass")
    result = run(installed, "--device", "board")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*`nowhere` is no address of a gdb server*"])
    result.stdout.no_fnmatch_line("*Traceback*")
