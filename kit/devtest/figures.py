"""The numbers of a report, each with its unit and kind, and what is drawn of them."""

import dataclasses
import re
from collections.abc import Iterator

from kit.devtest.protocol import Bench, Record, Report
from kit.errors import DeviceError
from kit.report.facts import COUNTED, MEASURED, Figure

NS, INSTRUCTIONS = "ns", "instr"
_UNITS = {NS: ("us", MEASURED, 1000), INSTRUCTIONS: ("instructions", COUNTED, 1)}
_STATISTICS = {
    "mean": "mean",
    "p50": "median",
    "p99": "p99",
    "p999": "p99.9",
    "max": "worst",
    "late_max": "latest begin",
}
_ENOUGH_FOR_P99 = 200  # of fewer calls it is hardly another than the worst
_COUNTS = {"missed": "deadlines missed", "preempted": "interrupted by others"}
_BIN = re.compile(r"([0-9]{1,10})-([0-9]{1,10}):([0-9]{1,10})")
_COST = re.compile(r"[0-9]{1,10}")
_MOST_BINS = 1 << 16


@dataclasses.dataclass(frozen=True)
class Histogram:
    """How often costs occurred; bins: lowest, highest and how many, in `unit` (a key of UNITS)."""

    name: str
    unit: str
    bins: tuple[tuple[int, int, int], ...]


@dataclasses.dataclass(frozen=True)
class Timeline:
    """Costs in the order in which they came; points: median and worst, of `each` calls."""

    name: str
    unit: str
    each: int
    points: tuple[tuple[int, int], ...]


def unit_word(unit: str) -> tuple[str, int]:
    """What a unit of the protocol is shown in, and how many of it make one."""
    word, _, scale = _UNITS[unit]
    return word, scale


def figures_of(report: Report, emulated: bool) -> tuple[Figure, ...]:
    """Numbers of all measurements. Times of an emulator mean nothing and are left out.

    Raises DeviceError for a measurement with nonsense in it.
    """
    figures: list[Figure] = []
    for bench in report.benches:
        figures += _bench_figures(bench, emulated)
    return tuple(figures)


def _bench_figures(bench: Bench, emulated: bool) -> Iterator[Figure]:
    prefix, title = f"{bench.name}.{bench.mode}", f"{bench.name}, {bench.mode}"
    for key in bench.figures:
        statistic, _, unit = key.rpartition("_")
        if statistic == "p99" and bench.frames < _ENOUGH_FOR_P99:
            continue
        if statistic in _STATISTICS and unit in _UNITS and not (emulated and unit == NS):
            word, kind, scale = _UNITS[unit]
            value = bench.number(key) / scale if scale > 1 else bench.number(key)
            name = f"{title}: {_STATISTICS[statistic]}"
            yield Figure(f"{prefix}.{statistic}", name, value, word, kind)
        elif key in _COUNTS and not emulated:
            name = f"{title}: {_COUNTS[key]}"
            yield Figure(f"{prefix}.{key}", name, bench.number(key), "calls", MEASURED)
    if "period_ns" in bench.figures and not emulated:
        share = 100 * bench.number("mean_ns") / max(1, bench.number("period_ns"))
        name = f"{title}: share of a core"
        yield Figure(f"{prefix}.core", name, round(share, 3), "%", MEASURED)


def histograms_of(report: Report, emulated: bool) -> list[Histogram]:
    """Histograms of what was measured; costs that were told one by one make one, too."""
    found = []
    for record in report.records("PN_HISTOGRAM"):
        if _is_drawn(record, emulated):
            bins = tuple(_bin(text) for text in record.fields["bins"].split(",")[:_MOST_BINS])
            found.append(Histogram(_title(record), record.fields["unit"], bins))
    for record in report.records("PN_COSTS"):
        if _is_drawn(record, emulated):
            bins = tuple((cost, cost, 1) for cost in sorted(_costs(record)))
            found.append(Histogram(_title(record), record.fields["unit"], bins))
    return found


def timelines_of(report: Report, emulated: bool) -> list[Timeline]:
    """Round by round, and cost by cost where they were told one by one."""
    found = []
    for record in report.records("PN_COSTS"):
        if _is_drawn(record, emulated):
            points = tuple((cost, cost) for cost in _costs(record))
            found.append(Timeline(_title(record), record.fields["unit"], 1, points))
    rounds: dict[tuple[str, str, int], list[tuple[int, int]]] = {}
    for record in report.records("PN_ROUND"):
        unit = next((unit for unit in _UNITS if f"p50_{unit}" in record.fields), "")
        if unit and not (emulated and unit == NS):
            points = rounds.setdefault((_title(record), unit, record.number("n")), [])
            points.append((record.number(f"p50_{unit}"), record.number(f"max_{unit}")))
    found += [Timeline(*key, tuple(points)) for key, points in rounds.items()]
    return found


def _is_drawn(record: Record, emulated: bool) -> bool:
    unit = record.fields["unit"]
    if unit not in _UNITS:
        raise DeviceError(f"`{record.word}` has the unknown `unit={unit}`")
    return not (emulated and unit == NS)


def _title(record: Record) -> str:
    return f"{record.fields['name']}, {record.fields['mode']}"


def _bin(text: str) -> tuple[int, int, int]:
    match = _BIN.fullmatch(text)
    low, high, count = (int(word) for word in match.groups()) if match else (1, 0, 0)
    if low > high:
        raise DeviceError(f"`PN_HISTOGRAM` has the bin {text[:40]!r}", hint="LOW-HIGH:COUNT")
    return low, high, count


def _costs(record: Record) -> list[int]:
    words = record.fields["costs"].split(",")[:_MOST_BINS]
    if not all(_COST.fullmatch(word) for word in words):
        raise DeviceError("`PN_COSTS` has costs that are no whole numbers")
    return [int(word) for word in words]
