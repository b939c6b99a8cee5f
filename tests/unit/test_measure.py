"""Figures from a program's report, and the verdict on a target's budgets."""

import dataclasses

import pytest

from kit.devtest.protocol import read_report
from kit.errors import DeviceError
from kit.measure import Costs, check_budgets, costs_of, memory_of, section_bars
from kit.report.facts import Bar
from kit.target import Budgets, load_target

SIZES = {
    "text": 40_000,
    "data": 100,
    "bss": 4900,
    "sections": {".text": 30_000, ".rodata": 10_000, ".stack": 4000, ".bss": 900},
    "regions": {"code": {"used": 40_000, "size": 50_000}},
}
COSTS = Costs("instructions", (Bar("network", 700),), 1000, 1100)
MEMORY = {"state": 5000, "stack": 3000}


def report_of(unit: str, names=("analyse", "pitch", "comb", "network", "synthesise", "frame")):
    """A report of `bench` in which the i-th stage costs 100 (i + 5)."""
    lines = ["PN_BOOT run=1 fw=f model=m isa=scalar"]
    for index, name in enumerate(names):
        cost = 100 * (index + 5)
        lines.append(f"PN_BENCH name={name} mode=burst n=9 p50_{unit}={cost} max_{unit}={cost + 7}")
    return read_report([*lines, "PN_MEMORY state=5000 stack=3000", "PN_DONE bad=0"], "1")


@pytest.mark.parametrize(("unit", "word"), [("instr", "instructions"), ("ns", "ns")])
def test_costs_take_what_is_inside_the_analysis_out_of_it(unit: str, word: str):
    costs = costs_of(report_of(unit))
    assert costs.unit == word
    assert {bar.name: bar.value for bar in costs.stages} == {
        "transforms, features": 0,
        "pitch": 600,
        "comb filter": 700,
        "network": 800,
        "gains, synthesis": 900,
    }
    assert (costs.frame, costs.worst) == (1000, 1007)


@pytest.mark.parametrize("missing", [("frame",), ("analyse", "pitch", "comb", "network", "frame")])
def test_a_report_without_a_stage_is_refused(missing):
    with pytest.raises(DeviceError, match="lacks"):
        costs_of(report_of("instr", missing))


def test_a_figure_that_is_no_number_is_refused():
    lines = [f"PN_BENCH name={n} mode=burst n=1 p50_ns=1 max_ns=0x" for n in ("frame", "pitch")]
    report = read_report(["PN_BOOT run=1 fw=f model=m isa=x", *lines, "PN_DONE bad=0"], "1")
    with pytest.raises(DeviceError, match="none"):
        costs_of(report)


def test_paced_figures_are_not_taken_for_burst_ones():
    report = report_of("ns")
    paced = dataclasses.replace(report.benches[-1], mode="paced", figures={"p50_ns": "1"})
    both = dataclasses.replace(report, benches=(*report.benches, paced))
    assert costs_of(both) == costs_of(report)


def test_memory_is_what_the_program_said():
    assert memory_of(report_of("instr")) == MEMORY


def test_a_program_that_says_nothing_of_its_memory_is_refused():
    report = read_report(["PN_BOOT run=1 fw=f model=m isa=scalar", "PN_DONE bad=0"], "1")
    with pytest.raises(DeviceError, match="nothing about its memory"):
        memory_of(report)


def test_budgets_of_a_program_whose_sizes_are_unknown_are_those_of_what_it_said():
    limits = Budgets(frame_instructions=1099, stack_bytes=3000, flash_bytes=1)
    target = dataclasses.replace(load_target("mps3_an547"), budgets=limits)
    budgets = check_budgets(target, COSTS, MEMORY, None)
    assert [budget.name for budget in budgets] == ["frame instructions", "stack bytes"]


def test_budgets_compare_the_worst_frame_memory_and_regions():
    limits = Budgets(
        frame_instructions=1099, stack_bytes=3000, ram_bytes=3999, flash_bytes=40_100, p999_us=1
    )
    target = dataclasses.replace(load_target("mps3_an547"), budgets=limits)
    budgets = {b.name: b for b in check_budgets(target, COSTS, MEMORY, SIZES)}
    verdicts = {name: budget.passed for name, budget in budgets.items()}
    assert verdicts == {
        "frame instructions": False,
        "stack bytes": True,
        "flash bytes": True,
        "ram bytes": False,
        "memory region code": True,
    }
    assert budgets["memory region code"].percent == 80.0


def test_sections_are_shown_largest_first():
    assert [bar.name for bar in section_bars(SIZES, most=2)] == [".text", ".rodata"]
