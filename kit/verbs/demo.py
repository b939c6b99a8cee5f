"""`demo`: the whole way once, on an emulated board: weights, build, load, test, measure, listen."""

import dataclasses
import time
import webbrowser
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import numpy as np

from kit import console
from kit.audio import read_all
from kit.build import build
from kit.denoiser import SAMPLE_RATE_HZ, Denoiser
from kit.devtest.protocol import Report
from kit.errors import CheckFailed
from kit.files import write_atomically
from kit.host import HOST_TARGET
from kit.lock import build_lock
from kit.measure import (
    Costs,
    check_budgets,
    measure_costs,
    memory_of,
    read_sizes,
    run_app,
    section_bars,
)
from kit.paths import BUILD, ROOT
from kit.remote import denoise_on
from kit.report.facts import Budget, Check, Facts, Recording
from kit.report.page import render_html, render_json
from kit.report.pictures import spectrograms_png
from kit.target import Target, load_target

DEFAULT_TARGET = "mps3_an547"
RECORDINGS = ROOT / "kit" / "demo"
COUNTED = "Instructions that the emulator counted: not cycles, not time of a real core."


@dataclasses.dataclass
class Steps:
    """Names and seconds of the steps so far, told as they happen."""

    done: list[tuple[str, float]] = dataclasses.field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time one step and say that it is done."""
        began = time.monotonic()
        yield
        seconds = time.monotonic() - began
        self.done.append((name, seconds))
        console.note(f"{seconds:6.1f} s  {name}")


@click.command(epilog="Example: ./tools/percepnet demo")
@click.option("--target", "name", default=DEFAULT_TARGET, show_default=True, help="The board.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=BUILD / "demo",
    help="Folder of the report.  [default: build/demo]",
)
@click.option("--open", "show", is_flag=True, help="Open the report in a browser.")
def command(name: str, out: Path, show: bool) -> None:
    """Take a model to a board and listen to the result.

    Regenerates the weights, builds for this computer and the board, loads and starts the board,
    tests and measures it over its serial line, sends a noisy recording through both, compares
    every byte, and writes a report.
    """
    target, here = load_target(name), load_target(HOST_TARGET)
    steps = Steps()
    with steps.step(f"weights and programs for {here.name} and {name}"):
        for built in (here, target):
            _drop_generated_weights(built)
            build(built.name)
    with steps.step(f"self-test on {name}"):
        tested, reference = (run_app(where, "selftest", rebuild=False) for where in (target, here))
    with steps.step(f"cost of a frame on {name}"):
        bench, costs = measure_costs(target)
    recordings, same = _denoise_both(target, steps)
    with steps.step("report"):
        sizes = read_sizes(target)
        facts = Facts(
            title=f"PercepNet on {name}",
            subtitle=f"{target.description}: weights, build, load, test, measure, denoise.",
            facts=_what_ran(target, tested, reference),
            checks=(*_selftest_checks(tested, reference), same),
            recordings=recordings,
            stages=costs.stages,
            stages_unit=costs.unit,
            stages_note=COUNTED if costs.unit == "instructions" else "Medians, back to back.",
            sizes=section_bars(sizes),
            budgets=check_budgets(target, costs, memory_of(bench), sizes),
            steps=tuple(steps.done),
        )
        page = _write(facts, out)
    _summarise(facts, costs)
    console.info(f"report: {page}")
    if show:
        webbrowser.open(page.as_uri())
    if not facts.passed:
        raise CheckFailed("the demo failed", hint=f"the marks in {page} say what")


def _drop_generated_weights(target: Target) -> None:
    """Let the build make the weights again from the model, whatever is there."""
    with build_lock():
        for path in (BUILD / target.name / "gen").glob("pn_model.*"):
            path.unlink()


def _denoise_both(target: Target, steps: Steps) -> tuple[tuple[Recording, ...], Check]:
    """The demo recording through this computer and the target."""
    noisy, clean = (read_all(RECORDINGS / f"{kind}.flac")[0][:, 0] for kind in ("noisy", "clean"))
    with steps.step("recording denoised on this computer"):
        here = Denoiser().denoise(noisy, SAMPLE_RATE_HZ)
    with steps.step(f"recording denoised on {target.name}"):
        there = denoise_on(target, noisy, SAMPLE_RATE_HZ)
    recordings = (
        Recording("Noisy", "Speech, 5 dB above the rain around it", noisy),
        Recording("Denoised", f"What came back from {target.name}", there),
        Recording("Clean", "The speech alone, for comparison", clean),
    )
    return recordings, _same_bytes(target, here, there)


def _same_bytes(target: Target, here: np.ndarray, there: np.ndarray) -> Check:
    differ = np.flatnonzero(here != there)
    crcs = [zlib.crc32(pcm.astype("<i2").tobytes()) for pcm in (here, there)]
    detail = f"{here.nbytes} bytes, CRC-32 {crcs[0]:08x}"
    if len(differ):
        detail += f" and {crcs[1]:08x}: {len(differ)} samples differ, first at {differ[0]}"
    return Check(
        f"{target.name} and this computer denoise to the same bytes", not differ.size, detail
    )


def _selftest_checks(tested: Report, reference: Report) -> tuple[Check, ...]:
    """Each signal of the self-test: passed there, and with the CRC that this computer has."""
    here = {test.name: test.details.get("crc") for test in reference.tests}
    return tuple(
        Check(
            f"self-test `{test.name}` passes, with the same bytes as on this computer",
            test.result == "pass" and test.details.get("crc") == here.get(test.name),
            f"CRC-32 {test.details.get('crc')}, here {here.get(test.name)}",
        )
        for test in tested.tests
    )


def _what_ran(target: Target, tested: Report, reference: Report) -> dict[str, str]:
    memory = memory_of(tested)
    return {
        "target": target.name,
        "loaded by": target.runner,
        "model": f"{target.model}, source {tested.boot['model']}",
        "firmware": tested.boot["fw"],
        "state, one channel": f"{memory['state']} bytes",
        "stack, at most": f"{memory['stack']} bytes",
        "instruction set": f"{tested.boot['isa']}; this computer {reference.boot['isa']}",
    }


def _write(facts: Facts, folder: Path) -> Path:
    """report.html, report.json and the picture of the spectrograms; returns the page's path."""
    page = folder / "report.html"
    write_atomically(page, render_html(facts).encode())
    write_atomically(folder / "report.json", render_json(facts).encode())
    picture = spectrograms_png(facts.recordings[:2], facts.sample_rate_hz, dpi=80)
    write_atomically(folder / "spectrograms.png", picture)
    return page


def _summarise(facts: Facts, costs: Costs) -> None:
    rows = [
        ["passed" if check.passed else "FAILED", check.name, check.detail] for check in facts.checks
    ]
    rows.append(["", "whole frame, median", f"{costs.frame} {costs.unit}"])
    rows += [["passed" if b.passed else "FAILED", b.name, _used(b)] for b in facts.budgets]
    console.table(["", "check", "detail"], rows, title=facts.title)


def _used(budget: Budget) -> str:
    return f"{budget.value} of {budget.limit} {budget.unit}, {budget.percent:.0f} %"
