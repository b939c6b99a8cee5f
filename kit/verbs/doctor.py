"""`doctor`: what is missing on this computer, and how to get it."""

import click

from kit import console, packages
from kit.errors import CheckFailed
from kit.target import load_target, load_toolchain, target_names
from kit.target.ndk import FOLDER_VARIABLE, find_ndk
from kit.verbs._ndk import ndk_option


@click.command(epilog="Examples: ./tools/percepnet doctor; ./tools/percepnet doctor ek_ra8m1")
@click.argument("name", required=False, metavar="[TARGET]")
@click.option("--target", "option", help="The same as TARGET.")
@ndk_option
def command(name: str | None, option: str | None) -> None:
    """Say what building for TARGET (for every target when left out) takes, what of that is missing,
    and the line that installs it."""
    only = name or option
    found: dict[str, packages.Need] = {}
    targets = [load_target(name) for name in ([only] if only else target_names())]
    for target in targets:
        for need in packages.needs(target, load_toolchain(target.toolchain)):
            found.setdefault(need.package, need)
    rows = [[n.package, n.purpose, "ok" if n.present else "MISSING"] for n in found.values()]
    console.table(["package", "for", "state"], rows)
    if any(target.android for target in targets):
        console.info(_android_compiler())
    missing = [need.package for need in found.values() if not need.present]
    if missing:
        raise CheckFailed(
            f"{len(missing)} packages are missing",
            hint=f"install them: {packages.install_line(missing)}",
        )
    console.info("nothing is missing")


def _android_compiler() -> str:
    ndk = find_ndk()
    if ndk:
        return f"Android: the NDK {ndk.revision} in {ndk.programs} compiles"
    return f"Android: no NDK is named by {FOLDER_VARIABLE} or --ndk; clang-19 compiles"
