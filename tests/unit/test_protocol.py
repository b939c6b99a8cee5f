"""The line protocol: what a report is made of, and everything that makes one unbelievable."""

import itertools

import pytest

from kit.devtest import protocol
from kit.devtest.protocol import is_last, parse_line, read_report
from kit.errors import DeviceError

BOOT = "PN_BOOT run=8f3a fw=1ce7 model=9b1c isa=mve"
GOOD = [
    "a remark before",
    BOOT,
    "PN_TEST name=golden result=pass frames=16",
    "PN_BENCH name=frame mode=burst n=100 instr=612345 out_crc=5a17c0de",
    "PN_DONE bad=0",
    "never read",
]


def test_a_report_holds_boot_tests_benches_and_remarks() -> None:
    report = read_report(GOOD, "8f3a")
    assert report.passed
    assert report.boot["isa"] == "mve"
    assert [(t.name, t.result, t.details) for t in report.tests] == [
        ("golden", "pass", {"frames": "16"})
    ]
    assert report.benches[0].frames == 100
    assert report.benches[0].figures == {"instr": "612345", "out_crc": "5a17c0de"}
    assert report.remarks == ("a remark before",)


def test_a_failed_test_makes_a_bad_report() -> None:
    report = read_report([BOOT, "PN_TEST name=x result=fail", "PN_DONE bad=1"], "8f3a")
    assert not report.passed


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([BOOT.replace("8f3a", "0000"), "PN_DONE bad=0"], "another run"),
        (["PN_DONE bad=0"], "before `PN_BOOT`"),
        ([BOOT], "without `PN_DONE`"),
        ([], "without `PN_DONE`"),
        ([BOOT, "PN_TEST name=x result=fail", "PN_DONE bad=0"], "1 tests failed"),
        ([BOOT, "PN_FAULT kind=bus_fault detail=pc_0"], "stopped: bus_fault"),
        ([BOOT, "PN_TEST name=x result=maybe"], "result=maybe"),
        ([BOOT, "PN_TEST name=x"], "lacks `result=`"),
        ([BOOT, "PN_DONE bad=none"], "no whole number"),
        ([BOOT, f"PN_DONE bad={'9' * 5000}"], "no whole number"),
        ([BOOT, "PN_HISTOGRAM name=frame mode=paced unit=ns"], "lacks `bins=`"),
        ([BOOT, "PN_TEST name=x name=y result=pass"], "twice"),
        ([BOOT, "PN_TEST name=x resultpass"], "not a protocol line"),
        (["PN_BOOT run=8f3a fw=1"], "lacks `model=`"),
    ],
)
def test_an_unbelievable_report_is_refused(lines: list[str], words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        read_report(lines, "8f3a")


def test_a_program_that_talks_without_end_is_given_up() -> None:
    with pytest.raises(DeviceError, match="^1000000 lines came, and no `PN_DONE` among them"):
        read_report(itertools.chain([BOOT], itertools.repeat("la")), "8f3a")


def test_as_many_remarks_are_read_as_there_may_be(monkeypatch) -> None:
    monkeypatch.setattr(protocol, "MOST_REMARKS", 5)
    done = [BOOT, "PN_DONE bad=0"]
    assert read_report(["la"] * 5 + done, "8f3a").passed
    with pytest.raises(DeviceError, match="5 lines came"):
        read_report(["la"] * 6 + done, "8f3a")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("PN_FAULT kind=isa detail=sse9", "instruction set `sse9`"),
        ("PN_FAULT kind=flash detail=a.flash", "the file `a.flash`"),
        ("PN_FAULT kind=hard_fault detail=pc_0", "the program stopped: hard_fault"),
    ],
)
def test_a_fault_is_told_before_and_after_boot(line: str, words: str) -> None:
    for lines in ([line], [BOOT, line]):
        with pytest.raises(DeviceError, match=words):
            read_report(lines, "8f3a")


def test_a_report_without_an_end_shows_its_last_words() -> None:
    with pytest.raises(DeviceError) as caught:
        read_report([BOOT, *"abcdefg"], "8f3a")
    assert caught.value.hint == "c\nd\ne\nf\ng"


def test_numbers_are_whole_and_may_be_negative() -> None:
    lines = [BOOT, "PN_BENCH name=x mode=burst n=1 a=-5 b=1.5 c=", "PN_DONE bad=0"]
    bench = read_report(lines, "8f3a").benches[0]
    assert bench.number("a") == -5
    for key in ("b", "c", "missing"):
        with pytest.raises(DeviceError, match="no whole number"):
            bench.number(key)


def test_more_may_be_bad_than_tests_failed() -> None:
    assert read_report([BOOT, "PN_DONE bad=2"], "8f3a").bad == 2


def test_remarks_are_no_records() -> None:
    assert parse_line("hello PN_TEST name=x") is None
    assert parse_line("PN_EXTRA key=value") is not None


def test_more_records_of_a_report_are_found_by_their_word() -> None:
    rounds = [f"PN_ROUND name=frame mode=burst n=1 missed={n} crc=0" for n in range(2)]
    report = read_report([BOOT, *rounds, "PN_ROUNDS left=9", "PN_DONE bad=0"], "8f3a")
    assert [record.number("missed") for record in report.records("PN_ROUND")] == [0, 1]


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parse_line("PN_EXTRA sum=a=b=c other=d").fields == {"sum": "a=b=c", "other": "d"}


def test_only_done_is_last() -> None:
    assert is_last("PN_DONE bad=3")
    assert not is_last("PN_TEST name=PN_DONE result=pass")
