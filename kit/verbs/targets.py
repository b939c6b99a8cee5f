"""`targets`: what can be built for."""

import dataclasses
import json

import click

from kit import console
from kit.target import load_target, target_names


@click.group(
    invoke_without_command=True,
    epilog="Examples: ./tools/percepnet targets; ./tools/percepnet targets show mps3_an547",
)
@click.pass_context
def command(context: click.Context) -> None:
    """List what can be built for, or show one target whole."""
    if context.invoked_subcommand is None:
        context.invoke(list_targets)


@command.command("list", epilog="Example: ./tools/percepnet targets list")
def list_targets() -> None:
    """List all targets."""
    targets = [load_target(name) for name in target_names()]
    rows = [[t.name, t.description, " ".join(t.isas), t.model, t.runner] for t in targets]
    console.table(["target", "what it is", "ISAs", "model", "runner"], rows)


@command.command(epilog="Example: ./tools/percepnet targets show mps3_an547")
@click.argument("name")
def show(name: str) -> None:
    """Show everything that a target's description says, what it extends included, as JSON."""
    console.info(json.dumps(dataclasses.asdict(load_target(name)), indent=2))
