"""`targets`: what can be built for, how far each is proven, and everything about one."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import click

from kit import console
from kit.files import write_json
from kit.target import PROVEN, Target, load_target, target_kind, target_names

_JSON = click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the same here."
)


@click.group(
    invoke_without_command=True,
    epilog="Examples: ./tools/percepnet targets; ./tools/percepnet targets show mps3_an547",
)
@click.pass_context
def command(context: click.Context) -> None:
    """List what can be built for and how far each is proven, or explain one target."""
    if context.invoked_subcommand is None:
        context.invoke(list_targets)


@command.command("list", epilog="Example: ./tools/percepnet targets list")
@_JSON
def list_targets(json_path: Path | None = None) -> None:
    """List all targets. Nobody is told that a board works which was never tried."""
    targets = sorted(map(load_target, target_names()), key=lambda t: (target_kind(t.name), t.name))
    rows = [
        [target_kind(t.name), t.name, t.description, " ".join(t.isas), t.model, t.proven]
        for t in targets
    ]
    console.table(["kind", "target", "what it is", "ISAs", "model", "proven"], rows)
    for word, meaning in PROVEN.items():
        console.note(f"{word}: {meaning}")
    if json_path:
        _write(json_path, {t.name: dataclasses.asdict(t) for t in targets})


@command.command(epilog="Example: ./tools/percepnet targets show nucleo_h743zi")
@click.argument("name")
@_JSON
def show(name: str, json_path: Path | None) -> None:
    """Explain the target NAME: what it is, how far it is proven, and where its figures are from."""
    target = load_target(name)
    console.info("\n".join(_explain(target)))
    if json_path:
        _write(json_path, dataclasses.asdict(target))


def _write(path: Path, content: object) -> None:
    write_json(path, content)


def _explain(target: Target) -> Iterator[str]:
    yield f"{target.name}: {target.description}"
    yield from _rows(
        {
            "proven": f"{target.proven}: {PROVEN[target.proven]}",
            "runs": _how_it_runs(target),
            "built by": f"{target.toolchain}, {' '.join((*target.cpu_flags, *target.tune_flags))}",
            "kernels": f"{' '.join(target.isas)}; weights laid out as {target.layout}",
            "model": target.model,
            "clock": f"{target.clock_hz / 1e6:g} MHz" if target.clock_hz else "",
            "cores": str(target.cores) if target.cores > 1 else "",
            "weights stream at": f"{target.bandwidth_mb_s} MB/s" if target.bandwidth_mb_s else "",
            "console": f"{target.console.uart}, {target.console.baud} baud"
            if target.console
            else "",
        }
    )
    yield from _rows(
        {
            f"cluster {name}": f"{c.cores} x {c.cpu}, {c.clock_hz / 1e6:g} MHz"
            for name, c in target.clusters.items()
        }
    )
    yield from _memory(target)
    yield from _rows(
        {f"at most, {name}": f"{limit:g}" for name, limit in target.budgets.limits().items()}
    )
    for note in target.notes:
        yield f"  * {note.text} [{note.source}]"


def _how_it_runs(target: Target) -> str:
    if not target.runner:
        return "on a device alone: ./tools/percepnet devices"
    if target.emulator:
        return f"{target.runner}: {target.emulator.program} {' '.join(target.emulator.args)}"
    return target.runner


def _memory(target: Target) -> Iterator[str]:
    for name, region in target.memory.items():
        size = f"{region.size / 1024:g} KiB at {region.origin:#010x}"
        yield from _rows({f"memory {name}": f"{size}: {', '.join(region.holds) or 'left free'}"})


def _rows(facts: dict[str, str]) -> Iterator[str]:
    for name, value in facts.items():
        if value:
            yield f"  {name:30} {value}"
