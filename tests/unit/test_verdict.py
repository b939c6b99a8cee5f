"""The verdict on a run: what fails it, what makes its times invalid, and what neither does."""

import dataclasses

import pytest

from kit.device.vitals import DISTURBED
from kit.devtest.parallel import Run
from kit.devtest.protocol import read_report
from kit.devtest.verdict import judge
from kit.measure import Paced
from kit.report.facts import BUILT, FAIL, INVALID, MEASURED, PASS, Budget
from kit.target import load_target

TARGET = load_target("pixel_6a")
CALM = Paced(frames=1000, core_percent=2.0, p999_us=900.0, missed=0, preempted=1, late_us=300.0)
FAST = Budget("p999 us", 900, 4000, "us", MEASURED)
SLOW = Budget("p999 us", 4001, 4000, "us", MEASURED)
SMALL = Budget("state bytes", 10, 20, "bytes", BUILT)
LARGE = Budget("state bytes", 21, 20, "bytes", BUILT)
THROTTLED = {DISTURBED: "the device throttles: thermal status 2"}


def run_of(*lines: str, bad: int = 0, code: int = 0, **facts: object) -> Run:
    report = read_report(["PN_BOOT run=1 fw=f model=m isa=neon", *lines, f"PN_DONE bad={bad}"], "1")
    return Run("phone", "pixel_6a", 1.0, "bench", report=report, exit_code=code, **facts)


def word(run: Run, *budgets: Budget, paced: Paced | None = CALM, emulated: bool = False) -> str:
    return judge(run, TARGET, budgets, paced, emulated).word


def test_budgets_that_hold_and_tests_that_pass_are_a_pass() -> None:
    verdict = judge(run_of("PN_TEST name=a result=pass"), TARGET, [FAST, SMALL], CALM, False)
    assert (verdict.word, verdict.reasons, verdict.unjudged) == (PASS, (), "")


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (run_of("PN_TEST name=a result=fail", bad=1, code=1), "test `a` failed"),
        (run_of(bad=2, code=1), "2 more checks are bad"),
        (run_of(code=3), "exit code 3"),
    ],
)
def test_a_bad_check_fails_the_run_and_is_named(run: Run, reason: str) -> None:
    verdict = judge(run, TARGET, [FAST], CALM, False)
    assert (verdict.word, verdict.reasons) == (FAIL, (reason,))


def test_a_budget_that_is_exceeded_fails_the_run_with_its_figures() -> None:
    verdict = judge(run_of(), TARGET, [SLOW, LARGE], CALM, False)
    assert verdict.word == FAIL
    assert verdict.reasons == ("state bytes: 21 of 20 bytes", "p999 us: 4001 of 4000 us")


@pytest.mark.parametrize("when", ["before", "after"])
def test_times_of_a_device_that_throttles_are_invalid_even_if_good(when: str) -> None:
    verdict = judge(run_of(**{when: THROTTLED}), TARGET, [FAST, SMALL], CALM, False)
    assert (verdict.word, verdict.reasons) == (INVALID, (THROTTLED[DISTURBED],))


def test_throttling_excuses_no_bad_check_and_no_bytes() -> None:
    assert word(run_of(before=THROTTLED), FAST, LARGE) == FAIL
    assert word(run_of(bad=1, code=1, before=THROTTLED), FAST) == FAIL


def test_throttling_does_not_matter_where_no_time_was_taken() -> None:
    assert word(run_of(before=THROTTLED), SMALL, paced=None) == PASS


@pytest.mark.parametrize(
    ("disturbed", "reason"),
    [
        ({"preempted": 2}, "others had the processor in 2 of 1000 frames"),
        ({"late_us": 7000.0}, "a frame began 7.0 ms late"),
    ],
)
def test_others_on_the_processor_make_bad_times_invalid_and_good_ones_not(
    disturbed: dict[str, float], reason: str
) -> None:
    paced = dataclasses.replace(CALM, **disturbed)
    verdict = judge(run_of(), TARGET, [SLOW], paced, False)
    assert verdict.word == INVALID
    assert verdict.reasons[0] == reason
    assert word(run_of(), SLOW) == FAIL
    assert word(run_of(), FAST, paced=paced) == PASS


def test_budgets_of_time_without_a_measurement_are_named() -> None:
    on_emulator = judge(run_of(), TARGET, [SMALL], None, True)
    assert on_emulator.word == PASS
    assert on_emulator.unjudged.startswith("core percent, p999 us, missed: an emulator's times")
    unpaced = judge(run_of(), TARGET, [SMALL], None, False)
    assert unpaced.unjudged.endswith("no paced frames were measured")
    assert judge(run_of(), load_target("mps3_an547"), [SMALL], None, True).unjudged == ""
