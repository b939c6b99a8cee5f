"""The option that forces an instruction set, shared by the verbs that run firmware."""

from collections.abc import Callable, Mapping

import click

SETTING = "PN_FORCE_ISA"
"""What the programs of a target read; the environment may say it in place of the option."""


def isa_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add --isa NAME, passed on as `isa`: str or None for the best."""
    option = click.option(
        "--isa",
        metavar="NAME",
        envvar=SETTING,
        help="Force an instruction set, e.g. scalar; also PN_FORCE_ISA. All give the same bytes.",
    )
    return option(command)


def isa_settings(isa: str | None) -> Mapping[str, str]:
    """The settings of a program for that option."""
    return {SETTING: isa} if isa else {}
