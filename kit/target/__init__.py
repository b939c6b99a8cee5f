"""Targets and toolchains: what to build for and with what, described in targets/**/*.toml."""

from kit.target.load import load_target, load_toolchain, target_names
from kit.target.schema import Emulator, Memory, Target, Toolchain, Variant

__all__ = [
    "Emulator",
    "Memory",
    "Target",
    "Toolchain",
    "Variant",
    "load_target",
    "load_toolchain",
    "target_names",
]
