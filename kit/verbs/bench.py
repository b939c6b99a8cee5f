"""`bench`: what a frame costs on this computer or on a target, and the target's budgets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kit import console
from kit.bench.peers import peer_names
from kit.build import build
from kit.errors import CheckFailed, KitError
from kit.files import write_atomically
from kit.host import HOST_TARGET
from kit.measure import (
    Costs,
    check_budgets,
    measure_costs,
    memory_of,
    read_sizes,
)
from kit.report.facts import Budget
from kit.runner import Runner, make_runner
from kit.target import Target, load_target
from kit.verbs._device import borrow, fleet_option

if TYPE_CHECKING:
    from kit.bench.counts import Counts
    from kit.bench.model import Subject

UNIT = "instructions"


@click.command(
    epilog="Examples: ./tools/percepnet bench --model full --against litert --mode both; "
    "./tools/percepnet bench --target mps3_an547"
)
@click.option("--target", "name", default=HOST_TARGET, show_default=True, help="Measure this one.")
@fleet_option
@click.option(
    "--model",
    help="Instead of the target's own: a .tflite file; or tiny, lite or full, with random weights "
    "where none is trained.",
)
@click.option("--isa", help="Force an instruction set, e.g. scalar.")
@click.option(
    "--mode",
    type=click.Choice(["burst", "paced", "both"]),
    default="burst",
    show_default=True,
    help="Back to back, warm and cold; or one call each 10 or 20 ms, in real time.",
)
@click.option(
    "--against", multiple=True, metavar="PEER", help=f"Beside: {', '.join(peer_names())}."
)
@click.option("--core", type=int, help="Stay on this core.  [the last one]")
@click.option("--estimates", is_flag=True, help="Models' estimates for targets that are not here.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here."
)
def command(
    name: str,
    place: str | None,
    model: str | None,
    isa: str | None,
    mode: str,
    against: tuple[str, ...],
    core: int | None,
    estimates: bool,
    json_path: Path | None,
) -> None:
    """Measure what a frame costs on a target.

    On this computer: frames, packets, the network, its layers and kernels, beside the time that
    reading as many bytes as its weights takes, and beside other runtimes (--against). Emulated:
    instructions by stage and layer, and the target's budgets. --estimates: what a model of the
    processor, or of its memory, says of targets that are not here.
    """
    if estimates and (place or isa or against or core is not None or mode != "burst"):
        raise KitError("--estimates measures nothing", hint="with it go --model and --json alone")
    runner = borrow(place, None, "" if name == HOST_TARGET else name) if place else None
    target = runner.target if runner else load_target(name)
    if estimates:
        _estimates(target, model, json_path)
    elif target.name == HOST_TARGET:
        _on_host(target, model, isa, mode, against, core, json_path)
    elif against or core is not None or mode != "burst":
        raise KitError(
            f"--against, --core and --mode are for {HOST_TARGET}",
            hint=f"leave them out, or leave out --target {name}",
        )
    elif target.emulator and not runner:
        _emulated(target, model, isa, json_path)
    elif model:
        raise KitError("--model is for what runs on this computer", hint="leave it out")
    else:
        _on_device(runner or make_runner(target), isa, json_path)


def _on_host(
    target: Target,
    model: str | None,
    isa: str | None,
    mode: str,
    against: tuple[str, ...],
    core: int | None,
    json_path: Path | None,
) -> None:
    from kit.bench import host
    from kit.bench.model import find_subject
    from kit.bench.show import show
    from kit.bench.timing import PACED

    modes = {"burst": host.BURST, "paced": (PACED,), "both": (*host.BURST, PACED)}[mode]
    request = host.Request(find_subject(target, model), isa, modes, against, core)
    with console.progress("measuring", request.planned_s()) as bar:
        result = host.run(request, lambda seconds: bar.advance(bar.task_ids[0], seconds))
    show(result)
    if json_path:
        write_atomically(json_path, (json.dumps(result, indent=2) + "\n").encode())


def _emulated(target: Target, model: str | None, isa: str | None, json_path: Path | None) -> None:
    """Exact counts by region; of the target's own model also its budgets, with the worst frame."""
    from kit.bench.counts import check_limits, count
    from kit.bench.model import find_subject
    from kit.bench.show import show_counts

    subject = find_subject(target, model)
    counts = count(target, subject, isa)
    show_counts(f"{target.name}, {subject.title}, {counts.boot['isa']}", counts)
    limits = check_limits(target, counts, subject.name)
    budgets = [Budget(f"{stage}, mean", round(n), limit, UNIT) for stage, n, limit in limits]
    if target.counts_instructions and not model:
        build(target.name)
        report, costs = measure_costs(target, isa)
        budgets += check_budgets(target, costs, memory_of(report), read_sizes(target))
    show_budgets(tuple(budgets))
    if json_path:
        write_atomically(json_path, _counts_json(target, subject, counts, budgets))
    require_budgets(target.name, tuple(budgets))


def _counts_json(target: Target, subject: Subject, counts: Counts, budgets: list[Budget]) -> bytes:
    from kit.bench.counts import KIND

    facts = {
        "kind": KIND,
        "target": target.name,
        "model": {
            "name": subject.name,
            "random": subject.is_random,
            "hash": counts.boot["model"],
        },
        "isa": counts.boot["isa"],
        "boot": dict(counts.boot),
        "out_crc": counts.out_crc,
        "frames": counts.frames,
        "stages": counts.stages(),
        "layers": counts.regions,
        "functions": counts.functions,
        "budgets": {b.name: {"value": b.value, "limit": b.limit} for b in budgets},
    }
    return (json.dumps(facts, indent=2) + "\n").encode()


def _on_device(runner: Runner, isa: str | None, json_path: Path | None) -> None:
    target = runner.target
    build(target.name)
    report, costs = measure_costs(runner, isa)
    budgets = check_budgets(target, costs, memory_of(report), read_sizes(target))
    _show(f"{target.name}, {report.boot['isa']}, firmware {report.boot['fw']}", costs)
    show_budgets(budgets)
    if json_path:
        write_atomically(json_path, _json(report.boot, costs, budgets))
    require_budgets(target.name, budgets)


def _estimates(target: Target, model: str | None, json_path: Path | None) -> None:
    from kit.bench.estimates import estimate, show_estimates
    from kit.bench.model import find_subject

    found = estimate(find_subject(target, model))
    show_estimates(found)
    if json_path:
        write_atomically(json_path, (json.dumps(found, indent=2) + "\n").encode())


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
