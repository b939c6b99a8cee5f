"""The library as source, for packages that other people's builds compile."""

import functools
from pathlib import Path

from kit.codegen.amalgamation import PUBLIC_HEADER, render_amalgamation
from kit.codegen.weights import find_packing
from kit.model.import_ import load_model
from kit.model.quantise import quantise
from kit.package._archive import Files
from kit.package._base import Request
from kit.paths import FIRMWARE
from kit.target import Target


def sources(request: Request) -> Files:
    """percepnet.c and percepnet.h. Raises KitError for a model that cannot be used."""
    text = _amalgamation(request.model_path, request.target.layout, request.version)
    header = FIRMWARE / "include" / PUBLIC_HEADER
    return {"percepnet.c": text.encode(), PUBLIC_HEADER: header.read_bytes()}


# Seconds of quantising, once for all formats of one run.
@functools.cache
def _amalgamation(model: Path, layout: str, version: str) -> str:
    return render_amalgamation(quantise(load_model(model)), find_packing(layout), version)


def unfit_for_microcontrollers(target: Target) -> str:
    """Why a target is no microcontroller, or nothing when it is one."""
    return "" if target.port == "cortex_m" else "it is for microcontrollers (Cortex-M)"
