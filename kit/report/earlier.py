"""Numbers of an earlier run beside those of this one."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kit.errors import KitError
from kit.report.facts import Figure

_WORDS = {"target": "target", "model": "model", "isa": "instruction set"}


@dataclasses.dataclass(frozen=True)
class Earlier:
    """An earlier run. identity: target, model and isa; values: figures by key."""

    device: str
    date: str
    firmware: str
    identity: Mapping[str, str]
    values: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """This run's figures beside those of another; note: which, or why there is nothing beside."""

    figures: tuple[Figure, ...]
    note: str


def read_earlier(path: Path) -> list[Earlier]:
    """The runs in a file that `--json` wrote. Raises KitError for any other file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return [_earlier(run) for run in (content if isinstance(content, list) else [content])]
    except FileNotFoundError as missing:
        raise KitError(f"no such file: {path}", hint="name what --json has written") from missing
    except (ValueError, KeyError, TypeError, AttributeError) as broken:
        raise KitError(
            f"{path}: not the results of an earlier run",
            hint="name what `run --json FILE` or `bench --json FILE` has written",
        ) from broken


def _earlier(run: Mapping[str, Any]) -> Earlier:
    boot = run["boot"]
    return Earlier(
        device=str(run["device"]),
        date=str(run["date"]),
        firmware=str(boot["fw"]),
        identity={"target": run["target"], "model": boot["model"], "isa": boot["isa"]},
        values={str(f["key"]): _number(f["value"]) for f in run["figures"]},
    )


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"not a number: {value!r}")
    return value


def compare(
    figures: Sequence[Figure], device: str, identity: Mapping[str, str], runs: Sequence[Earlier]
) -> Comparison:
    """Put the figures of the same device's earlier run, or of the only one, beside these."""
    own = [run for run in runs if run.device == device] or list(runs if len(runs) == 1 else ())
    if not own:
        return Comparison(tuple(figures), f"not compared: the earlier file has no run on {device}")
    run = own[-1]
    if others := _differences(run.identity, identity):
        return Comparison(tuple(figures), f"not comparable with the run of {run.date}: {others}")
    beside = tuple(dataclasses.replace(f, earlier=run.values.get(f.key)) for f in figures)
    return Comparison(beside, f"compared with the run of {run.date}, firmware {run.firmware}")


def _differences(earlier: Mapping[str, str], now: Mapping[str, str]) -> str:
    return ", ".join(
        f"another {word} ({earlier[key]}, now {now[key]})"
        for key, word in _WORDS.items()
        if earlier[key] != now[key]
    )
