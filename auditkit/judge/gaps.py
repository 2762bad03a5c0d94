"""How far the levels of a column (sex, site, scanner) lie apart: each level, and the largest gap between two.

Against a limit every two levels are held (`gap_gates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision
from auditkit.judge.draft import Draft
from auditkit.judge.gap_gates import gate
from auditkit.judge.gap_levels import Levels, in_two, levels_of, patients_in
from auditkit.judge.points import mean_estimates, moved
from auditkit.judge.rules import Rules, seed_for
from auditkit.measure.columns import ALL, Measurements, Stratum
from auditkit.protocol.model import Family
from auditkit.stats.pairs import FEW, Comparison
from auditkit.stats.subgroups import subgroup_gap
from auditkit.words import some_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LISTED = 8


def judge_gaps(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Return, for every decision, what all levels of its column say together, then every level.

    Notes
    -----
    Of what is only shown that is the largest gap between two levels, and nothing is required. A level with fewer
    patients than the protocol's ``min_clusters`` is shown and said to be too small. The gap was picked because it is
    the largest, so its interval is Bonferroni's over all pairs of levels that are large enough. For a limit see `gate`.
    """
    found = []
    for decision in decisions:
        levels = levels_of(decision, data)
        held = family.of(decision.effect)
        if held.verb is None:
            drafts, shown = [_together(decision, levels, data, rules)], levels.shown
        else:
            drafts, shown = [gate(decision, levels, held, data, rules)], [*levels.sizes]
        drafts += [_level(decision, level, levels, data, rules) for level in shown]
        found += [(decision.name, draft) for draft in drafts]
    return found


def _level(decision: Decision, level: str, levels: Levels, data: Measurements, rules: Rules) -> Draft:
    """What the number is in one level, over the items that have one."""
    stratum = (levels.column, level)
    of_level = levels.of == level
    mask = of_level & np.isfinite(levels.values)
    outcomes, control_outcomes = decision.outcomes(data, of_level)
    few = levels.sizes[level] < rules.statistics.min_clusters
    return Draft(
        stratum=stratum,
        part=decision.part.label,
        estimate=_estimate(decision, mask, stratum, levels, data, rules),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=False,
        n_images=int(mask.sum()),
        n_clusters=levels.sizes[level],
        outcomes=outcomes,
        control_outcomes=control_outcomes,
        rule=FEW if few else "",
        remark=f"Fewer than {rules.statistics.min_clusters} patients: too few to be compared." if few else "",
    )


def _estimate(
    decision: Decision, mask: NDArray[np.bool_], stratum: Stratum, levels: Levels, data: Measurements, rules: Rules
) -> Estimate:
    """Return the mean over patients."""
    if not mask.any():
        return Estimate(level=1 - 2 * rules.protocol.alpha, unit=decision.unit)
    middle = (decision.items.least + decision.items.most) / 2
    clusters, seed = data.clusters(mask), rules.seed(stratum)
    [mean] = mean_estimates(levels.values[mask][:, None], clusters, rules.protocol, seed, levels.reach)
    return moved(mean, middle).model_copy(update={"unit": decision.unit})


def _together(decision: Decision, levels: Levels, data: Measurements, rules: Rules) -> Draft:
    """Return the largest difference between two levels that are large enough, and what can be told."""
    draft = Draft(
        stratum=(levels.column, ALL),
        part=decision.part.label,
        estimate=Estimate(level=1 - 2 * rules.protocol.alpha, unit=decision.unit),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        required=False,
    )
    needed = rules.statistics.min_clusters
    large = [level for level in levels.known if levels.sizes[level] >= needed]
    mask = np.isin(levels.of.astype(str), large) & np.isfinite(levels.values)
    name = levels.column.replace("_", " ")
    if not levels.known:
        said = f"No image has a known {name}: nothing can be told about it."
    elif len(large) < 2:
        said = f"Fewer than two levels of {name} have {needed} patients: no difference can be told."
    elif in_two(levels.of[mask], data.cluster[mask]):
        said = f"Some patients have images of two levels of {name}: the levels cannot be compared."
    else:
        draft.n_images, draft.n_clusters = int(mask.sum()), patients_in(data, mask)
        draft.estimate, said = _largest(mask, levels, len(large), data, rules)
        draft.estimate = draft.estimate.model_copy(update={"unit": decision.unit})
    draft.remark = " ".join([said, *_left_out(levels, needed)])
    return draft


def _largest(
    mask: NDArray[np.bool_], levels: Levels, n_large: int, data: Measurements, rules: Rules
) -> tuple[Estimate, str]:
    """Return the difference of the two levels furthest apart, with an interval that holds for all pairs together."""
    protocol, statistics = rules.protocol, rules.statistics
    alpha = protocol.alpha / (n_large * (n_large - 1) // 2)
    found = subgroup_gap(
        levels.values[mask],
        levels.of[mask].astype(str),
        data.clusters(mask),
        Comparison(
            margin=levels.reach,  # nothing is decided here; the interval does not depend on it
            alpha=alpha,
            value_range=levels.reach,
            min_clusters=statistics.min_clusters,
            min_informative=statistics.min_informative,
            unseen_alpha=protocol.alpha,
        ),
        seed=seed_for(protocol.seed, levels.column),
        resamples=max(statistics.resamples, int(np.ceil(2 / alpha))),
    ).largest
    level = 1 - 2 * protocol.alpha
    if found is None:  # every level has patients with a value, so there is one; the type does not say so
        return Estimate(level=level), "No difference could be computed."
    interval, name = found.interval, levels.column.replace("_", " ")
    estimate = Estimate(value=interval.estimate, low=interval.low, high=interval.high, level=level)
    return estimate, f"Furthest apart of {n_large} levels of {name}: {found.first} minus {found.second}."


def _left_out(levels: Levels, needed: int) -> Iterator[str]:
    """Say which levels were not compared, and how many are not shown."""
    few = [f"{level} ({levels.sizes[level]})" for level in levels.known if levels.sizes[level] < needed]
    if few:
        yield f"Too few patients (fewer than {needed}): {some_of(few, LISTED)}."
    hidden = len(levels.sizes) - len(levels.shown)
    if hidden:
        yield f"{hidden} smaller {'level is' if hidden == 1 else 'levels are'} not shown."
