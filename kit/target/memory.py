"""Memory regions of a target: a home for every kind of section, and no two in one place."""

import itertools
from collections.abc import Mapping

from kit.errors import TargetError
from kit.target.schema import SECTION_KINDS, Memory, Target


def check_memory(where: str, target: Target, required: bool) -> None:
    """Check a target's regions. where: its file, as people see it. required: it must have some.

    Raises TargetError, naming the key and what is valid.
    """
    if not target.memory and not required:
        return
    _check_bounds(where, target.memory)
    homes = _homes(where, target.memory)
    missing = [kind for kind in SECTION_KINDS if kind not in homes]
    if missing:
        raise TargetError(
            f"{where}: no memory region holds {', '.join(missing)}",
            hint="say so in a region: [memory.NAME] with origin, size and holds; "
            f"valid in `holds`: {', '.join(SECTION_KINDS)}",
        )
    stack_region = target.memory[homes["stack"]]
    if not 0 < target.stack_size <= stack_region.size:
        raise TargetError(
            f"{where}: `stack_size` must be more than 0 and at most the size of "
            f"`memory.{homes['stack']}`, {stack_region.size} bytes"
        )


def _check_bounds(where: str, memory: Mapping[str, Memory]) -> None:
    for name, region in memory.items():
        if region.size <= 0 or region.origin < 0:
            raise TargetError(f"{where}: `memory.{name}` needs a size above 0, an origin from 0")
    for (a, one), (b, other) in itertools.combinations(memory.items(), 2):
        if one.origin < other.origin + other.size and other.origin < one.origin + one.size:
            raise TargetError(f"{where}: `memory.{a}` and `memory.{b}` overlap")


def _homes(where: str, memory: Mapping[str, Memory]) -> dict[str, str]:
    """The region of each kind of section."""
    homes: dict[str, str] = {}
    for name, region in memory.items():
        for kind in region.holds:
            if kind not in SECTION_KINDS:
                raise TargetError(
                    f"{where}: `memory.{name}.holds` says `{kind}`",
                    hint=f"valid: {', '.join(SECTION_KINDS)}",
                )
            if kind in homes:
                raise TargetError(
                    f"{where}: `memory.{homes[kind]}` and `memory.{name}` both hold `{kind}`"
                )
            homes[kind] = name
    return homes
