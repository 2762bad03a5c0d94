"""What the gates on means decide about: differences and slopes, and what the missing ones can at most have been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.judge.draft import Adverse
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Column, Measurements
from auditkit.stats.trend import slope_range, slopes
from auditkit.vocabulary import Comparison, Condition, Contrast, Series, Wordings

if TYPE_CHECKING:
    from numpy.typing import NDArray

Side = Literal["lowest", "highest"]
TOP = 100.0


@dataclass(frozen=True, slots=True)
class DecisionColumn:
    """One decision to take, with a value for every image.

    Attributes
    ----------
    comparison, condition : str
        Where it belongs.
    values : ndarray, shape (n,)
        Differences of scores in points, or slopes; NaN where a score is missing.
    asked : ndarray of bool, shape (n,)
        Where the questions are part of the plan.
    lowest, highest : ndarray, shape (n,)
        The least and the most that a missing value can have been.
    expected : ndarray, shape (n,)
        The same as ``values``, from expected scores.
    treated : Condition
        The condition that is blamed.
    treated_answers : tuple of Column
        The answers to it; of a slope, those at every severity.
    control_answers : Column
        The answers it is compared with.
    templates : (str, str)
        Of treated and control, where they are not the comparison's.
    """

    comparison: str
    condition: str
    values: NDArray[np.float64]
    asked: NDArray[np.bool_]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    expected: NDArray[np.float64]
    treated: Condition
    treated_answers: tuple[Column, ...]
    control_answers: Column
    templates: tuple[str, str] = ("", "")

    def at(self, image: int) -> Adverse:
        """The answer of one image, as a case to show."""
        return Adverse(image, self.treated, *self.templates)


def contrast_columns(comparisons: Sequence[Comparison], data: Measurements, rules: Rules) -> list[DecisionColumn]:
    """Return treated minus control of every contrast, and of every severity of a series."""
    columns = []
    for comparison in comparisons:
        if isinstance(comparison, Series):
            pairs = [(f"severity {c.severity}", c, comparison.control) for c in comparison.treated]
        elif isinstance(comparison, Contrast):
            pairs = [("", comparison.treated, comparison.control)]
        else:
            raise AuditkitError(f"{comparison.name}: this gate needs a Contrast or a Series")
        template = rules.resolve_template(comparison.template)
        for label, treated, control in pairs:
            a, b = data.column(treated, template), data.column(control, template)
            columns.append(difference(comparison.name, label, (a, b), treated, rules))
    return columns


def wording_columns(comparisons: Sequence[Comparison], data: Measurements, rules: Rules) -> list[DecisionColumn]:
    """Return the difference of every pair of wordings."""
    columns = []
    for wordings in comparisons:
        if not isinstance(wordings, Wordings):
            raise AuditkitError(f"{wordings.name}: this gate needs Wordings, not a {type(wordings).__name__}")
        for first, second in combinations(wordings.templates, 2):
            pair = data.column(wordings.condition, second), data.column(wordings.condition, first)
            label = f"{second} vs {first}"
            columns.append(difference(wordings.name, label, pair, wordings.condition, rules, (second, first)))
    return columns


def step_columns(comparisons: Sequence[Comparison], data: Measurements, rules: Rules) -> list[DecisionColumn]:
    """Return the change from every severity of a series to the next, the clean image first."""
    columns = []
    for series in _series(comparisons):
        template = rules.resolve_template(series.template)
        for before, after in pairwise((series.control, *series.treated)):
            pair = data.column(after, template), data.column(before, template)
            label = f"severity {before.severity} to {after.severity}"
            columns.append(difference(series.name, label, pair, after, rules))
    return columns


def slope_columns(
    comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> tuple[list[DecisionColumn], float]:
    """Return the slope over severity of every series, and the steepest that a slope can be."""
    columns, steepest = [], TOP
    for series in _series(comparisons):
        template = rules.resolve_template(series.template)
        steps = np.array([0, *series.severities], dtype=float)
        answers = [data.column(c, template) for c in (series.control, *series.treated)]
        scores = np.stack([a.scores for a in answers], axis=1)
        expected = np.stack([a.expected for a in answers], axis=1)
        known = np.isfinite(scores)
        rising = np.where(steps > steps.mean(), TOP, 0.0)
        # Of an image without any score nothing is known: it counts as no fall.
        highest, lowest = (
            np.where(known.any(axis=1), slopes(np.where(known, scores, end), steps), 0.0)
            for end in (rising, TOP - rising)
        )
        asked = np.logical_and.reduce([a.outcomes >= 0 for a in answers])
        columns.append(
            DecisionColumn(
                comparison=series.name,
                condition="",
                values=_complete_slopes(scores, steps),
                asked=asked,
                lowest=lowest,
                highest=highest,
                expected=_complete_slopes(expected, steps),
                treated=series.treated[-1],
                treated_answers=tuple(answers[1:]),
                control_answers=answers[0],
            )
        )
        steepest = slope_range(steps, complete=True)
    return columns, steepest


def _complete_slopes(scores: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """A slope over fewer points than declared would compare images by different severities."""
    return np.where(np.isfinite(scores).all(axis=1), slopes(scores, steps), np.nan)


def difference(
    name: str,
    label: str,
    pair: tuple[Column, Column],
    treated: Condition,
    rules: Rules,
    templates: tuple[str, str] = ("", ""),
) -> DecisionColumn:
    """Return treated minus control; where one is missing, the other says how far the difference can have gone."""
    a, b = pair
    unknown = rules.statistics.missing_points
    no_treated, no_control = np.isnan(a.scores), np.isnan(b.scores)
    least = np.where(no_treated, 0.0, a.scores) - np.where(no_control, TOP, b.scores)
    most = np.where(no_treated, TOP, a.scores) - np.where(no_control, 0.0, b.scores)
    neither = no_treated & no_control
    return DecisionColumn(
        comparison=name,
        condition=label,
        values=a.scores - b.scores,
        asked=(a.outcomes >= 0) & (b.outcomes >= 0),
        lowest=np.where(neither, -unknown, least),
        highest=np.where(neither, unknown, most),
        expected=a.expected - b.expected,
        treated=treated,
        treated_answers=(a,),
        control_answers=b,
        templates=templates,
    )


def _series(comparisons: Sequence[Comparison]) -> Iterator[Series]:
    for series in comparisons:
        if not isinstance(series, Series):
            raise AuditkitError(f"{series.name}: this gate needs a Series, not a {type(series).__name__}")
        yield series
