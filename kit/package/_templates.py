"""Text files of packages, from templates/."""

import jinja2

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("kit.package"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(name: str, /, **values: object) -> bytes:
    """A template's text with its `{{ values }}` in place."""
    return _templates.get_template(name).render(**values).encode()
