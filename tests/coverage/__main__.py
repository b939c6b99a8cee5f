"""The command: tables of coverage, and what nothing covers."""

import importlib.util
import sys

import click

from kit import console, process
from kit.errors import KitError
from kit.paths import BUILD, ROOT
from tests.coverage import firmware

_TIMEOUT_S = 4 * 3600.0


@click.group()
def main() -> None:
    """What the tests run through, and what they do not."""


@main.command("firmware", context_settings={"ignore_unknown_options": True})
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
def of_firmware(tests: tuple[str, ...]) -> None:
    """C code of firmware_src, on this computer. Exit code 1 where something is not explained."""
    try:
        files = firmware.measure(tests)
    except KitError as error:
        console.error(error.message, error.hint)
        sys.exit(error.exit_code)
    headings = ["folder", "lines", "run", "branches", "taken"]
    console.table(headings, firmware.by_folder(files))
    spots = firmware.unexplained(files)
    for spot in spots:
        console.info(f"{spot.path}:{spot.number}: {spot.what}: {spot.line}")
    sys.exit(bool(spots))


@main.command("kit", context_settings={"ignore_unknown_options": True})
@click.argument("tests", nargs=-1, type=click.UNPROCESSED)
def of_kit(tests: tuple[str, ...]) -> None:
    """Python code of kit, with branches, in the processes that the tests start too."""
    if importlib.util.find_spec("coverage") is None:
        console.error("`coverage` is not installed", ".venv/bin/pip install coverage==7.17.3")
        sys.exit(2)
    settings = BUILD / "coverage" / "kit.ini"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        f"[run]\nbranch = true\nparallel = true\npatch = subprocess\nsource = {ROOT}/kit\n"
        f"data_file = {settings.parent}/data\n[report]\nskip_covered = true\n"
    )
    coverage = [sys.executable, "-m", "coverage"]
    rc = f"--rcfile={settings}"
    steps = [
        [*coverage, "erase", rc],
        [*coverage, "run", rc, "-m", "pytest", "--timeout", "0", *tests],
        [*coverage, "combine", "-q", rc],
        [*coverage, "report", rc],
    ]
    for step in steps:
        done = process.run(step, cwd=ROOT, timeout_s=_TIMEOUT_S, capture=False, check=False)
        if done.returncode:
            sys.exit(done.returncode)


if __name__ == "__main__":
    main()
