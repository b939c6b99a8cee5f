"""`profile`: where a frame's cost goes, by stage and layer."""

from __future__ import annotations

import collections
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit import console
from kit.errors import KitError
from kit.files import write_json
from kit.host import HOST_TARGET
from kit.runner import Runner
from kit.target import Target
from kit.verbs._device import fleet_option, where
from kit.verbs._isa import isa_option

if TYPE_CHECKING:
    from kit.bench.layers import Profiled
    from kit.bench.model import Subject

LIVE_FRAMES = 300
LIVE_STEP = 10
LIVE_S = 0.5
FRAMES = 200


@click.command(
    epilog="Examples: ./tools/percepnet profile --live; "
    "./tools/percepnet profile --target qemu_aarch64 --model full; "
    "./tools/percepnet profile --target mps3_an547 --functions; "
    "./tools/percepnet profile --device pixel --json profile.json"
)
@click.option("--target", "target_name", help=f"Profile this one.  [default: {HOST_TARGET}]")
@click.option("--device", "device_name", help="Profile this device of the map (`devices`).")
@fleet_option
@click.option("--cluster", "--pin", help="On a device: this cluster of cores (`devices show`).")
@click.option(
    "--model",
    help="Instead of the target's own: tiny, lite, compact, full (kit/models), or a .tflite file.",
)
@isa_option
@click.option(
    "--mode",
    type=click.Choice(["warm", "cold", "paced"]),
    help="On this computer: back to back, with evicted caches, or a frame each 10 ms.  "
    "[warm; with --live paced]",
)
@click.option("--live", is_flag=True, help="On this computer: go on until Ctrl-C.")
@click.option("--functions", is_flag=True, help="Emulated: the largest functions of each, too.")
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the figures here."
)
def command(
    target_name: str | None,
    device_name: str | None,
    place: str | None,
    cluster: str | None,
    model: str | None,
    isa: str | None,
    mode: str | None,
    live: bool,
    functions: bool,
    json_path: Path | None,
) -> None:
    """Show what each stage of a frame, and each layer of its network, costs.

    On this computer and on devices: measured time. On emulated targets: exact counts of
    instructions.
    """
    from kit.bench.model import find_subject

    target, runner = where(target_name, device_name, place)
    on_host = target.name == HOST_TARGET and not runner
    _check_options(on_host, runner, live or bool(mode), functions, bool(cluster))
    if live and json_path:
        raise KitError("--live writes no figures", hint="leave out --live or --json")
    subject = find_subject(target, model)
    if on_host:
        facts = _on_host(subject, isa, mode or ("paced" if live else "warm"), live)
    elif runner:
        if cluster:
            runner.pin(cluster)
        facts = _on_device(runner, subject, isa)
    else:
        facts = _emulated(target, subject, isa, functions)
    if json_path:
        facts = {"target": target.name, "model": subject.name, "random": subject.is_random} | facts
        write_json(json_path, facts)


def _check_options(
    on_host: bool, runner: Runner | None, timed: bool, functions: bool, cluster: bool
) -> None:
    """Raise KitError for an option that means nothing where the profile is taken."""
    if timed and not on_host:
        raise KitError(f"--live and --mode are for {HOST_TARGET}", hint="leave them out")
    if functions and (on_host or runner):
        raise KitError(
            "--functions is for emulated targets",
            hint="leave it out, or name one: --target mps3_an547",
        )
    if cluster and not runner:
        raise KitError("--cluster is for devices", hint="leave it out, or name one: --device NAME")


def _on_host(subject: Subject, isa: str | None, mode: str, live: bool) -> dict[str, Any]:
    from kit.bench import host, machine
    from kit.bench.layers import Profiled, by_stage
    from kit.bench.ours import open_library
    from kit.bench.show import show_bars

    if live and not console.is_terminal():
        raise KitError("--live needs a terminal", hint="leave it out to get one table")
    profiled = Profiled(open_library(subject, profile=True), isa)
    title = f"{host.KIND}: {subject.title}, {profiled.isa}, {mode}, median of a frame"
    with machine.pinned(None):
        if live:
            _show_live(profiled, mode, title)
            return {}
        spread = profiled.measure(mode, FRAMES)
    costs = {region: cost["p50"] for region, cost in spread.items()}
    show_bars(costs, "us", title)
    return {
        "kind": host.KIND,
        "unit": "us",
        "isa": profiled.isa,
        "mode": mode,
        "frames": FRAMES,
        "machine": machine.describe(),
        "stages": by_stage(costs),
        "layers": costs,
        "spread": spread,
    }


def _show_live(profiled: Profiled, mode: str, title: str) -> None:
    """Medians of the last LIVE_FRAMES frames, anew each LIVE_S, until Ctrl-C."""
    import numpy as np

    from kit.bench.show import bar_headings, bar_rows

    recent: collections.deque[np.ndarray] = collections.deque(maxlen=LIVE_FRAMES)
    with contextlib.suppress(KeyboardInterrupt), console.live_table() as show:
        while True:
            end = time.monotonic() + LIVE_S
            while time.monotonic() < end:
                recent.extend(profiled.frames(mode, LIVE_STEP))
            medians = np.median(np.array(recent), axis=0)
            costs = dict(zip(profiled.regions, map(float, medians), strict=True))
            share = sum(costs.values()) / 100
            now = f"{title}\n{share:.2f} % of this core; Ctrl-C ends"
            show(bar_headings("us"), bar_rows(costs), now)


def _on_device(runner: Runner, subject: Subject, isa: str | None) -> dict[str, Any]:
    from kit.bench.device import KIND, measure_on
    from kit.bench.layers import by_stage
    from kit.bench.show import show_bars

    times = measure_on(runner, subject, isa)
    costs = {region: marks["p50"] for region, marks in times.regions.items()}
    device = f"{runner.name}, cluster {runner.pinned_to.name}" if runner.pinned_to else runner.name
    title = f"{KIND}: {device}, {subject.title}, {times.boot['isa']}, median of a frame"
    show_bars(costs, "us", title)
    if times.disturbed:
        console.note(f"{runner.name}: times are invalid: {times.disturbed}")
    return {
        "kind": KIND,
        "unit": "us",
        "device": runner.name,
        "cluster": runner.pinned_to.name if runner.pinned_to else None,
        "isa": times.boot["isa"],
        "boot": dict(times.boot),
        "frames": times.frames,
        "before": dict(times.before),
        "after": dict(times.after),
        "stages": by_stage(costs),
        "layers": costs,
        "spread": times.regions,
    }


def _emulated(target: Target, subject: Subject, isa: str | None, functions: bool) -> dict[str, Any]:
    from kit.bench.counts import KIND, count
    from kit.bench.show import show_counts

    counts = count(target, subject, isa)
    show_counts(f"{target.name}, {subject.title}, {counts.boot['isa']}", counts, functions)
    return {
        "kind": KIND,
        "unit": "instructions",
        "isa": counts.boot["isa"],
        "boot": dict(counts.boot),
        "out_crc": counts.out_crc,
        "frames": counts.frames,
        "stages": counts.stages(),
        "layers": counts.regions,
        "functions": counts.functions,
    }
