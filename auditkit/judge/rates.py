"""Gates on shares of images: unusable answers, their difference between conditions, and changed answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditkit.errors import AuditkitError
from auditkit.evidence import Estimate
from auditkit.judge.draft import Adverse, Draft
from auditkit.judge.means import SHOWN_CASES
from auditkit.judge.prospects import of_share
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Column, Measurements, count_outcomes
from auditkit.protocol.model import AgreementFamily, RateDifferenceFamily, RateFamily
from auditkit.stats.proportion import Proportion
from auditkit.stats.rates import against_cap, clustered_rate, rate_difference
from auditkit.tasks.answers import OUTCOMES
from auditkit.vocabulary import Comparison, Condition, Contrast, Group

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFUSED = OUTCOMES.index("refused")
ERROR = OUTCOMES.index("error")
# Errors are no answers of the model: they make the cell an ERROR and count neither way.
UNUSABLE = tuple(i for i, name in enumerate(OUTCOMES) if name not in ("scored", "refused", "error"))


def judge_rate(
    family: RateFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """Share of refused answers (names ending in ``-refused``) or of otherwise unusable ones, against a cap."""
    found: dict[str, list[Draft]] = {}
    for group in comparisons:
        if not isinstance(group, Group):
            raise AuditkitError(f"{group.name}: a rate needs a Group, not a {type(group).__name__}")
        codes = (REFUSED,) if group.name.endswith("-refused") else UNUSABLE
        columns = [(c, data.column(c, rules.resolve_template(group.template))) for c in group.conditions]
        found[group.name] = [
            _rate_draft(columns, codes, modality, family.cap, data, rules) for modality in (ALL, *data.modalities)
        ]
    return found


def judge_rate_difference(
    family: RateDifferenceFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """Change of the share of answers without a score (refused or unusable) from control to treated."""

    def lost_more(treated: Column, control: Column) -> _Pairs:
        with_it, without = (np.isin(column.outcomes, (REFUSED, *UNUSABLE)) for column in (treated, control))
        return _Pairs(
            lambda mask, clusters, alpha: rate_difference(with_it[mask], without[mask], clusters, alpha),
            with_it & ~without,
        )

    return _judge_pairs(family.margin, comparisons, data, rules, lost_more)


def judge_agreement(
    family: AgreementFamily, comparisons: Sequence[Comparison], data: Measurements, rules: Rules
) -> dict[str, list[Draft]]:
    """Share of images whose score or outcome differs between two askings of the same question."""

    def changed(treated: Column, control: Column) -> _Pairs:
        same = (treated.scores == control.scores) | (np.isnan(treated.scores) & np.isnan(control.scores))
        differ = ~(same & (treated.outcomes == control.outcomes))
        return _Pairs(lambda mask, clusters, alpha: clustered_rate(differ[mask], clusters, alpha), differ)

    return _judge_pairs(family.cap, comparisons, data, rules, changed)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """How to bound the share of a contrast, and which images speak against the model."""

    bound: Callable[[NDArray[np.bool_], NDArray[np.int64], float], Proportion]
    adverse: NDArray[np.bool_]


def _judge_pairs(
    limit: float,
    comparisons: Sequence[Comparison],
    data: Measurements,
    rules: Rules,
    pairs_of: Callable[[Column, Column], _Pairs],
) -> dict[str, list[Draft]]:
    """Bound a share of the images answered on both sides, per modality."""
    found: dict[str, list[Draft]] = {}
    for comparison in comparisons:
        contrast = _contrast(comparison)
        template = rules.resolve_template(contrast.template)
        treated, control = data.column(contrast.treated, template), data.column(contrast.control, template)
        pairs = pairs_of(treated, control)
        found[contrast.name] = []
        for modality in (ALL, *data.modalities):
            where = data.where(modality)
            mask = _answered(where, treated, control)
            alpha = rules.alpha(modality)
            share = pairs.bound(mask, data.clusters(mask), alpha)
            draft = _draft(against_cap(share, limit), modality, limit, alpha)
            draft.outcomes = count_outcomes(treated.outcomes[where])
            draft.control_outcomes = count_outcomes(control.outcomes[where])
            draft.adverse = _first(mask & pairs.adverse, contrast.treated)
            found[contrast.name].append(draft)
    return found


def _contrast(comparison: Comparison) -> Contrast:
    if not isinstance(comparison, Contrast):
        raise AuditkitError(f"{comparison.name}: this gate needs a Contrast, not a {type(comparison).__name__}")
    return comparison


def _rate_draft(
    columns: list[tuple[Condition, Column]],
    codes: tuple[int, ...],
    modality: str,
    cap: float,
    data: Measurements,
    rules: Rules,
) -> Draft:
    where = data.where(modality)
    masks = [_answered(where, column) for _, column in columns]
    hits = np.concatenate([np.isin(c.outcomes[m], codes) for (_, c), m in zip(columns, masks, strict=True)])
    clusters = np.concatenate([data.cluster[m] for m in masks])
    _, coded = np.unique(clusters, return_inverse=True)
    alpha = rules.alpha(modality)
    draft = _draft(against_cap(clustered_rate(hits, coded, alpha), cap), modality, cap, alpha)
    for condition, column in columns:
        draft.outcomes = draft.outcomes + count_outcomes(column.outcomes[where])
        draft.adverse += _first(where & np.isin(column.outcomes, codes), condition)
    draft.adverse = draft.adverse[:SHOWN_CASES]
    return draft


def _answered(where: NDArray[np.bool_], *columns: Column) -> NDArray[np.bool_]:
    mask = where.copy()
    for column in columns:
        mask &= (column.outcomes >= 0) & (column.outcomes != ERROR)
    return mask


def _first(mask: NDArray[np.bool_], condition: Condition) -> list[Adverse]:
    return [Adverse(int(i), condition) for i in np.flatnonzero(mask)[:SHOWN_CASES]]


def _draft(share: Proportion, modality: str, cap: float, alpha: float) -> Draft:
    return Draft(
        modality=modality,
        condition="",
        estimate=Estimate(value=share.estimate, low=share.low, high=share.high, level=share.level, unit="share"),
        met=share.decision == "inside",
        p_pass=1.0 if share.p_pass is None else share.p_pass,
        p_fail=1.0 if share.p_fail is None else share.p_fail,
        margin_high=cap,
        n_images=share.n,
        n_clusters=share.n_clusters,
        settle=lambda fail_alpha: of_share(share, cap, (alpha, fail_alpha)).clusters,
        rule=share.rule,
    )
