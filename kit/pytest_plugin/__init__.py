"""pytest on a device: `pytest --device NAME tests/device` runs your own tests on a phone or board.

See README.md in this folder.
"""

from collections.abc import Iterator

import pytest

from kit.device import load_device
from kit.device.claim import claimed
from kit.devtest.protocol import Report
from kit.errors import KitError
from kit.pytest_plugin.under_test import DeviceUnderTest
from kit.runner import make_runner
from kit.target import load_target

__all__ = ["DeviceUnderTest", "device", "self_test"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know --device."""
    parser.getgroup("percepnet").addoption(
        "--device",
        dest="percepnet_devices",
        action="append",
        default=[],
        metavar="NAME",
        help="run tests that ask for `device` on this device of the map; several: on each",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say at once what is wrong with a name, not after minutes."""
    try:
        for name in config.getoption("percepnet_devices"):
            load_device(name)
    except KitError as mistake:
        raise pytest.UsageError(str(mistake)) from mistake


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `device` runs once on each that was named."""
    names = metafunc.config.getoption("percepnet_devices")
    if "device" in metafunc.fixturenames and names:
        metafunc.parametrize("device", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest) -> Iterator[DeviceUnderTest]:
    """The device of --device, ours alone until the last test on it is done."""
    name = getattr(request, "param", "")
    if not name:
        pytest.fail("no device was named: pytest --device NAME (devices list)", pytrace=False)
    try:
        entry = load_device(name)
        runner = make_runner(load_target(entry.target), entry)
        with claimed(entry):
            runner.check()
            yield DeviceUnderTest(runner)
    except KitError as trouble:
        pytest.fail(str(trouble), pytrace=False)


@pytest.fixture(scope="session")
def self_test(device: DeviceUnderTest) -> Report:
    """What the kit's self-test says on the device; run once."""
    return device.run("selftest")
