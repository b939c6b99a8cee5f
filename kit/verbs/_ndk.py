"""The option --ndk of the verbs that compile."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from kit.target.ndk import FOLDER_VARIABLE, open_ndk


def _use(_context: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    """Set what the compiler's choice reads, here and in SCons."""
    if folder is not None:
        open_ndk(folder)
        os.environ[FOLDER_VARIABLE] = str(folder.resolve())


def ndk_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --ndk to a command, which need not know of it."""
    return click.option(
        "--ndk",
        type=click.Path(path_type=Path),
        expose_value=False,
        is_eager=True,
        callback=_use,
        help=f"Folder of an Android NDK, r23 to r29, instead of ${FOLDER_VARIABLE}.",
    )(command)
