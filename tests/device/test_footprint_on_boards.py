"""What `fit` says before compiling, against what the emulated boards measure; tiny's budgets."""

import pytest

from kit.build import build
from kit.measure import check_budgets, measure_costs, memory_of, read_sizes
from kit.model.architecture import ARCHITECTURES
from kit.model.footprint import find_network, footprint
from kit.target import load_target


@pytest.mark.parametrize("name", ["mps2_an500", "mps3_an547"])
def test_estimates_and_budgets_hold_on(name):
    target = load_target(name)
    build(name)
    report, costs = measure_costs(target)
    memory, sizes = memory_of(report), read_sizes(target)
    budgets = {b.name: b for b in check_budgets(target, costs, memory, sizes)}
    said = footprint(find_network(ARCHITECTURES["tiny"], target.layout), target)
    assert {"flash bytes", "ram bytes"} <= set(budgets)
    assert all(budget.passed for budget in budgets.values()), budgets
    assert said.instructions == pytest.approx(costs.frame, rel=0.05)
    assert said.flash == pytest.approx(budgets["flash bytes"].value, rel=0.03)
    assert said.ram == pytest.approx(budgets["ram bytes"].value, rel=0.05)
    assert said.stack == pytest.approx(memory["stack"], rel=0.1)
    assert 0 <= said.state - memory["state"] < 512
