"""`test`: the whole test suite, on this computer and on every emulated target."""

import sys

import click

from kit import packages, process
from kit.errors import CheckFailed, KitError
from kit.paths import ROOT
from kit.target import load_target, load_toolchain, target_names

EXTRAS = "eval,peers,test,train"
TEST_TIMEOUT_S = 3600.0
LONG_TIMEOUT_S = 12 * 3600.0
_PYTEST_TESTS_FAILED = 1


@click.command(
    epilog="Examples: ./tools/percepnet test; ./tools/percepnet test -k protocol",
    context_settings={"ignore_unknown_options": True},
)
@click.option(
    "--long", is_flag=True, help="Run the long tests instead: a day of sound, power losses, ..."
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(long: bool, arguments: tuple[str, ...]) -> None:
    """Run all tests: Python, and C on every target. ARGUMENTS go to pytest."""
    for name in target_names():
        target = load_target(name)
        packages.ensure(target, load_toolchain(target.toolchain))
    packages.ensure_test_tools()
    pytest = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadfile"]
    # A limit on one test is for those that ought to be quick.
    pytest += ["--long", "--timeout", "0", *arguments] if long else arguments
    timeout_s = LONG_TIMEOUT_S if long else TEST_TIMEOUT_S
    done = process.run(pytest, cwd=ROOT, timeout_s=timeout_s, capture=False, check=False)
    if done.returncode == _PYTEST_TESTS_FAILED:
        raise CheckFailed("tests failed")
    if done.returncode != 0:
        raise KitError(f"pytest could not run the tests: exit code {done.returncode}")
