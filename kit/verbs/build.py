"""`build`: firmware and programs of a target, with a size report."""

from pathlib import Path

import click

from kit import console
from kit.build import NO_MODEL, build
from kit.errors import KitError
from kit.files import write_atomically
from kit.paths import BUILD
from kit.target import load_target
from kit.verbs._ndk import ndk_option


@click.command(epilog="Example: ./tools/percepnet build mps3_an547 --model my_model.tflite")
@click.argument("name")
@click.option("--model", default="", help="A .tflite file instead of the target's own model.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Copy the sizes here.")
@ndk_option
def command(name: str, model: str, json_path: Path | None) -> None:
    """Compile everything for the target NAME and show what it takes."""
    target = load_target(name)
    if json_path and model == NO_MODEL:
        raise KitError("--json is of programs, which take a model", hint="leave it out")
    build(target.name, model, show=True)
    console.info(f"{target.name} is up to date in {BUILD.name}/{target.name}/")
    if json_path:
        write_atomically(json_path, (BUILD / target.name / "size.json").read_bytes())
