"""The same program on several devices at once, a thread for each."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kit.build import build
from kit.devtest.protocol import Report, read_report
from kit.errors import KitError
from kit.runner import Runner, open_session


@dataclasses.dataclass(frozen=True)
class Run:
    """What came of a program on one device, with the device's state around it.

    report: None where it did not come to an end; error says why.
    """

    where: str
    target: str
    seconds: float
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
    app: str,
    args: Sequence[str] = (),
    model: str = "",
    settings: Mapping[str, str] | None = None,
) -> list[Run]:
    """Build a program for every target, then run it on all at once. Order as that of runners.

    What is wrong with one device is told in its Run and stops no other. Raises KitError when a
    program does not build.
    """
    if len(runners) == 1:
        runners[0].check()  # before a build that may take minutes
    for target in dict.fromkeys(runner.target.name for runner in runners):
        build(target, model)
    with ThreadPoolExecutor(max_workers=len(runners)) as pool:
        return list(pool.map(lambda runner: run_on(runner, app, args, settings), runners))


def run_on(
    runner: Runner,
    app: str | Path,
    args: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
) -> Run:
    """Run a built program, by its name or file, on one device to its end."""
    began = time.monotonic()
    facts = {"where": runner.name, "target": runner.target.name}
    try:
        runner.check()
        facts["before"] = runner.environment()
        with open_session(runner, app, args, settings=settings, rebuild=False) as session:
            report = read_report(session.lines(), session.run_id)
            code = session.close()
        facts["after"] = runner.environment()
    except KitError as error:
        return Run(**facts, seconds=time.monotonic() - began, error=error)
    return Run(**facts, seconds=time.monotonic() - began, report=report, exit_code=code)
