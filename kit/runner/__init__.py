"""How a program gets onto a target and starts. Each file here is one runner, by its name."""

import importlib
from pathlib import Path

from kit.errors import TargetError
from kit.runner._base import Capabilities, Runner, Started
from kit.runner._session import Session, new_run_id, open_session, run_programs
from kit.target import PROVEN, Target

__all__ = [
    "Capabilities",
    "Runner",
    "Session",
    "Started",
    "make_runner",
    "new_run_id",
    "open_session",
    "run_programs",
    "runner_names",
]


def runner_names() -> list[str]:
    """Names that a target's `runner` key may say."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def make_runner(target: Target) -> Runner:
    """The runner of a target. Raises TargetError, naming the known ones, when there is none."""
    if not target.runner:
        raise TargetError(
            f"`{target.name}` runs on a device only: {PROVEN[target.proven]}",
            hint="an emulated target: ./tools/percepnet targets",
        )
    if target.runner not in runner_names():
        raise TargetError(
            f"target `{target.name}`: `runner` names `{target.runner}`",
            hint=f"valid: {', '.join(runner_names())}",
        )
    module = importlib.import_module(f"kit.runner.{target.runner}")
    return next(
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Runner) and thing is not Runner
    )(target)
