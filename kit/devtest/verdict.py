"""The verdict on a run: pass, FAIL, or invalid where something spoiled what was measured.

What throttles a device makes every time taken on it invalid, good ones too: they are not the
device's. What merely disturbed a run, other programs on its cores, makes bad times invalid; good
ones are good in spite of it. Checks, instructions and bytes depend on neither.
"""

import dataclasses
from collections.abc import Sequence

from kit.device.vitals import DISTURBED
from kit.devtest.parallel import Run
from kit.measure import Paced
from kit.report.facts import FAIL, INVALID, MEASURED, PASS, Budget
from kit.target import Target

# Of calls during which others had the processor: a p99.9 that includes them tells of the others.
_MOST_PREEMPTED = 0.001
_LATEST_US = 5000.0  # half of a frame
_TIMES = ("core_percent", "p999_us", "missed")


@dataclasses.dataclass(frozen=True)
class Verdict:
    """word: PASS, FAIL or INVALID; reasons: why it is not PASS; unjudged: budgets of time without
    a measurement, and why there is none."""

    word: str
    reasons: tuple[str, ...] = ()
    unjudged: str = ""


def judge(
    run: Run, target: Target, budgets: Sequence[Budget], paced: Paced | None, emulated: bool
) -> Verdict:
    """The verdict on a run that came to its end."""
    bad = [*_bad_checks(run), *(_over(b) for b in budgets if not b.passed and b.kind != MEASURED)]
    slow = [_over(b) for b in budgets if not b.passed and b.kind == MEASURED]
    spoiled = _throttled(run) if paced and not emulated else ""
    if slow and paced and not spoiled:
        spoiled = _disturbed(paced)
    unjudged = _unjudged(target, paced, emulated)
    if bad:
        return Verdict(FAIL, (*bad, *slow), unjudged)
    if spoiled:
        return Verdict(INVALID, (spoiled, *slow), unjudged)
    return Verdict(FAIL if slow else PASS, tuple(slow), unjudged)


def _bad_checks(run: Run) -> list[str]:
    failed = [f"test `{t.name}` failed" for t in run.report.tests if t.result == "fail"]
    others = run.report.bad - len(failed)
    if others > 0:
        failed.append(f"{others} more checks are bad")
    if run.exit_code != 0 and not failed:
        failed.append(f"exit code {run.exit_code}")
    return failed


def _over(budget: Budget) -> str:
    return f"{budget.name}: {budget.value:g} of {budget.limit:g} {budget.unit}"


def _throttled(run: Run) -> str:
    return run.before.get(DISTURBED) or run.after.get(DISTURBED) or ""


def _disturbed(paced: Paced) -> str:
    """What others did to the run; empty where that explains nothing."""
    reasons = []
    if paced.preempted > _MOST_PREEMPTED * paced.frames:
        reasons.append(f"others had the processor in {paced.preempted} of {paced.frames} frames")
    if paced.late_us > _LATEST_US:
        reasons.append(f"a frame began {paced.late_us / 1000:.1f} ms late")
    return "; ".join(reasons)


def _unjudged(target: Target, paced: Paced | None, emulated: bool) -> str:
    limits = target.budgets.limits()
    names = [name.replace("_", " ") for name in _TIMES if name in limits]
    if not names or (paced and not emulated):
        return ""
    why = "an emulator's times mean nothing" if emulated else "no paced frames were measured"
    return f"{', '.join(names)}: {why}"
