"""`bench`: what a frame costs on a target, stage by stage, against its budgets."""

import json
from pathlib import Path

import click

from kit import console
from kit.build import build
from kit.errors import CheckFailed
from kit.files import write_atomically
from kit.host import HOST_TARGET
from kit.measure import Costs, check_budgets, measure_costs, memory_of, read_sizes
from kit.report.facts import Budget
from kit.target import load_target

NOTE = "instructions that the emulator counted, not cycles or time of a real core"


@click.command(epilog="Example: ./tools/percepnet bench --target mps3_an547")
@click.option("--target", "name", default=HOST_TARGET, show_default=True, help="Measure this one.")
@click.option("--isa", help="Force an instruction set, e.g. scalar.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here."
)
def command(name: str, isa: str | None, json_path: Path | None) -> None:
    """Measure a frame's cost on a target, back to back, and check the target's budgets."""
    target = load_target(name)
    build(name)
    report, costs = measure_costs(target, isa)
    budgets = check_budgets(target, costs, memory_of(report), read_sizes(target))
    _show(f"{name}, {report.boot['isa']}, firmware {report.boot['fw']}", costs)
    if costs.unit == "instructions":
        console.note(NOTE)
    show_budgets(budgets)
    if json_path:
        write_atomically(json_path, _json(report.boot, costs, budgets))
    require_budgets(name, budgets)


def _show(title: str, costs: Costs) -> None:
    rows = [[bar.name, bar.value] for bar in costs.stages]
    rows += [["whole frame, median", costs.frame], ["whole frame, worst", costs.worst]]
    console.table(["stage", costs.unit], rows, title=title)


def show_budgets(budgets: tuple[Budget, ...]) -> None:
    """Print the budgets as a table."""
    if budgets:
        rows = [
            [budget.name, budget.value, budget.limit, budget.unit, f"{budget.percent:.0f} %"]
            for budget in budgets
        ]
        console.table(["budget", "measured", "limit", "unit", "used"], rows)


def require_budgets(name: str, budgets: tuple[Budget, ...]) -> None:
    """Raise CheckFailed, naming each, if budgets are exceeded."""
    over = [budget.name for budget in budgets if not budget.passed]
    if over:
        raise CheckFailed(f"{name} is over its budget: {', '.join(over)}")


def _json(boot: object, costs: Costs, budgets: tuple[Budget, ...]) -> bytes:
    facts = {
        "boot": dict(boot),
        "unit": costs.unit,
        "stages": {bar.name: bar.value for bar in costs.stages},
        "frame_median": costs.frame,
        "frame_worst": costs.worst,
        "budgets": {b.name: {"value": b.value, "limit": b.limit} for b in budgets},
    }
    return (json.dumps(facts, indent=2) + "\n").encode()
