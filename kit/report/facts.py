"""What a report tells, as plain data."""

import dataclasses

import numpy as np


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
    value: int


@dataclasses.dataclass(frozen=True)
class Budget:
    """A measured figure against its limit."""

    name: str
    value: int
    limit: int
    unit: str

    @property
    def passed(self) -> bool:
        """Whether the figure is within the limit."""
        return self.value <= self.limit

    @property
    def percent(self) -> float:
        """The figure as a share of the limit."""
        return 100.0 * self.value / self.limit


@dataclasses.dataclass(frozen=True)
class Recording:
    """A sound to see and hear: `pcm` int16, shape (n,)."""

    name: str
    caption: str
    pcm: np.ndarray


@dataclasses.dataclass(frozen=True)
class Facts:
    """Everything on the page. facts: label to value, in order; stages: a frame's cost by part."""

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

    @property
    def passed(self) -> bool:
        """Whether every check and every budget holds."""
        return all(check.passed for check in self.checks) and all(b.passed for b in self.budgets)
