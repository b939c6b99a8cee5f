"""What verbs that test devices share: the options that say where results go, and how they end."""

import dataclasses
import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from kit import console
from kit.devtest.outcome import Outcome, as_json
from kit.devtest.parallel import Run
from kit.devtest.presentation import broken_suite, page_facts, said, suite_of
from kit.errors import CheckFailed, DeviceError, KitError
from kit.files import write_atomically, write_json
from kit.report.earlier import Comparison, Earlier, compare, read_earlier
from kit.report.facts import FAIL, INVALID, MEASURED, PASS
from kit.report.junit import render_junit

_MARKS = {True: "", False: "FAIL"}


@dataclasses.dataclass(frozen=True)
class Reports:
    """Files to write, and the earlier runs to compare with; None where not asked for."""

    json_path: Path | None
    junit_path: Path | None
    html_path: Path | None
    earlier: Sequence[Earlier] | None

    @property
    def wanted(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.json_path or self.junit_path or self.html_path)

    def only_json(self, what: str) -> Path | None:
        """The file for --json. Raises KitError for what is not a verdict and has no other form."""
        if self.junit_path or self.html_path or self.earlier is not None:
            raise KitError(
                f"--junit, --html and --compare are for a verdict, which {what} has not got",
                hint="for one on this computer: ./tools/percepnet run bench --target host_x86_64",
            )
        return self.json_path

    def compare(self, outcome: Outcome) -> Comparison | None:
        """The figures of an outcome beside earlier ones."""
        if self.earlier is None:
            return None
        return compare(outcome.figures, outcome.run.where, outcome.identity, self.earlier)

    def write(self, runs: Sequence[Run], outcomes: Sequence[Outcome | None]) -> None:
        """Write the files. outcomes: of each run, None for one that did not come to its end."""
        if self.json_path:
            facts = [as_json(o) if o else _broken(r) for r, o in zip(runs, outcomes, strict=True)]
            content = facts[0] if len(facts) == 1 else facts
            write_json(self.json_path, content)
        if self.junit_path:
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            both = zip(runs, outcomes, strict=True)
            suites = [suite_of(o) if o else broken_suite(r, now) for r, o in both]
            write_atomically(self.junit_path, render_junit(suites))
        if self.html_path and any(outcomes):
            from kit.report.page import render_html

            pages = [page_facts(o, self.compare(o)) for o in outcomes if o]
            write_atomically(self.html_path, render_html(*pages).encode())


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """--json, --junit, --html and --compare, passed on as `reports`."""

    def with_reports(
        json_path: Path | None,
        junit_path: Path | None,
        html_path: Path | None,
        compare_path: Path | None,
        **others: Any,
    ) -> Any:
        earlier = read_earlier(compare_path) if compare_path else None
        return function(reports=Reports(json_path, junit_path, html_path, earlier), **others)

    with_reports.__doc__ = function.__doc__
    with_reports.__click_params__ = getattr(function, "__click_params__", [])
    file = click.Path(path_type=Path, dir_okay=False)
    for option in (
        click.option("--compare", "compare_path", type=file, metavar="EARLIER.json",
                     help="Show differences to what --json wrote in an earlier run."),
        click.option("--html", "html_path", type=file,
                     help="Write one page with plots, budgets and environment here."),
        click.option("--junit", "junit_path", type=file, help="Write JUnit's XML here."),
        click.option("--json", "json_path", type=file, help="Write the results here."),
    ):  # fmt: skip
        with_reports = option(with_reports)
    return with_reports


def _broken(run: Run) -> dict[str, Any]:
    return {
        "device": run.where,
        "target": run.target,
        "app": run.app,
        "passed": False,
        "before": dict(run.before),
        "after": dict(run.after),
        "error": run.error.message,
    }


def show(outcome: Outcome, comparison: Comparison | None) -> None:
    """Tests, figures and budgets of a run, each number with its kind."""
    report = outcome.run.report
    console.note(" ".join(f"{key}={value}" for key, value in report.boot.items()))
    if report.tests:
        console.table(["test", "result", ""], [[t.name, t.result, said(t)] for t in report.tests])
    _show_figures(outcome, comparison)
    if outcome.budgets:
        rows = [
            [b.name, b.value, b.limit, b.unit, f"{b.percent:.0f} %", b.kind,
             _MARKS[b.passed]] for b in outcome.budgets
        ]  # fmt: skip
        console.table(["budget", "measured", "limit", "unit", "used", "", ""], rows)
    if outcome.run.emulated and any("p50_ns" in bench.figures for bench in report.benches):
        console.note(f"{outcome.run.where}: an emulator's times mean nothing: none are shown")
    if outcome.verdict.unjudged:
        console.note(f"not judged: {outcome.verdict.unjudged}")


def _show_figures(outcome: Outcome, comparison: Comparison | None) -> None:
    figures = comparison.figures if comparison else outcome.figures
    if not comparison and outcome.run.emulated:
        figures = [f for f in figures if not f.key.startswith("layer.")]  # `bench` drew them
    rows = [[f.name, f.value, f.unit] for f in figures]
    headings = ["figure", "value", "unit"]
    if any(figure.earlier is not None for figure in figures):
        headings += ["earlier", "change"]
        rows = [
            [*row, "" if f.earlier is None else f.earlier, f.change]
            for row, f in zip(rows, figures, strict=True)
        ]
    rows = [[*row, f.kind] for row, f in zip(rows, figures, strict=True)]
    if figures:
        console.table([*headings, ""], rows)
    if comparison:
        console.note(f"{outcome.run.where}: {comparison.note}")


def require_passed(runs: Sequence[Run], outcomes: Sequence[Outcome | None]) -> None:
    """Say the verdicts. Raise what was wrong: first devices that could not be used."""
    for outcome in outcomes:
        if outcome:
            _say(outcome)
    broken = [run for run in runs if run.error]
    if len(broken) == 1:
        raise broken[0].error
    if broken:
        lines = "\n".join(f"{run.where}: {run.error}" for run in broken)
        raise DeviceError(f"{len(broken)} of {len(runs)} devices could not be used", hint=lines)
    worst = [o for word in (FAIL, INVALID) for o in outcomes if o and o.verdict.word == word]
    if worst:
        run, verdict = worst[0].run, worst[0].verdict
        raise CheckFailed(
            f"{run.app} on {run.where}: {verdict.word}", hint="\n".join(verdict.reasons)
        )


def _say(outcome: Outcome) -> None:
    run, verdict = outcome.run, outcome.verdict
    budgets = [b for b in outcome.budgets if b.passed]
    spoiled = verdict.word == INVALID
    held = sum(not (spoiled and b.kind == MEASURED) for b in budgets)
    passed = sum(test.result == "pass" for test in run.report.tests)
    tests = f"{passed} tests passed, " if run.report.tests else ""
    words = f"{run.app} on {run.where}: {tests}{held} budgets held"
    console.info(words if verdict.word == PASS else f"{words}; {verdict.word}")
