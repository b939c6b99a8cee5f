"""`bench`: what a frame costs on this computer or on a target, and the target's budgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kit import console
from kit.bench.peers import peer_names
from kit.devtest.outcome import Layers, Outcome, outcome_of
from kit.devtest.parallel import Run, run_on_all
from kit.devtest.protocol import Bench, Report
from kit.errors import KitError
from kit.files import write_json
from kit.host import HOST_TARGET
from kit.measure import BURST, read_sizes
from kit.report.facts import COUNTED, MEASURED, Budget
from kit.runner import Runner, make_runner
from kit.target import Target, load_target
from kit.verbs._device import fleet_option, where
from kit.verbs._isa import isa_settings
from kit.verbs._report import Reports, report_options, require_passed
from kit.verbs._report import show as show_outcome

if TYPE_CHECKING:
    from kit.bench.counts import Counts
    from kit.bench.model import Subject

UNIT = "instructions"


@click.command(
    epilog="Examples: ./tools/percepnet bench --model full --against litert --mode both; "
    "./tools/percepnet bench --target mps3_an547"
)
@click.option("--target", "name", help=f"Measure this one.  [default: {HOST_TARGET}]")
@fleet_option
@click.option(
    "--model",
    help="Instead of the target's own: tiny, lite, compact, full (kit/models), or a .tflite file.",
)
@click.option("--device", "device_name", help="Measure this device of the map (`devices`).")
@click.option("--cluster", "--pin", help="On a device: pin the program to this cluster of cores.")
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
@report_options
def command(
    name: str | None,
    place: str | None,
    device_name: str | None,
    cluster: str | None,
    model: str | None,
    isa: str | None,
    mode: str,
    against: tuple[str, ...],
    core: int | None,
    estimates: bool,
    reports: Reports,
) -> None:
    """Measure what a frame costs on a target or a device.

    On this computer: frames, packets, the network, its layers and kernels, beside the time that
    reading as many bytes as its weights takes, and beside other runtimes (--against). Emulated:
    instructions by stage and layer, and the target's budgets. On a device: back to back and at the
    product's pace, with the verdict on its budgets. --estimates: what a model of the processor, or
    of its memory, says of targets that are not here.
    """
    if estimates:
        if place or device_name or cluster or isa or against or core is not None or mode != "burst":
            raise KitError(
                "--estimates measures nothing", hint="with it go --model and --json alone"
            )
        _estimates(load_target(name or HOST_TARGET), model, reports.only_json("--estimates"))
        return
    target, runner = where(name, device_name, place)
    if (cluster and not runner) or (model and runner):
        what = "--cluster is for devices" if cluster else "--model is for what runs here"
        raise KitError(what, hint="leave it out; on a device: ./tools/percepnet run --model FILE")
    if target.name == HOST_TARGET and not runner:
        _on_host(target, model, isa, mode, against, core, reports.only_json(HOST_TARGET))
    elif against or core is not None or mode != "burst":
        raise KitError(
            f"--against, --core and --mode are for {HOST_TARGET}",
            hint=f"leave them out, or leave out --target {target.name}",
        )
    elif runner:
        if cluster:
            runner.pin(cluster)
        _on_device(runner, isa, reports)
    else:
        _emulated(target, model, isa, reports)


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
        write_json(json_path, result)


def _emulated(target: Target, model: str | None, isa: str | None, reports: Reports) -> None:
    """Exact counts by region; of the target's own model also its budgets, with the worst frame."""
    from kit.bench.counts import check_limits, count
    from kit.bench.model import find_subject
    from kit.bench.show import show_counts

    subject = find_subject(target, model)
    counts = count(target, subject, isa)
    show_counts(f"{target.name}, {subject.title}, {counts.boot['isa']}", counts)
    run, sizes = _counted(target, counts), None
    if target.counts_instructions and not model:
        run, sizes = _run(make_runner(target), isa), read_sizes(target)
    outcome = outcome_of(
        run,
        target,
        sizes,
        own_model=not model,
        layers=Layers(counts.regions, UNIT, COUNTED),
        limits=[
            Budget(f"{stage}, mean", round(found), limit, UNIT, COUNTED)
            for stage, found, limit in check_limits(target, counts, subject.name)
        ],
        more=_facts(subject, counts),
    )
    _conclude(outcome, reports)


def _facts(subject: Subject, counts: Counts) -> dict[str, Any]:
    return {
        "model": {
            "name": subject.name,
            "random": subject.is_random,
            "hash": counts.boot["model"],
        },
        "out_crc": counts.out_crc,
        "frames": counts.frames,
        "stages": counts.stages(),
        "functions": counts.functions,
    }


def _counted(target: Target, counts: Counts) -> Run:
    """A run of which nothing is known but the counts."""
    bench = Bench("frame", BURST, counts.frames, {"out_crc": counts.out_crc})
    report = Report(boot=counts.boot, tests=(), benches=(bench,), remarks=(), bad=0)
    name = target.name
    return Run(name, name, 0.0, "profile", emulated=True, report=report, exit_code=0)


def _on_device(runner: Runner, isa: str | None, reports: Reports) -> None:
    """The benchmark, burst and paced; for reports also what layers cost."""
    layers = None
    run = _run(runner, isa)
    if reports.wanted and runner.capabilities.realtime:
        from kit.bench.device import measure_on
        from kit.bench.model import find_subject

        times = measure_on(runner, find_subject(runner.target, None), isa)
        medians = {region: found["p50"] for region, found in times.regions.items()}
        layers = Layers(medians, "us", MEASURED)
    outcome = outcome_of(run, runner.target, read_sizes(runner.target), layers=layers)
    _conclude(outcome, reports)


def _run(runner: Runner, isa: str | None) -> Run:
    """The program `bench`, built, on a device or emulator. Raises what went wrong."""
    (run,) = run_on_all([runner], ["bench"], settings=isa_settings(isa))
    if run.error:
        raise run.error
    return run


def _conclude(outcome: Outcome, reports: Reports) -> None:
    show_outcome(outcome, reports.compare(outcome))
    reports.write([outcome.run], [outcome])
    require_passed([outcome.run], [outcome])


def _estimates(target: Target, model: str | None, json_path: Path | None) -> None:
    from kit.bench.estimates import estimate, show_estimates
    from kit.bench.model import find_subject

    found = estimate(find_subject(target, model))
    show_estimates(found)
    if json_path:
        write_json(json_path, found)
