"""Pages: one self-contained HTML file each, nothing loaded from elsewhere.

`scores.html` is the dress of pages with tables of scores; a package's own templates extend it.
"""

import base64
import dataclasses
import math
from collections.abc import Mapping

import jinja2

from kit.text import visible

Columns = Mapping[str, tuple[str, str]]
"""Heading and number format of each column, by the field of a row that it shows."""


def environment(package: str) -> jinja2.Environment:
    """The templates of `package`, which may extend those here; what is inserted is escaped, and
    what would not be seen is spelled out."""
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(package), jinja2.PackageLoader("kit.pages")]
        ),
        autoescape=True,
        finalize=_finalised,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _finalised(value: object) -> object:
    """Text from outside as it may be shown; our own markup, no plain str, as it is."""
    return visible(value) if type(value) is str else value


def cells(row: object, columns: Columns) -> list[str]:
    """A row's numbers as text, in the order of columns; what could not be judged is a dash.

    row: a dataclass with all fields that columns names.
    """
    values = dataclasses.asdict(row)
    return [
        "-" if math.isnan(values[key]) else form.format(values[key])
        for key, (_, form) in columns.items()
    ]


def data_uri(kind: str, content: bytes) -> str:
    """A picture or sound of the MIME type `kind` as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
