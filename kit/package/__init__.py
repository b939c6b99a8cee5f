"""Packages for other people's builds. Each file here is one format, by its name."""

import importlib
from pathlib import Path

from kit.errors import KitError
from kit.package._archive import Files, Link, Program
from kit.package._base import Format, Request
from kit.target import Target

__all__ = [
    "Files",
    "Format",
    "Link",
    "Program",
    "Request",
    "fitting_formats",
    "format_names",
    "make_format",
]


def format_names() -> list[str]:
    """Names that `--format` may say."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def make_format(name: str) -> Format:
    """A format by its name. Raises KitError, naming the known ones, when there is none."""
    if name not in format_names():
        raise KitError(f"unknown format `{name}`", hint=f"formats: {', '.join(format_names())}")
    module = importlib.import_module(f"kit.package.{name}")
    return next(
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and issubclass(thing, Format)
        and thing.__module__ == module.__name__
    )()


def fitting_formats(target: Target) -> list[str]:
    """Names of the formats that make sense for a target."""
    return [name for name in format_names() if not make_format(name).unfit(target)]
