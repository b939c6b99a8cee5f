"""What SConstruct is made of: targets in, SCons nodes out."""

from kit.scons.session import chosen_targets, reject_unknown, take_build_lock, user_errors
from kit.scons.targetbuild import TargetBuild

__all__ = ["TargetBuild", "chosen_targets", "reject_unknown", "take_build_lock", "user_errors"]
