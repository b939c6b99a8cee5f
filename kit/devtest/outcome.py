"""What a run came to: its verdict, budgets and numbers, and the environment they belong to."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any

from kit.devtest.figures import figures_of
from kit.devtest.parallel import Run
from kit.devtest.verdict import Verdict, judge
from kit.measure import Costs, check_budgets, costs_of, memory_of, paced_of
from kit.report.facts import BUILT, PASS, TOLD, Budget, Figure
from kit.target import Budgets, Target

_MEMORY = {"state": "state of a channel", "stack": "most stack used"}
_SIZES = {"text": "code, constants, weights", "data": "initialised data", "bss": "zeroed data"}


@dataclasses.dataclass(frozen=True)
class Layers:
    """What a frame costs by stage and layer: `network.gru1`; kind: what the numbers are."""

    costs: Mapping[str, float]
    unit: str
    kind: str


@dataclasses.dataclass(frozen=True)
class Outcome:
    """A run that came to its end, judged. costs: by stage; None where they were not measured, as
    layers and sizes."""

    run: Run
    target: Target
    verdict: Verdict
    budgets: tuple[Budget, ...]
    figures: tuple[Figure, ...]
    costs: Costs | None
    layers: Layers | None
    sizes: Mapping[str, Any] | None
    more: Mapping[str, Any]
    date: str

    @property
    def identity(self) -> dict[str, str]:
        """What must be the same for numbers of two runs to be compared."""
        boot = self.run.report.boot
        return {"target": self.run.target, "model": boot["model"], "isa": boot["isa"]}

    @property
    def out_crc(self) -> str:
        """The CRC of what whole frames gave; empty without one."""
        crcs = [b.figures.get("out_crc", "") for b in self.run.report.benches if b.name == "frame"]
        return crcs[0] if crcs else ""


def outcome_of(
    run: Run,
    target: Target,
    sizes: Mapping[str, Any] | None,
    *,
    own_model: bool = True,
    layers: Layers | None = None,
    limits: Sequence[Budget] = (),
    more: Mapping[str, Any] | None = None,
) -> Outcome:
    """Judge a run that has a report. own_model=False: the target's budgets are for another one.

    sizes: of the target's programs. limits: more budgets. more: what else --json tells. Raises
    DeviceError where the report holds nonsense.
    """
    emulated, report = run.emulated, run.report
    if not own_model:
        target = dataclasses.replace(target, budgets=Budgets())
    is_bench = any(bench.name == "analyse" for bench in report.benches)
    costs = costs_of(report) if is_bench else None
    if costs and emulated and costs.unit == "ns":
        costs = None
    paced = None if emulated else paced_of(report)
    told = memory_of(report) if report.records("PN_MEMORY") else {"state": 0, "stack": 0}
    budgets = (*limits, *check_budgets(target, costs, told, sizes, paced))
    return Outcome(
        run=run,
        target=target,
        verdict=judge(run, target, budgets, paced, emulated),
        budgets=budgets,
        figures=(
            *figures_of(report, emulated),
            *_layer_figures(layers),
            *_byte_figures(told, sizes or {}),
        ),
        costs=costs,
        layers=layers,
        sizes=sizes,
        more=more or {},
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )


def _layer_figures(layers: Layers | None) -> list[Figure]:
    if layers is None:
        return []
    return [
        Figure(f"layer.{name}", f"layer {name}", round(cost, 3), layers.unit, layers.kind)
        for name, cost in layers.costs.items()
    ]


def _byte_figures(told: Mapping[str, int], sizes: Mapping[str, Any]) -> list[Figure]:
    memory = [
        Figure(f"memory.{key}", name, told[key], "bytes", TOLD)
        for key, name in _MEMORY.items()
        if told[key]
    ]
    return memory + [
        Figure(f"size.{key}", f"program: {name}", sizes[key], "bytes", BUILT)
        for key, name in _SIZES.items()
        if key in sizes
    ]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as plain data; `--compare` reads it again."""
    run, verdict = outcome.run, outcome.verdict
    return {
        "device": run.where,
        "target": run.target,
        "app": run.app,
        "passed": run.passed and verdict.word == PASS,
        "verdict": verdict.word,
        "reasons": list(verdict.reasons),
        "unjudged": verdict.unjudged,
        "date": outcome.date,
        "emulated": run.emulated,
        "seconds": round(run.seconds, 1),
        "out_crc": outcome.out_crc,
        "layers": dict(outcome.layers.costs) if outcome.layers else {},
        "isa": run.report.boot["isa"],
        "model": {"hash": run.report.boot["model"]},
        "budgets": {b.name: _budget(b) for b in outcome.budgets},
        "figures": [dataclasses.asdict(figure) for figure in outcome.figures],
        "before": dict(run.before),
        "after": dict(run.after),
        **dataclasses.asdict(run.report),
        **outcome.more,
    }


def _budget(budget: Budget) -> dict[str, Any]:
    facts = dataclasses.asdict(budget) | {"passed": budget.passed}
    del facts["name"]
    return facts
