"""The result of an evaluation: every question's figures, from which all others are reckoned."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from rag_platform.errors import InvalidRequest
from rag_platform.evaluation.intervals import (
    Estimate,
    Values,
    group_mean_estimates,
    mean_estimates,
    percentile_estimates,
)
from rag_platform.evaluation.runner import PLATFORM, SYSTEMS, Outcome

_FORMAT = 1
PERCENTS = (50, 95, 99)
_FEW = 10
"""Up to so many documents each has its own figures."""

LATENCY = "milliseconds"


@dataclass(frozen=True)
class Result:
    """What was asked, how, and the figures of each question."""

    dataset: str
    dataset_digest: str
    kind: str
    split: str
    half: int | None
    documents: int
    budget: int
    min_overlap: float
    recipe: str
    generation: dict[str, Any]
    """The whole spec of the index that was searched."""
    settings: dict[str, dict[str, Any]]
    """The settings of the search, by system."""
    figures: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...]
    problems: tuple[str, ...]
    """Places of the dataset that could not be found in the documents."""
    created_at: str

    def values(self, system: str = PLATFORM) -> Values:
        """The figures of a system, shape (questions, figures)."""
        return np.array([[o.figures[system][f] for f in self.figures] for o in self.outcomes])

    @property
    def milliseconds(self) -> Values:
        """What each search took, shape (questions,)."""
        return np.array([outcome.milliseconds for outcome in self.outcomes])

    def estimates(self, system: str = PLATFORM) -> dict[str, Estimate]:
        """The mean of each figure."""
        return self._named(mean_estimates(self.values(system)))

    def differences(self, other: str) -> dict[str, Estimate]:
        """By how much the platform's settings are better than another system, in pairs."""
        return self._named(mean_estimates(self.values() - self.values(other)))

    def latencies(self) -> dict[str, Estimate]:
        """The percentiles of what a search took, in milliseconds."""
        found = percentile_estimates(self.milliseconds, PERCENTS)
        return {f"p{percent}": one for percent, one in zip(PERCENTS, found, strict=True)}

    @property
    def groups(self) -> dict[str, list[int]]:
        """The questions of each document, where there are few documents; else nothing."""
        groups: dict[str, list[int]] = {}
        for number, outcome in enumerate(self.outcomes):
            groups.setdefault(outcome.group, []).append(number)
        return dict(sorted(groups.items())) if 1 < len(groups) <= _FEW else {}

    def group_estimates(self, system: str = PLATFORM) -> dict[str, dict[str, Estimate]]:
        """The means of each document's questions, and under an empty name the mean of those."""
        values = self.values(system)
        parts = {name: values[numbers] for name, numbers in self.groups.items()}
        if not parts:
            return {}
        own = {name: self._named(mean_estimates(part)) for name, part in parts.items()}
        return {**own, "": self._named(group_mean_estimates(parts.values()))}

    def _named(self, estimates: Sequence[Estimate]) -> dict[str, Estimate]:
        return dict(zip(self.figures, estimates, strict=True))

    def to_json(self) -> str:
        """The result with its means and intervals, for files and other programs."""
        values = {
            "format": _FORMAT,
            **asdict(self),
            "estimates": {
                name: {f: asdict(e) for f, e in self.estimates(name).items()} for name in SYSTEMS
            },
            "by_document": {
                name: {
                    document or "mean": {f: asdict(e) for f, e in found.items()}
                    for document, found in self.group_estimates(name).items()
                }
                for name in SYSTEMS
            },
            "latencies": {name: asdict(one) for name, one in self.latencies().items()},
        }
        return json.dumps(values, ensure_ascii=False, indent=1)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``to_json`` wrote. Raises :class:`InvalidRequest` where it did not."""
        remedy = "Give a file that rag eval DATASET --output FILE wrote."
        try:
            values: Any = json.loads(path.read_bytes())
        except OSError as error:
            raise InvalidRequest(f"{path} cannot be read: {error.strerror}.", remedy) from error
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(f"{path} is no result of an evaluation.", remedy) from error
        if not isinstance(values, dict) or "format" not in values:
            raise InvalidRequest(f"{path} is no result of an evaluation.", remedy)
        if values["format"] != _FORMAT:
            raise InvalidRequest(
                f"{path} was written by another version of rag eval.", "Evaluate again."
            )
        try:
            fields: dict[str, Any] = {name: values[name] for name in cls.__dataclass_fields__}
            fields["outcomes"] = tuple(Outcome(**outcome) for outcome in fields["outcomes"])
            for name in ("figures", "notes", "problems"):
                fields[name] = tuple(fields[name])
            result = cls(**fields)
            complete = len(result.outcomes) > 0 and all(
                np.isfinite(result.values(system)).all() for system in SYSTEMS
            )
            complete = complete and bool(np.isfinite(result.milliseconds).all())
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidRequest(f"{path} is damaged.", "Evaluate again.") from error
        if not complete:
            raise InvalidRequest(f"{path} is damaged.", "Evaluate again.")
        return result


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of two results, and the second less the first."""

    first: float
    second: float
    difference: Estimate


def compare(one: Result, other: Result) -> dict[str, Compared]:
    """The figures of the platform's settings in two results, in pairs by question.

    Raises :class:`InvalidRequest` where they are not of the same questions.
    """
    for what, mine, its in (
        ("datasets", one.dataset_digest, other.dataset_digest),
        ("splits", one.split, other.split),
        ("halves", one.half, other.half),
        ("budgets", one.budget, other.budget),
        ("overlaps", one.min_overlap, other.min_overlap),
    ):
        if mine != its:
            raise InvalidRequest(
                f"The results cannot be compared: their {what} differ "
                f"({_of(one, mine)} and {_of(other, its)}).",
                "Compare two evaluations of the same questions, judged alike.",
            )
    ours = {outcome.id: number for number, outcome in enumerate(one.outcomes)}
    theirs = {outcome.id: number for number, outcome in enumerate(other.outcomes)}
    both = [name for name in ours if name in theirs]
    if not both or one.figures != other.figures:
        raise InvalidRequest(
            "The results have no question in common.",
            "Compare two evaluations of the same questions.",
        )
    first = _with_latency(one)[[ours[name] for name in both]]
    second = _with_latency(other)[[theirs[name] for name in both]]
    differences = mean_estimates(second - first)
    return {
        name: Compared(float(before), float(after), difference)
        for name, before, after, difference in zip(
            (*one.figures, LATENCY),
            first.mean(axis=0),
            second.mean(axis=0),
            differences,
            strict=True,
        )
    }


def _of(result: Result, value: object) -> str:
    return result.dataset if isinstance(value, str) else str(value or "whole")


def _with_latency(result: Result) -> Values:
    return np.column_stack([result.values(), result.milliseconds])
