"""The target's program `profile`: a denoiser with probes between its stages and layers."""

from pathlib import Path

from kit.bench.model import Subject
from kit.build import build
from kit.paths import BUILD
from kit.target import Target


def build_program(target: Target, subject: Subject) -> Path:
    """Build it with a model; where it is. Raises KitError when it does not build."""
    build(f"profile-{target.name}", model=str(subject.path), below=subject.below)
    folder = BUILD / subject.below / target.name / "profile"
    return folder / f"profile{target.program_suffix}"
