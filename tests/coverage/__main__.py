"""What the tests run through, and what they do not.

    .venv/bin/python -m tests.coverage firmware     C: by folder, and what was never run or decided
    .venv/bin/python -m tests.coverage kit          Python: by folder, processes that it starts too

Words after the name go to pytest, to choose its tests.
"""

import sys
from collections.abc import Callable, Sequence

import click

from kit import console
from kit.errors import KitError
from tests.coverage import explained, firmware, python
from tests.coverage.files import File, by_folder

_WORDS_FOR_PYTEST = {"ignore_unknown_options": True}


@click.group()
def main() -> None:
    """What the tests run through, and what they do not.

    Exit code 1 where something is neither run nor explained in explained.toml, or something is
    explained that runs.
    """


@main.command("firmware", context_settings=_WORDS_FOR_PYTEST)
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
def of_firmware(tests: tuple[str, ...]) -> None:
    """C code of firmware_src, on this computer."""
    _report("firmware_src", firmware.measure, tests)


@main.command("kit", context_settings=_WORDS_FOR_PYTEST)
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
def of_kit(tests: tuple[str, ...]) -> None:
    """Python code of kit, with branches, in the processes that the tests start too."""
    _report("kit", python.measure, tests)


def _report(
    folder: str, measure: Callable[[Sequence[str]], list[File]], tests: Sequence[str]
) -> None:
    try:
        files = measure(tests)
    except KitError as error:
        console.error(error.message, error.hint)
        sys.exit(error.exit_code)
    console.table(["folder", "lines", "run", "branches", "taken"], by_folder(files, depth=2))
    findings = explained.findings(files, explained.load(folder))
    for finding in findings:
        console.info(finding)
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
