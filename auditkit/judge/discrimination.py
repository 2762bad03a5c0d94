"""Gate on discrimination: does the score tell clean from corrupted images?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.evidence import Estimate, Expected
from auditkit.judge.draft import Draft
from auditkit.judge.expected import expected_record
from auditkit.judge.prospects import of_area, together
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Column, Measurements, count_outcomes
from auditkit.protocol.model import DiscriminationFamily
from auditkit.stats.auroc import Auroc, auroc, auroc_test
from auditkit.vocabulary import Comparison, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORST_CLEAN, WORST_TREATED = 0.0, 100.0  # what a missing score counts as when a PASS is put to the test


def judge_discrimination(
    family: DiscriminationFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """AUROC of clean against each severity; the severities the protocol names are required, all are shown."""
    found: dict[str, list[Draft]] = {}
    for series in comparisons:
        if not isinstance(series, Series):
            raise AuditkitError(f"{series.name}: discrimination needs a Series, not a {type(series).__name__}")
        found[series.name] = [
            _draft(series, index, modality, family, data, rules)
            for modality in (ALL, *data.modalities)
            for index in range(len(series.severities))
        ]
    return found


def _draft(
    series: Series, index: int, modality: str, family: DiscriminationFamily, data: Measurements, rules: Rules
) -> Draft:
    template = rules.resolve_template(series.template)
    clean, treated = data.column(series.control, template), data.column(series.treated[index], template)
    mask, alpha = data.where(modality), rules.alpha(modality)
    clusters = data.clusters(mask)
    x, y = clean.scores[mask], treated.scores[mask]
    asked_x, asked_y = clean.outcomes[mask] >= 0, treated.outcomes[mask] >= 0
    result = auroc(x, y, clusters, clusters, alpha)
    minimum = rules.statistics.min_clusters_auroc
    p_pass, p_fail = auroc_test(result, family.floor, min_clusters=minimum)
    met = result.low > family.floor and p_pass <= alpha
    obstacle, worst = "", None
    if (asked_x & np.isnan(x)).any() or (asked_y & np.isnan(y)).any():
        worst = _with_missing_at_worst(x, y, asked_x, asked_y, clusters, alpha)
        p_pass = max(p_pass, auroc_test(worst, family.floor, min_clusters=minimum)[0])
        if met and worst.low <= family.floor:
            met, obstacle = False, "with the missing scores counted as wrong the floor is no longer met"
    severity = series.severities[index]

    def settle(fail_alpha: float) -> int | None:
        every = [of_area(area, family.floor, (rules.protocol.alpha, fail_alpha), minimum) for area in areas]
        if not every[0].fails and every[-1].fails:
            return None  # the missing scores alone keep it open
        return together(every[:1] if every[0].fails else every)

    areas = [result] if worst is None else [result, worst]
    return Draft(
        modality=modality,
        condition=f"severity {severity}",
        estimate=_estimate(result),
        met=met,
        p_pass=p_pass,
        p_fail=p_fail,
        margin_low=family.floor,
        required=severity in family.severities and modality != ALL,
        obstacle=obstacle,
        expected=_expected(clean, treated, mask, clusters, alpha),
        n_images=_both(x, y),
        n_clusters=result.n_clusters,
        outcomes=count_outcomes(treated.outcomes[mask]),
        control_outcomes=count_outcomes(clean.outcomes[mask]),
        worst_case=_estimate(worst) if worst is not None else None,
        settle=settle,
        rule="too few clusters" if result.n_clusters < minimum else "clustered AUROC, logit t and skewness",
    )


def _expected(
    clean: Column, treated: Column, mask: NDArray[np.bool_], clusters: NDArray[np.int64], alpha: float
) -> Expected | None:
    """Return the area between expected scores; None without log-probabilities."""
    x, y = clean.expected[mask], treated.expected[mask]
    n = _both(x, y)
    if not n:
        return None
    result = auroc(x, y, clusters, clusters, alpha)
    return expected_record(_estimate(result), [treated], clean, mask, (n, result.n_clusters))


def _both(x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    return int((np.isfinite(x) & np.isfinite(y)).sum())


def _with_missing_at_worst(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    asked_x: NDArray[np.bool_],
    asked_y: NDArray[np.bool_],
    clusters: NDArray[np.int64],
    alpha: float,
) -> Auroc:
    return auroc(
        np.where(asked_x & np.isnan(x), WORST_CLEAN, x),
        np.where(asked_y & np.isnan(y), WORST_TREATED, y),
        clusters,
        clusters,
        alpha,
    )


def _estimate(result: Auroc) -> Estimate:
    return Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit="AUROC")
