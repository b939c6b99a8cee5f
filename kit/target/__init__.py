"""Targets and toolchains: what to build for and with what, described in targets/**/*.toml."""

from kit.target.load import load_target, load_toolchain, target_kind, target_names
from kit.target.schema import (
    BARE_METAL_PORT,
    PROVEN,
    SECTION_KINDS,
    Android,
    Budgets,
    Cluster,
    Console,
    Costs,
    Emulator,
    Memory,
    Note,
    Probe,
    Target,
    Toolchain,
    Variant,
)

__all__ = [
    "BARE_METAL_PORT",
    "PROVEN",
    "SECTION_KINDS",
    "Android",
    "Budgets",
    "Cluster",
    "Console",
    "Costs",
    "Emulator",
    "Memory",
    "Note",
    "Probe",
    "Target",
    "Toolchain",
    "Variant",
    "load_target",
    "load_toolchain",
    "target_kind",
    "target_names",
]
