"""The line protocol of test and benchmark programs: `PN_WORD key=value ...`, one record a line.

    PN_BOOT run=8f3a01bc fw=1ce765995707 model=9b1c isa=mve
    PN_TEST name=golden_frames result=pass
    PN_BENCH name=frame mode=burst n=100 instr=612345 out_crc=5a17c0de
    PN_ROUND name=frame mode=paced n=100 p50_ns=68618 max_ns=116598 missed=0 crc=662f36bb
    PN_HISTOGRAM name=frame mode=paced unit=ns bins=61440-62463:2,62464-63487:11
    PN_COSTS name=frame mode=burst unit=instr costs=405719,405812
    PN_MEMORY state=43712 stack=5024
    PN_CLOCK source=dwt
    PN_FAULT kind=bus_fault detail=pc_0000020c_cfsr_00008200
    PN_DONE bad=0

Other lines are remarks. A report is complete when its first record is PN_BOOT with the run's own
id, so that the words of firmware from an earlier run are rejected, and its last is PN_DONE.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping

from kit.errors import DeviceError

_RECORD = re.compile(r"(PN_[A-Z]+)((?: [a-z0-9_]+=\S*)*)\s*")
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_REQUIRED = {
    "PN_BOOT": ("run", "fw", "model", "isa"),
    "PN_TEST": ("name", "result"),
    "PN_BENCH": ("name", "mode", "n"),
    "PN_ROUND": ("name", "mode", "n", "missed", "crc"),
    "PN_HISTOGRAM": ("name", "mode", "unit", "bins"),
    "PN_COSTS": ("name", "mode", "unit", "costs"),
    "PN_MEMORY": ("state", "stack"),
    "PN_CLOCK": ("source",),
    "PN_FAULT": ("kind", "detail"),
    "PN_DONE": ("bad",),
}
MOST_REMARKS = 1_000_000
_RESULTS = ("pass", "fail", "skip")


@dataclasses.dataclass(frozen=True)
class Record:
    """One protocol line: its word, and its fields as text."""

    word: str
    fields: Mapping[str, str]

    def number(self, key: str) -> int:
        """A field as a whole number. Raises DeviceError when it is missing or none."""
        return _number(self.word, self.fields, key)


@dataclasses.dataclass(frozen=True)
class Test:
    """One test's verdict: pass, fail or skip; everything else that its line said."""

    name: str
    result: str
    details: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Bench:
    """One measurement: n frames in a mode (burst, paced), and its figures by key."""

    name: str
    mode: str
    frames: int
    figures: Mapping[str, str]

    def number(self, key: str) -> int:
        """A figure as a whole number. Raises DeviceError when it is missing or none."""
        return _number(f"PN_BENCH name={self.name}", self.figures, key)


@dataclasses.dataclass(frozen=True)
class Report:
    """A whole run: what ran (run, fw, model, isa), tests, measurements, bad checks."""

    boot: Mapping[str, str]
    tests: tuple[Test, ...]
    benches: tuple[Bench, ...]
    remarks: tuple[str, ...]
    bad: int

    @property
    def passed(self) -> bool:
        """Nothing was bad."""
        return self.bad == 0

    def records(self, word: str) -> list[Record]:
        """Records among the remarks: PN_ROUND, PN_MEMORY and others that add to the report."""
        found = [parse_line(line) for line in self.remarks if line.startswith(f"{word} ")]
        return [record for record in found if record]


def _number(where: str, fields: Mapping[str, str], key: str) -> int:
    value = fields.get(key, "")
    if not _NUMBER.fullmatch(value):
        raise DeviceError(f"`{where}` has `{key}={value}`, which is no whole number")
    return int(value)


def is_last(line: str) -> bool:
    """Whether nothing of interest follows this line."""
    return line.startswith("PN_DONE ")


def parse_line(line: str) -> Record | None:
    """The record in a line, None for a remark. Raises DeviceError for a record that is broken."""
    if not line.startswith("PN_"):
        return None
    match = _RECORD.fullmatch(line)
    if match is None:
        raise DeviceError(f"not a protocol line: {line!r}")
    pairs = [pair.split("=", 1) for pair in match[2].split()]
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DeviceError(f"a key appears twice: {line!r}")
    if missing := [key for key in _REQUIRED.get(match[1], ()) if key not in fields]:
        raise DeviceError(f"`{match[1]}` lacks `{missing[0]}=`: {line!r}")
    return Record(match[1], fields)


def read_report(lines: Iterable[str], run_id: str) -> Report:
    """Read the lines of one run to its PN_DONE.

    Raises DeviceError for a foreign run id, a fault, an end without PN_DONE, a broken record, or a
    count of bad checks lower than the failed tests; and when no end is to be seen.
    """
    boot: Mapping[str, str] = {}
    tests, benches, remarks = [], [], []
    for line in lines:
        if len(remarks) > MOST_REMARKS:
            raise DeviceError(f"{MOST_REMARKS} lines came, and no `PN_DONE` among them")
        record = parse_line(line)
        if record is None:
            remarks.append(line)
        elif record.word == "PN_BOOT":
            boot = _boot(record, run_id)
        elif record.word == "PN_FAULT":
            raise fault(record)
        elif not boot:
            raise DeviceError(f"`{record.word}` came before `PN_BOOT`: {line!r}")
        elif record.word == "PN_TEST":
            tests.append(_test(record))
        elif record.word == "PN_BENCH":
            benches.append(_bench(record))
        elif record.word == "PN_DONE":
            return _finish(boot, tests, benches, remarks, record.number("bad"))
        else:
            remarks.append(line)
    raise DeviceError("the program ended without `PN_DONE`", hint="\n".join(remarks[-5:]))


def fault(record: Record) -> DeviceError:
    """The error that a `PN_FAULT` tells of."""
    kind, detail = record.fields["kind"], record.fields["detail"]
    if kind == "isa":
        return DeviceError(
            f"instruction set `{detail}`: unknown, not in this build, or not in this processor",
            hint="leave it out to get the best one; what builds have: ./tools/percepnet targets",
        )
    if kind == "flash":
        return DeviceError(
            f"the file `{detail}`, which stands for its flash, cannot be used",
            hint="free space where it is; if it is none of this kit's, move it away",
        )
    return DeviceError(f"the program stopped: {kind}", hint=detail)


def _boot(record: Record, run_id: str) -> Mapping[str, str]:
    if record.fields["run"] != run_id:
        raise DeviceError(
            f"this is another run: `{record.fields['run']}` instead of `{run_id}`",
            hint="the device still runs older firmware: flash again",
        )
    return record.fields


def _test(record: Record) -> Test:
    details = dict(record.fields)
    name, result = details.pop("name"), details.pop("result")
    if result not in _RESULTS:
        raise DeviceError(
            f"test `{name}` says `result={result}`", hint=f"known: {', '.join(_RESULTS)}"
        )
    return Test(name, result, details)


def _bench(record: Record) -> Bench:
    figures = dict(record.fields)
    frames = record.number("n")
    del figures["n"]
    return Bench(figures.pop("name"), figures.pop("mode"), frames, figures)


def _finish(
    boot: Mapping[str, str], tests: list[Test], benches: list[Bench], remarks: list[str], bad: int
) -> Report:
    failed = sum(test.result == "fail" for test in tests)
    if bad < failed:
        raise DeviceError(f"`PN_DONE bad={bad}`, but {failed} tests failed")
    return Report(boot, tuple(tests), tuple(benches), tuple(remarks), bad)
