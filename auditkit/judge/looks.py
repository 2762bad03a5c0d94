"""Deciding in stages: which patients are seen at a look, and at which level each modality is decided there.

The error of a claim is spread over the looks by a spending function (`auditkit.stats.sequential`), separately for every
modality, because each has its own number of patients so far. A PASS falls at the first look at which the gate passes at
that look's nominal level. A FAIL needs Holm's correction over the p-values adjusted for the looks (Maurer & Bretz 2013,
Statistics in Biopharmaceutical Research 5, 311-320).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditkit.images.record import ImageRecord
from auditkit.measure.columns import ALL
from auditkit.protocol.model import Protocol
from auditkit.stats.sequential import nominal_levels


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the data.

    Attributes
    ----------
    number, of : int
        This look, counted from 1, and the number of looks planned.
    fractions : mapping of str to tuple of float
        By modality (and ``"all"``) the shares of its patients at the looks that decide on it, up to this one.
    waiting : frozenset of str
        Modalities about which nothing is decided at this look: too few patients so far, or none added.
    """

    number: int = 1
    of: int = 1
    fractions: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()

    @property
    def last(self) -> bool:
        return self.number == self.of

    def modalities_to_come(self, seen: Sequence[str]) -> frozenset[str]:
        """Return the modalities planned of which no image has been seen yet; none after the last look."""
        return frozenset() if self.last else (frozenset(self.fractions) | self.waiting) - {ALL, *seen}

    def levels(self, protocol: Protocol) -> dict[str, float]:
        """Return the nominal error per side of every modality that this look decides on."""
        spending = protocol.looks.spending
        return {
            modality: nominal_levels(shares, protocol.alpha, spending)[-1]
            for modality, shares in self.fractions.items()
            if modality not in self.waiting and shares != (1.0,)
        }


ONLY = Look()
LEAST = 0.001  # share of a modality's patients that a look must add to count as one


def plan_looks(stages: Sequence[Sequence[ImageRecord]], protocol: Protocol) -> tuple[Look, ...]:
    """Say what each look decides, from the patients that its stage adds.

    Parameters
    ----------
    stages : sequence of sequences of ImageRecord
        The images added at each look (`auditkit.ask.plan.stages`), those planned, readable or not: what counts
        as a share must be known before the data.
    protocol : Protocol
        Its ``looks`` section says from how many patients on a modality is decided early.

    Returns
    -------
    tuple of Look
    """
    every = [record for stage in stages for record in stage]
    total = {modality: len(some) for modality, some in _patients(every).items()}
    fractions: dict[str, tuple[float, ...]] = {}
    looks = []
    seen: list[ImageRecord] = []
    for number, stage in enumerate(stages, start=1):
        seen += stage
        now = {modality: len(some) for modality, some in _patients(seen).items()}
        waiting = set()
        for modality, patients in total.items():
            share, before = now.get(modality, 0) / patients, fractions.get(modality, ())
            nothing_new = bool(before) and share - before[-1] < LEAST
            early = number < len(stages)
            # All patients together say nothing of a modality that has not begun.
            begun = modality != ALL or len(now) == len(total)
            too_few = early and (not begun or now.get(modality, 0) < protocol.looks.min_clusters)
            if nothing_new or too_few or (early and _too_strict((*before, share), protocol)):
                waiting.add(modality)
            else:
                fractions[modality] = (*before, share)
        looks.append(Look(number, len(stages), dict(fractions), frozenset(waiting)))
    return tuple(looks)


def _too_strict(shares: tuple[float, ...], protocol: Protocol) -> bool:
    """Whether the level of a look is finer than the bootstrap resolves; its error is then kept for later looks."""
    level = nominal_levels(shares, protocol.alpha, protocol.looks.spending)[-1]
    return level * (protocol.statistics.resamples + 1) < 1


def _patients(records: Sequence[ImageRecord]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {ALL: set()}
    for record in records:
        found.setdefault(record.modality, set()).add(record.cluster)
        found[ALL].add(record.cluster)
    return found
