"""What SConstruct is made of: targets in, SCons nodes out."""

from kit.scons.freshness import is_fresh, stamp
from kit.scons.session import (
    HELP,
    HOST,
    SIGNATURES,
    are_targets,
    build_folders,
    chosen_targets,
    forget_an_empty_build,
    reject_unknown,
    take_build_lock,
    user_errors,
)
from kit.scons.targetbuild import TargetBuild

__all__ = [
    "HELP",
    "HOST",
    "SIGNATURES",
    "TargetBuild",
    "build_folders",
    "are_targets",
    "chosen_targets",
    "forget_an_empty_build",
    "is_fresh",
    "reject_unknown",
    "stamp",
    "take_build_lock",
    "user_errors",
]
