"""`doctor`: what is missing on this computer, and how to get it."""

import click

from kit import console, packages
from kit.errors import CheckFailed
from kit.target import load_target, load_toolchain, target_names


@click.command(epilog="Example: ./tools/percepnet doctor")
@click.option("--target", "only", help="Look at this target alone.")
def command(only: str | None) -> None:
    """Say for every target what building for it takes, and what of that is missing."""
    found: dict[str, packages.Need] = {}
    for name in [only] if only else target_names():
        target = load_target(name)
        for need in packages.needs(target, load_toolchain(target.toolchain)):
            found.setdefault(need.package, need)
    rows = [[n.package, n.purpose, "ok" if n.present else "MISSING"] for n in found.values()]
    console.table(["package", "for", "state"], rows)
    missing = [need.package for need in found.values() if not need.present]
    if missing:
        raise CheckFailed(
            f"{len(missing)} packages are missing",
            hint=f"install them: {packages.install_line(missing)}",
        )
    console.info("nothing is missing")
