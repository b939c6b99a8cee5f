"""`bench`: what a frame costs on this computer or on a target, and the target's budgets."""

import json
from pathlib import Path

import click

from kit import console
from kit.bench.peers import peer_names
from kit.build import build
from kit.errors import CheckFailed, KitError
from kit.files import write_atomically
from kit.host import HOST_TARGET
from kit.measure import Costs, check_budgets, measure_costs, memory_of, read_sizes
from kit.report.facts import Budget
from kit.target import Target, load_target

NOTE = "instructions that the emulator counted, not cycles or time of a real core"


@click.command(
    epilog="Examples: ./tools/percepnet bench --arch full --against litert --mode both; "
    "./tools/percepnet bench --target mps3_an547"
)
@click.option("--target", "name", default=HOST_TARGET, show_default=True, help="Measure this one.")
@click.option(
    "--arch",
    help="tiny, lite or full instead of the target's model; with random "
    "weights where none is trained.",
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
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here."
)
def command(
    name: str,
    arch: str | None,
    isa: str | None,
    mode: str,
    against: tuple[str, ...],
    core: int | None,
    json_path: Path | None,
) -> None:
    """Measure what a frame costs on a target.

    On this computer: frames, packets, the network, its layers and kernels, beside the time that
    reading as many bytes as its weights takes, and beside other runtimes (--against). On an
    emulated board: instructions by stage, and the target's budgets.
    """
    target = load_target(name)
    if name == HOST_TARGET:
        _on_host(target, arch, isa, mode, against, core, json_path)
        return
    if arch or against or core is not None or mode != "burst":
        raise KitError(
            f"--arch, --against, --core and --mode are for {HOST_TARGET}",
            hint=f"leave them out, or leave out --target {name}",
        )
    _on_target(target, isa, json_path)


def _on_host(
    target: Target,
    arch: str | None,
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
    request = host.Request(find_subject(target, arch), isa, modes, against, core)
    with console.progress("measuring", request.planned_s()) as bar:
        result = host.run(request, lambda seconds: bar.advance(bar.task_ids[0], seconds))
    show(result)
    if json_path:
        write_atomically(json_path, (json.dumps(result, indent=2) + "\n").encode())


def _on_target(target: Target, isa: str | None, json_path: Path | None) -> None:
    build(target.name)
    report, costs = measure_costs(target, isa)
    budgets = check_budgets(target, costs, memory_of(report), read_sizes(target))
    _show(f"{target.name}, {report.boot['isa']}, firmware {report.boot['fw']}", costs)
    if costs.unit == "instructions":
        console.note(NOTE)
    show_budgets(budgets)
    if json_path:
        write_atomically(json_path, _json(report.boot, costs, budgets))
    require_budgets(target.name, budgets)


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
