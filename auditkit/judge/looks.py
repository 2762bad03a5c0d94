"""Deciding in stages: which patients are seen at a look, and at which level each stratum is decided there.

The error of a claim is spread over the looks by a spending function (`auditkit.stats.sequential`), separately for every
stratum, because each has its own number of patients so far. A PASS falls at the first look at which it would fall at
that look's nominal level. A FAIL needs Holm's correction over the p-values adjusted for the looks (Maurer & Bretz 2013,
Statistics in Biopharmaceutical Research 5, 311-320).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditkit.images.item import Item
from auditkit.measure.columns import ALL, MODALITY, Stratum, level_of
from auditkit.protocol.model import Protocol
from auditkit.stats.sequential import nominal_levels


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the data.

    Attributes
    ----------
    number, of : int
        This look, counted from 1, and the number of looks planned.
    fractions : mapping of Stratum to tuple of float
        By stratum the shares of its patients at the looks that decide on it, up to this one.
    waiting : frozenset of Stratum
        Strata about which nothing is decided at this look: too few patients so far, or none added.
    """

    number: int = 1
    of: int = 1
    fractions: Mapping[Stratum, tuple[float, ...]] = field(default_factory=dict)
    waiting: frozenset[Stratum] = frozenset()

    @property
    def last(self) -> bool:
        return self.number == self.of

    def to_come(self, column: str, seen: Sequence[str]) -> frozenset[str]:
        """Return the levels planned of which no item has been seen yet; none after the last look."""
        if self.last:
            return frozenset()
        planned = {level for name, level in (frozenset(self.fractions) | self.waiting) if name == column}
        return frozenset(planned) - {ALL, *seen}

    def levels(self, protocol: Protocol) -> dict[Stratum, float]:
        """Return the nominal error per side of every stratum that this look decides on."""
        spending = protocol.looks.spending
        return {
            stratum: nominal_levels(shares, protocol.alpha, spending)[-1]
            for stratum, shares in self.fractions.items()
            if stratum not in self.waiting and shares != (1.0,)
        }


ONLY = Look()
LEAST = 0.001  # share of a stratum's patients that a look must add to count as one


def plan_looks(stages: Sequence[Sequence[Item]], protocol: Protocol) -> tuple[Look, ...]:
    """Say what each look decides, from the patients that its stage adds.

    Parameters
    ----------
    stages : sequence of sequences of Item
        The items added at each look (`auditkit.ask.plan.stages`), those planned, readable or not: what counts as a
        share must be known before the data.
    protocol : Protocol
        Its ``looks`` section says from how many patients on a stratum is decided early, its families by which columns.

    Returns
    -------
    tuple of Look
    """
    columns = dict.fromkeys((MODALITY, *(family.by for family in protocol.families.values())))
    every = [record for stage in stages for record in stage]
    total = {stratum: len(some) for stratum, some in _patients(every, columns).items()}
    fractions: dict[Stratum, tuple[float, ...]] = {}
    looks = []
    seen: list[Item] = []
    for number, stage in enumerate(stages, start=1):
        seen += stage
        now = {stratum: len(some) for stratum, some in _patients(seen, columns).items()}
        begun = {c: {s for s in total if s[0] == c} == {s for s in now if s[0] == c} for c in columns}
        waiting = set()
        for stratum, patients in total.items():
            share, before = now.get(stratum, 0) / patients, fractions.get(stratum, ())
            nothing_new = bool(before) and share - before[-1] < LEAST
            early = number < len(stages)
            # All patients together say nothing of a level that has not begun.
            whole = stratum[1] != ALL or begun[stratum[0]]
            too_few = early and (not whole or now.get(stratum, 0) < protocol.looks.min_clusters)
            if nothing_new or too_few or (early and _too_strict((*before, share), protocol)):
                waiting.add(stratum)
            else:
                fractions[stratum] = (*before, share)
        looks.append(Look(number, len(stages), dict(fractions), frozenset(waiting)))
    return tuple(looks)


def _too_strict(shares: tuple[float, ...], protocol: Protocol) -> bool:
    """Whether the level of a look is finer than the bootstrap resolves; its error is then kept for later looks."""
    level = nominal_levels(shares, protocol.alpha, protocol.looks.spending)[-1]
    return level * (protocol.statistics.resamples + 1) < 1


def _patients(records: Sequence[Item], columns: Mapping[str, None]) -> dict[Stratum, set[str]]:
    found: dict[Stratum, set[str]] = {(column, ALL): set() for column in columns}
    for record in records:
        for column in columns:
            found.setdefault((column, level_of(record, column)), set()).add(record.cluster)
            found[column, ALL].add(record.cluster)
    return found
