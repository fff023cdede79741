"""A measured figure beside its target."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """``value`` in ``unit``; the target is a bound from above, or from below if ``at_least``."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False

    def __str__(self) -> str:
        text = f"{self.name}: {self.value:.3g} {self.unit}"
        if self.target is None:
            return text
        met = self.value >= self.target if self.at_least else self.value <= self.target
        bound = "at least" if self.at_least else "at most"
        return f"{text} (target {bound} {self.target:g}: {'met' if met else 'MISSED'})"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
