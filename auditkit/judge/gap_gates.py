"""Gaps between the levels of a column against a limit: every two levels must be alike.

A PASS needs every pair within the limit and no correction; a FAIL one pair beyond it, after Holm over the pairs. The
largest gap that was seen decides nothing: among ten equal groups of 32 patients it is 6.5 points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.decisions import Decision
from auditkit.judge.draft import SHOWN_CASES, Draft, WorstCase
from auditkit.judge.filled import HANGS_ON_MISSING, HARMLESS
from auditkit.judge.gap_levels import Levels, in_two, patients_in
from auditkit.judge.prospects import POWER
from auditkit.judge.rules import Rules, seed_for
from auditkit.measure.columns import ALL, Measurements, is_known
from auditkit.protocol.model import Family
from auditkit.stats.pairs import Comparison
from auditkit.stats.planning import ANYWHERE, clusters_to_settle
from auditkit.stats.shrinkage import FEWEST, drawn_together
from auditkit.stats.subgroups import Group, Pair, SubgroupGap, subgroup_gap
from auditkit.stats.unseen import least_clusters
from auditkit.words import column_name, patients, some_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

LISTED = 4


@dataclass(frozen=True, slots=True)
class _Compared:
    """The levels that are compared, and the items they are compared by.

    Attributes
    ----------
    levels : list of str
        Those with an item that was asked about; small ones only where the protocol lets them take part.
    sizes : dict of str to int
        Patients who were asked about, by level: what was refused counts, so that no level is lost by refusals.
    small : list of str
        Levels with fewer patients than the protocol asks for.
    mask : ndarray of bool, shape (n,)
        Items of the levels compared that were asked about.
    """

    levels: list[str]
    sizes: dict[str, int]
    small: list[str]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, decision: Decision, levels: Levels, family: Family, data: Measurements, rules: Rules) -> _Compared:
        asked = decision.items.asked & decision.where
        sizes = {level: patients_in(data, asked & (levels.of == level)) for level in levels.sizes}
        there = [level for level, size in sizes.items() if size]
        small = [level for level in there if sizes[level] < rules.statistics.min_clusters]
        compared = [level for level in there if level not in small or family.small_levels == "undecided"]
        return cls(compared, sizes, small, asked & np.isin(levels.of.astype(str), compared))


def gate(decision: Decision, levels: Levels, family: Family, data: Measurements, rules: Rules) -> Draft:
    """Decide whether every two levels of a column are alike.

    Notes
    -----
    What is unknown is a level like any other: patients of whom the column says nothing must get the same results. But
    between fewer than two known levels nothing passes. A level with fewer patients than ``statistics.min_clusters``
    takes part, so that what is broken in it can be found, and keeps the whole from a PASS, unless the family says
    ``small_levels = "shown"``.

    Missing values are put where they speak against a PASS, and against a FAIL, of each pair (`subgroup_gap`).
    """
    among = _Compared.of(decision, levels, family, data, rules)
    margin = float(family.limit or math.inf)
    outcomes, control_outcomes = decision.outcomes(data, np.ones(len(data.records), dtype=bool))
    draft = Draft(
        stratum=(levels.column, ALL),
        part=decision.part.label,
        estimate=Estimate(level=1 - 2 * rules.protocol.alpha, unit=decision.unit),
        met=False,
        p_pass=1.0,
        p_fail=1.0,
        margin_low=-margin,
        margin_high=margin,
        required=family.requires(decision.part.label),
        n_images=int((among.mask & np.isfinite(levels.values)).sum()),
        n_clusters=patients_in(data, among.mask & np.isfinite(levels.values)),
        outcomes=outcomes,
        control_outcomes=control_outcomes,
    )
    if obstacle := _incomparable(among, levels, data):
        draft.remark, draft.n_images, draft.n_clusters = obstacle, 0, 0
        return draft
    found = _compared(decision, levels, among, margin, data, rules)
    worst = _worst(found)
    _describe(draft, worst, decision)
    draft.counted = _others(found, among, levels, rules)
    draft.p_fail = found.p_fail_holm
    lacking = _lacking(found, among, levels, rules)
    if lacking:
        draft.obstacle, draft.remedy = lacking
    else:
        draft.met, draft.p_pass = found.decision == "inside", found.p_pass
        draft.obstacle = _on_missing(worst, rules.protocol.alpha)
        draft.settle = Settling(found, draft.n_clusters, margin, levels.reach, rules.protocol.alpha)
    draft.worst_cases = _cases(decision, worst, levels, among)
    return draft


def _incomparable(among: _Compared, levels: Levels, data: Measurements) -> str:
    """Say why no two levels can be held against each other; empty where they can."""
    name = column_name(levels.column)
    if len(among.levels) < 2:
        return f"Fewer than two levels of {name} can be compared, so nothing is told of a difference."
    if in_two(levels.of[among.mask], data.cluster[among.mask]):
        return (
            f"Some patients have images of two levels of {name}. Levels are compared as different patients, so nothing "
            "is told of a difference."
        )
    return ""


def _compared(
    decision: Decision, levels: Levels, among: _Compared, margin: float, data: Measurements, rules: Rules
) -> SubgroupGap:
    mask, statistics = among.mask, rules.statistics
    values = levels.values[mask]
    ends = tuple(
        np.where(np.isnan(values), levels.centred(end)[mask], values)
        for end in (decision.items.lowest, decision.items.highest)
    )
    alpha = rules.alpha((levels.column, ALL))
    return subgroup_gap(
        values,
        levels.of[mask].astype(str),
        data.clusters(mask),
        Comparison(
            margin=margin,
            alpha=alpha,
            value_range=levels.reach,
            min_clusters=statistics.min_clusters,
            min_informative=statistics.min_informative,
        ),
        seed=seed_for(rules.protocol.seed, levels.column),
        resamples=statistics.resamples,
        ends=(ends[0], ends[1]),
    )


def _worst(found: SubgroupGap) -> Pair:
    """The pair to tell of: the surest beyond the limit, else the one furthest from being shown to be within it."""

    def apart(pair: Pair) -> float:
        return 0.0 if math.isnan(pair.interval.estimate) else abs(pair.interval.estimate)

    beyond = [pair for pair in found.pairs if pair.decision == "beyond"]
    if beyond:
        return min(beyond, key=lambda pair: (pair.p_fail_holm, -apart(pair)))
    measured = [pair for pair in found.pairs if not math.isnan(pair.interval.estimate)]
    # Rounded, so that the last bit of a p-value does not choose.
    return max(measured or found.pairs, key=lambda pair: (float(f"{pair.p_pass:.9g}"), apart(pair)))


def _describe(draft: Draft, worst: Pair, decision: Decision) -> None:
    """Let a draft tell of one pair: which it is, and its interval."""
    own = worst.interval
    if not math.isnan(own.estimate):
        draft.estimate = Estimate(value=own.estimate, low=own.low, high=own.high, level=own.level, unit=decision.unit)
    if worst.filled and not math.isnan(own.estimate):
        every = (own, *worst.filled)
        draft.worst_case = Estimate(
            value=worst.filled[-1].estimate,
            low=min(interval.low for interval in every),
            high=max(interval.high for interval in every),
            level=own.level,
            unit=decision.unit,
        )
    draft.named, draft.rule = f"{worst.first} minus {worst.second}", own.rule


def _others(found: SubgroupGap, among: _Compared, levels: Levels, rules: Rules) -> str:
    """Say of how many pairs the one told of is, how many are not within the limit, and which levels are in none."""
    n, said = len(found.pairs), []
    if n > 1:
        still, beyond = (sum(pair.decision == how for pair in found.pairs) for how in ("open", "beyond"))
        kinds = [f"{beyond} beyond the limit"] * bool(beyond) + [f"{still} undecided"] * bool(still)
        said.append(f"of {n} pairs of levels{', '.join(['', *kinds])}")
    left = [f"{level} ({among.sizes[level]})" for level in among.small if level not in among.levels]
    if left:
        least = rules.statistics.min_clusters
        said.append(f"not compared, with fewer than {least} patients: {some_of(left, LISTED)}")
    return f"({'; '.join(said)})" if said else ""


def _lacking(found: SubgroupGap, among: _Compared, levels: Levels, rules: Rules) -> tuple[str, str] | None:
    """Return why nothing passes by rule, and what to do about it; None where a PASS is possible."""
    least, name = rules.statistics.min_clusters, column_name(levels.column)
    known = [level for level in among.levels if is_known(level)]
    if len(known) < 2:
        return f"fewer than two levels of {name} are known", "more patients would not settle it"
    small = [level for level in among.small if level in among.levels]
    if small:
        few = [f"{level} has {patients(among.sizes[level])}, {least - among.sizes[level]} too few" for level in small]
        what = "level has" if len(small) == 1 else "levels have"
        said = (
            f"{len(small)} {what} fewer than the {least} patients that the protocol asks for ({some_of(few, LISTED)})"
        )
        return said, 'give more of them, or small_levels = "shown" in the protocol to compare the others only'
    if found.too_small:
        sizes = {group.name: group.n_clusters for group in found.groups}
        few = [f"{level}: {sizes[level]} of {among.sizes[level]}" for level in found.too_small]
        return (
            f"of some levels fewer than {least} patients have a value ({some_of(few, LISTED)})",
            "more patients would not settle it while so many answers are missing",
        )
    return None


def _on_missing(worst: Pair, alpha: float) -> str:
    if worst.interval.decision == "inside" and worst.decision != "inside":
        return HANGS_ON_MISSING
    return HARMLESS if worst.interval.p_fail <= alpha < worst.p_fail else ""


@dataclass(frozen=True, slots=True)
class Settling:
    """How many patients would likely settle all pairs, if every level grows alike.

    For the true means are taken those of the levels drawn together: of many equal levels two lie far apart by chance.
    """

    found: SubgroupGap
    n: int
    margin: float
    reach: float
    alpha: float

    def __call__(self, fail_alpha: float) -> int | None:
        """Return the patients in total; None where no number can be promised."""
        groups, pairs = {group.name: group for group in self.found.groups}, self.found.pairs
        if not all(math.isfinite(group.se) for group in groups.values()):
            return None
        drawn = self._drawn()
        gaps = [
            [each.estimate + drawn[p.first] - drawn[p.second] - p.interval.estimate for each in (p.interval, *p.filled)]
            for p in pairs
        ]
        failing = [
            self._pair(pair, gap, fail_alpha / len(pairs), groups)
            for pair, gap in zip(pairs, gaps, strict=True)
            if all(abs(each) > self.margin for each in gap)
        ]
        if failing:
            return min((each for each in failing if each is not None), default=None)
        if any(abs(each) >= self.margin for gap in gaps for each in gap):
            return None
        passing = [self._pair(pair, gap, self.alpha, groups) for pair, gap in zip(pairs, gaps, strict=True)]
        return None if None in passing else max(each for each in passing if each is not None)

    def _drawn(self) -> dict[str, float]:
        groups = self.found.groups
        means = [group.mean for group in groups]
        if len(groups) >= FEWEST:
            means = drawn_together(means, [group.se for group in groups]).tolist()
        return {group.name: mean for group, mean in zip(groups, means, strict=True)}

    def _pair(self, pair: Pair, gaps: Sequence[float], alpha: float, groups: Mapping[str, Group]) -> int | None:
        shares = []
        for own, gap in zip((pair.interval, *pair.filled), gaps, strict=True):
            spread, ends = own.se * math.sqrt(own.n_clusters), (-self.margin, self.margin)
            most = clusters_to_settle(spread, *ends, gap, alpha, POWER, ends=ANYWHERE) if spread > 0 else 2
            if most is None:
                return None
            shares.append(most / own.n_clusters)
            distance = abs(self.margin - abs(gap))
            for group in (groups[pair.first], groups[pair.second]):
                room = self.reach + abs(group.mean)
                if distance < room:
                    shares.append(least_clusters(distance, room, self.alpha) / group.n_clusters)
        return math.ceil(max(shares) * self.n)


def _cases(decision: Decision, worst: Pair, levels: Levels, among: _Compared) -> list[WorstCase]:
    """Answers of the two levels told of, those that draw them furthest apart; unscored ones first."""
    sign = -1.0 if worst.interval.estimate < 0 else 1.0
    sides = [list(_furthest(level, way, levels, among)) for level, way in ((worst.first, sign), (worst.second, -sign))]
    return decision.cases([item for both in zip(*sides, strict=False) for item in both][:SHOWN_CASES])


def _furthest(level: str, way: float, levels: Levels, among: _Compared) -> Iterator[int]:
    items = np.flatnonzero(among.mask & (levels.of == level))
    far = np.where(np.isfinite(levels.values[items]), way * levels.values[items], np.inf)
    yield from items[np.argsort(-far, kind="stable")].tolist()
