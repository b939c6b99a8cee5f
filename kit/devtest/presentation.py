"""An outcome as a page's facts and as a suite of test cases."""

from kit.device.vitals import DISTURBED
from kit.devtest.figures import histograms_of, timelines_of
from kit.devtest.outcome import Outcome
from kit.devtest.parallel import Run
from kit.devtest.protocol import Test
from kit.measure import section_bars
from kit.report.earlier import Comparison
from kit.report.facts import FAIL, INVALID, MEASURED, Bar, Check, Facts
from kit.report.junit import BROKEN, FAILED, PASSED, SKIPPED, Case, Suite

_RESULTS = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED}


def page_facts(outcome: Outcome, comparison: Comparison | None) -> Facts:
    """What the page of a run shows."""
    from kit.report.charts import charts

    run, costs = outcome.run, outcome.costs
    report = run.report
    return Facts(
        title=f"PercepNet on {run.where}",
        subtitle=f"{run.app}: {outcome.target.description}",
        facts=environment(outcome),
        checks=tuple(Check(f"test {t.name}", t.result != "fail", said(t)) for t in report.tests),
        recordings=(),
        stages=costs.stages if costs else (),
        stages_unit=costs.unit if costs else "",
        stages_note="Medians, back to back. "
        + ("Instructions, not cycles or time of a real core." if run.emulated else ""),
        layers=_layer_bars(outcome),
        layers_unit=outcome.layers.unit if outcome.layers else "",
        sizes=section_bars(outcome.sizes) if outcome.sizes else (),
        budgets=outcome.budgets,
        steps=(),
        verdict=outcome.verdict.word,
        reasons=outcome.verdict.reasons,
        figures=comparison.figures if comparison else outcome.figures,
        earlier=comparison.note if comparison else "",
        charts=charts(histograms_of(report, run.emulated), timelines_of(report, run.emulated)),
    )


def _layer_bars(outcome: Outcome) -> tuple[Bar, ...]:
    costs = outcome.layers.costs if outcome.layers else {}
    return tuple(
        Bar(name, round(cost) if cost >= 1000 else round(cost, 2)) for name, cost in costs.items()
    )


def environment(outcome: Outcome) -> dict[str, str]:
    """What ran, and in which environment: what makes numbers comparable, or not."""
    run, boot = outcome.run, outcome.run.report.boot
    facts = {
        "device": run.where,
        "target": run.target,
        "date": outcome.date,
        "model": boot["model"],
        "firmware": boot["fw"],
        "instruction set": boot["isa"],
    }
    if outcome.out_crc:
        facts["CRC of the output"] = outcome.out_crc
    for record in run.report.records("PN_CLOCK")[-1:]:
        facts["clock"] = record.fields["source"]
    if run.emulated:
        facts["times"] = "an emulator's: they mean nothing and are left out"
    if outcome.verdict.unjudged:
        facts["not judged"] = outcome.verdict.unjudged
    for label, before in run.before.items():
        after = run.after.get(label, "")
        facts[label] = before if after in ("", before) else f"{before} before, {after} after"
    if DISTURBED in run.after and DISTURBED not in run.before:
        facts[DISTURBED] = run.after[DISTURBED]
    return facts


def said(test: Test) -> str:
    """Everything else that a test's line said."""
    return " ".join(f"{key}={value}" for key, value in test.details.items())


def suite_of(outcome: Outcome) -> Suite:
    """Tests and budgets of a run as cases, and its verdict where it is no plain pass."""
    run, verdict = outcome.run, outcome.verdict
    cases = [Case(f"test {t.name}", _RESULTS[t.result], said(t)) for t in run.report.tests]
    for budget in outcome.budgets:
        spoiled = verdict.word == INVALID and budget.kind == MEASURED
        bad = BROKEN if spoiled else FAILED
        over = f"{budget.value:g} of {budget.limit:g} {budget.unit}, {budget.kind}"
        result = bad if spoiled or not budget.passed else PASSED
        cases.append(Case(f"budget {budget.name}", result, over))
    result = {FAIL: FAILED, INVALID: BROKEN}.get(verdict.word, PASSED)
    message = f"{verdict.word}: {'; '.join(verdict.reasons)}"
    cases.append(Case("verdict", result, message, run.seconds))
    words = "\n".join(run.report.remarks)
    return Suite(run.where, outcome.date, run.seconds, tuple(cases), environment(outcome), words)


def broken_suite(run: Run, date: str) -> Suite:
    """A run that did not come to its end."""
    case = Case("verdict", BROKEN, f"{run.error.message}\n{run.error.hint}".strip(), run.seconds)
    return Suite(run.where, date, run.seconds, (case,), {"target": run.target})
