"""Other software to compare with: one file each, by its name (files with `_` in front help them).

A peer offers `contestants(model)`: those it can run of a model, or KitError when it is not here.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kit.errors import KitError

if TYPE_CHECKING:
    from kit.bench.contestant import Contestant
    from kit.model.import_ import Model


def peer_names() -> list[str]:
    """Names that `--against` may say."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))


def peer_contestants(names: Sequence[str], model: Model) -> list[Contestant]:
    """What the named peers run of a model. Raises KitError for an unknown or missing one."""
    found: list[Contestant] = []
    for name in names:
        if name not in peer_names():
            near = difflib.get_close_matches(name, peer_names(), n=1)
            meant = f"did you mean `{near[0]}`? " if near else ""
            raise KitError(f"no peer `{name}`", hint=f"{meant}known: {', '.join(peer_names())}")
        found += importlib.import_module(f"kit.bench.peers.{name}").contestants(model)
    return found
