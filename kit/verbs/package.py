"""`package`: the library of a target in the forms that other people's builds take."""

from pathlib import Path

import click

from kit import console
from kit.files import write_json
from kit.package import Request, fitting_formats, format_names, make_format
from kit.paths import BUILD
from kit.target import load_target
from kit.verbs._ndk import ndk_option


@click.command(
    epilog="Examples: ./tools/percepnet package host_x86_64; "
    "./tools/percepnet package mps2_an500 --format amalgamation --out ../my_project"
)
@click.argument("name", metavar="TARGET")
@click.option(
    "--format",
    "formats",
    multiple=True,
    help=f"One of {', '.join(format_names())}; again for more. All that suit the target if none.",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A .tflite file instead of the target's own model.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=BUILD / "packages",
    help="Folder of the packages.  [default: build/packages]",
)
@click.option("--list", "only_list", is_flag=True, help="Say which formats suit the target.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write paths and sizes here."
)
@ndk_option
def command(
    name: str,
    formats: tuple[str, ...],
    model: Path | None,
    out: Path,
    only_list: bool,
    json_path: Path | None,
) -> None:
    """Pack the library for TARGET, model included, so that others can build with it.

    The same sources give the same bytes, wherever and whenever they are packed.
    """
    target = load_target(name)
    if only_list:
        _list(name)
        return
    chosen = list(dict.fromkeys(formats)) or fitting_formats(target)
    makers = {word: make_format(word) for word in chosen}
    request = Request(target, model)
    made = {word: maker.write(request, out) for word, maker in makers.items()}
    rows = [[word, str(path), _size(path)] for word, path in made.items()]
    console.table(["format", "package", "bytes"], rows)
    if json_path:
        facts = {word: {"path": path, "bytes": size} for word, path, size in rows}
        write_json(json_path, facts)


def _list(name: str) -> None:
    target = load_target(name)
    makers = {word: make_format(word) for word in format_names()}
    rows = [[word, m.description, m.unfit(target) or "yes"] for word, m in makers.items()]
    console.table(["format", "what it is", f"for {name}"], rows)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return sum(file.stat().st_size for file in files)
