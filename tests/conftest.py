"""What all tests share: the choice between the quick suite and the long one, no NDK, Ctrl-C."""

import os
import signal

import pytest

from kit.target.ndk import FOLDER_VARIABLE

# Who runs the tests may have an NDK; they try what everybody has.
os.environ[FOLDER_VARIABLE] = ""
# A shell that starts the tests in the background has them ignore Ctrl-C, and all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know --long."""
    parser.addoption("--long", action="store_true", help="run the tests that take minutes, alone")


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark `long`."""
    config.addinivalue_line("markers", "long: takes minutes to hours; run by `test --long`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the long tests with --long, the others without."""
    long = config.getoption("--long")
    chosen = [item for item in items if ("long" in item.keywords) == long]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
