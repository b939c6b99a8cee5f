"""`fit`: which model fits a target, before anything is compiled for it."""

import dataclasses
import functools
from pathlib import Path

import click

from kit import console
from kit.errors import CheckFailed, KitError
from kit.files import write_json
from kit.model.footprint import Footprint, Shortfall, find_network, footprint, shortfalls
from kit.model.quantise import QuantisedModel, quantise
from kit.paths import MODELS
from kit.target import Target, load_target, target_names

ALL = "all"
NOTE = (
    "weights, state, MAC/s: of the model's file, or from the widths. code: measured on\n"
    "{counted_on}. stack: the most that a call takes, proven from the machine code.\n"
    "core: a model's estimate for one core: instructions counted there, one a clock, or the\n"
    "weights read at the target's bandwidth, the larger. Nothing was measured on the target."
)


@dataclasses.dataclass(frozen=True)
class Fit:
    """A model on a target, and what does not fit."""

    target: str
    model: str
    found: Footprint
    short: list[Shortfall]


@click.command(
    epilog="Examples: ./tools/percepnet fit mps3_an547; ./tools/percepnet fit all --model lite"
)
@click.argument("name", metavar="TARGET|all")
@click.option("--model", help="A .tflite file, or a name such as tiny; all models if left out.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here."
)
def command(name: str, model: str | None, json_path: Path | None) -> None:
    """Say what each model takes of TARGET's memory and time, which fits, and what would have to
    change for the others. Compiles nothing.

    The exit code is 1 when the model asked for, or the target's own, does not fit TARGET.
    """
    targets = [load_target(one) for one in (target_names() if name == ALL else [name])]
    models = {model: find_model(model)} if model else known_models()
    fits = [_fit(target, label, one) for target in targets for label, one in models.items()]
    for target in targets:
        show(target, [fit for fit in fits if fit.target == target.name])
    if json_path:
        content = [dataclasses.asdict(fit) for fit in fits]
        write_json(json_path, content)
    if name != ALL:
        _require(fits, model or targets[0].model, targets[0])


def _require(fits: list[Fit], model: str, target: Target) -> None:
    """Raise CheckFailed, with what fits instead, where `model` is among `fits` and does not fit."""
    if any(fit.short for fit in fits if fit.model == model):
        known = known_models().items()
        fitting = [label for label, one in known if not _fit(target, label, one).short]
        raise CheckFailed(
            f"model `{model}` does not fit `{target.name}`: the lines above say why",
            hint=f"these fit: {', '.join(fitting)}" if fitting else "none of the known models does",
        )


def known_models() -> dict[str, QuantisedModel]:
    """The shipped models by their names."""
    return {path.stem: _read(path) for path in sorted(MODELS.glob("*.tflite"))}


def find_model(model: str) -> QuantisedModel:
    """A .tflite file or a model by name. Raises KitError for an unknown one."""
    known = known_models()
    if model in known:
        return known[model]
    if Path(model).is_file():
        return _read(Path(model))
    raise KitError(
        f"there is no model `{model}`", hint=f"name a .tflite file, or one of {', '.join(known)}"
    )


@functools.cache
def _read(path: Path) -> QuantisedModel:
    # Here: reading .tflite files is slow to import.
    from kit.model.import_ import load_model

    return quantise(load_model(path))


def _fit(target: Target, label: str, model: QuantisedModel) -> Fit:
    found = footprint(find_network(model, target.layout), target)
    return Fit(target.name, label, found, shortfalls(found, target))


def show(target: Target, fits: list[Fit]) -> None:
    """Print a target's table, and what would have to change."""
    columns = ["model", "weights", "code", "state", "stack", "MMAC/s", "core", "bound by", "fits"]
    rows = []
    for fit in fits:
        found = fit.found
        sizes = (found.weights, found.code, found.state, found.stack)
        share = "unknown" if found.share is None else f"{100 * found.share:.2f} %"
        rows.append(
            [
                fit.model,
                *(f"{size / 1024:.1f} KiB" for size in sizes),
                f"{found.macs_per_s / 1e6:.0f}",
                share,
                found.bound,
                "no" if fit.short else "yes",
            ]
        )
    console.table(columns, rows, title=f"{target.name}: {target.description}")
    for fit in fits:
        for short in fit.short:
            console.info(f"  {fit.model}: {_told(short)}")
    console.note(NOTE.format(counted_on=fits[0].found.counted_on))


def _told(short: Shortfall) -> str:
    name = short.name.replace("_", " ")
    digits = 1 if short.limit <= 100 else 0
    return f"{name} {short.value:,.{digits}f} of {short.limit:,.{digits}f}: {short.change}"
