"""The same programs on several devices at once, a thread for each."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit.build import build
from kit.devtest.protocol import Report, read_report
from kit.errors import KitError
from kit.runner import Runner, open_session

# Gets each line of a program as it comes.
Told = Callable[[str], None]


def tell_nobody(_line: str) -> None:
    """For whom nobody watches."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of programs on one device, with the device's state around it.

    app: their names, `+` between them. emulated: times mean nothing. report: None where it did not
    come to an end; error says why.
    """

    where: str
    target: str
    seconds: float
    app: str = ""
    emulated: bool = False
    report: Report | None = None
    exit_code: int | None = None
    error: KitError | None = None
    before: Mapping[str, str] = dataclasses.field(default_factory=dict)
    after: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """It came to its end, and nothing was bad."""
        return self.report is not None and self.report.passed and self.exit_code == 0


def run_on_all(
    runners: Sequence[Runner],
    apps: Sequence[str],
    args: Sequence[str] = (),
    model: str = "",
    settings: Mapping[str, str] | None = None,
    told: Told = tell_nobody,
) -> list[Run]:
    """Build the programs for every target, then run them, one after the other, on all at once.

    One Run for each runner, in their order: that of all programs, or of the first that did not come
    to its end. What is wrong with one device is told in its Run and stops no other. told: gets each
    line. Raises KitError when a program does not build.
    """
    if len(runners) == 1:
        runners[0].check()  # before a build that may take minutes
    for target in dict.fromkeys(runner.target.name for runner in runners):
        build(target, model)

    def run_in_turn(runner: Runner) -> Run:
        runs = []
        for app in apps:
            runs.append(run_on(runner, app, args, settings, told))
            if runs[-1].error:
                return runs[-1]
        return _as_one(runs)

    if len(runners) == 1:
        return [run_in_turn(runners[0])]  # in this thread: Ctrl-C ends it at once
    with ThreadPoolExecutor(max_workers=len(runners)) as pool:
        return list(pool.map(run_in_turn, runners))


def run_on(
    runner: Runner,
    app: str | Path,
    args: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    told: Told = tell_nobody,
) -> Run:
    """Run a built program, by its name or file, on one device to its end; at a real pace where the
    device has one."""
    began = time.monotonic()
    emulated = runner.capabilities.emulated
    facts = {"where": runner.name, "target": runner.target.name, "app": Path(app).stem}
    facts["emulated"] = emulated
    pace = {} if emulated else {"PN_PACED": "1"}
    try:
        runner.check()
        facts["before"] = runner.environment()
        with open_session(
            runner, app, args, settings={**pace, **(settings or {})}, rebuild=False
        ) as session:
            report = read_report(_overheard(session.lines(), told), session.run_id)
            code = session.close()
        facts["after"] = runner.environment()
    except KitError as error:
        return Run(**facts, seconds=time.monotonic() - began, error=error)
    return Run(**facts, seconds=time.monotonic() - began, report=report, exit_code=code)


def _overheard(lines: Iterable[str], told: Told) -> Iterator[str]:
    for line in lines:
        told(line)
        yield line


def _as_one(runs: Sequence[Run]) -> Run:
    """Several programs' runs as one: what all said, from the first's start to the last's end."""
    reports = [run.report for run in runs]
    report = Report(
        boot=reports[-1].boot,
        tests=tuple(test for each in reports for test in each.tests),
        benches=tuple(bench for each in reports for bench in each.benches),
        remarks=tuple(line for each in reports for line in each.remarks),
        bad=sum(each.bad for each in reports),
    )
    return dataclasses.replace(
        runs[-1],
        app="+".join(run.app for run in runs),
        seconds=sum(run.seconds for run in runs),
        before=runs[0].before,
        report=report,
        exit_code=next((run.exit_code for run in runs if run.exit_code), 0),
    )
