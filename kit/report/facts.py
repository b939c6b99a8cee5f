"""What a report tells, as plain data. Every number says its kind: what it is worth."""

import dataclasses

import numpy as np

MEASURED = "measured on the device"
COUNTED = "counted under emulation"
TOLD = "told by the program"
BUILT = "read from the build"

PASS, FAIL, INVALID = "pass", "FAIL", "invalid"


@dataclasses.dataclass(frozen=True)
class Check:
    """One yes-or-no result; `detail` says what was compared."""

    name: str
    passed: bool
    detail: str = ""


@dataclasses.dataclass(frozen=True)
class Bar:
    """One bar of a chart, in the chart's unit."""

    name: str
    value: float


@dataclasses.dataclass(frozen=True)
class Budget:
    """A measured figure against its limit; kind: one of those above."""

    name: str
    value: float
    limit: float
    unit: str
    kind: str = ""

    @property
    def passed(self) -> bool:
        """Whether the figure is within the limit."""
        return self.value <= self.limit

    @property
    def percent(self) -> float:
        """The figure as a share of the limit."""
        return 100.0 * self.value / self.limit


@dataclasses.dataclass(frozen=True)
class Figure:
    """A number of a run. key: its name from run to run; earlier: what it was in another one."""

    key: str
    name: str
    value: float
    unit: str
    kind: str
    earlier: float | None = None

    @property
    def change(self) -> str:
        """The difference to the earlier run, in per cent of that where it can be."""
        if self.earlier is None:
            return ""
        difference = self.value - self.earlier
        if not difference:
            return "same"
        return f"{100 * difference / self.earlier:+.1f} %" if self.earlier else f"{difference:+g}"


@dataclasses.dataclass(frozen=True)
class Chart:
    """A plot, as SVG, and what it shows."""

    name: str
    caption: str
    svg: bytes


@dataclasses.dataclass(frozen=True)
class Recording:
    """A sound to see and hear: `pcm` int16, shape (n,)."""

    name: str
    caption: str
    pcm: np.ndarray


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything on the page. facts: label to value, in order; stages: a frame's cost by part;
    layers: by stage and layer.

    verdict: PASS, FAIL or INVALID, where more than checks and budgets decides it; reasons: why.
    earlier: which run `figures` are compared with, or why they are not.
    """

    title: str
    subtitle: str
    facts: dict[str, str]
    checks: tuple[Check, ...]
    recordings: tuple[Recording, ...]
    stages: tuple[Bar, ...]
    stages_unit: str
    stages_note: str
    sizes: tuple[Bar, ...]
    budgets: tuple[Budget, ...]
    steps: tuple[tuple[str, float], ...]
    sample_rate_hz: int = 48000
    verdict: str = ""
    reasons: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    earlier: str = ""
    charts: tuple[Chart, ...] = ()
    layers: tuple[Bar, ...] = ()
    layers_unit: str = ""

    @property
    def passed(self) -> bool:
        """Whether every check and every budget holds."""
        if self.verdict:
            return self.verdict == PASS
        return all(check.passed for check in self.checks) and all(b.passed for b in self.budgets)
