"""The fewest patients with whom a PASS is possible, where every answer is as good as it can be.

One rule says how few: what patients who were not seen could do to a mean (`auditkit.stats.unseen`). Here is only where
the best answers lie, and how far from there the limit and the end of the range are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from auditkit.errors import AuditkitError
from auditkit.judge.titles import Titles
from auditkit.measure.effects import per_item_range
from auditkit.planning.claims import Limits, levels
from auditkit.planning.subject import Subject, subject_of
from auditkit.protocol.model import Family, Protocol
from auditkit.stats.unseen import least_clusters
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect, Part

SHARE, SHARE_DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Least:
    """Patients without whom no verdict can be a PASS.

    Attributes
    ----------
    each : int or None
        In each level that is decided by itself; None where no number is enough.
    together : int or None
        Of all patients together; None where these are not decided, or where no number is enough.
    best : str
        What the answers must be like for so few to be enough.
    """

    each: int | None
    together: int | None
    best: str


def fewest(best: float, limits: Limits, ends: Limits, level: float, power: int = 1) -> int | None:
    """Return the fewest patients with whom a mean can be shown to keep its limits; None where it does not keep them.

    Parameters
    ----------
    best : float
        The mean of those who were seen.
    limits, ends : (float, float)
        What the mean must stay between, and what no value can be outside of.
    level : float
        Error per side of a PASS.
    power : int
        As in `auditkit.stats.unseen.least_clusters`.
    """
    sides = [(best - limits[0], best - ends[0]), (limits[1] - best, ends[1] - best)]
    if any(margin <= 0 for margin, _ in sides):
        return None
    # A limit beyond the range is kept whoever was not seen.
    return max((least_clusters(margin, reach, level, power) for margin, reach in sides if margin < reach), default=1)


def least_patients(effect: Effect, protocol: Protocol) -> Least | None:
    """Return the fewest patients with whom an audit can pass.

    Parameters
    ----------
    effect : Effect
        What the audit measures.
    protocol : Protocol
        The criteria.

    Returns
    -------
    Least or None
        None where nothing passes or fails, or where the number is not known before the run.
    """
    family = protocol.family_of(effect)
    if family is None or family.shown:
        return None
    if effect.between:
        return _of_gap(effect, family, protocol)
    try:
        subject = subject_of(effect, protocol)
    except AuditkitError:
        return None
    level = levels(protocol, 1, tail=family.tail is not None).passes
    parts = [part for part in protocol.resolved(effect).parts if family.requires(part.label)]
    if subject.kind == "area":
        floor = family.ends(together=False)[0]
        each = fewest(1.0, (floor, math.inf), SHARE, level, 2)
        return Least(each, None, "if all images are told apart" + _among(parts))

    def all_parts(limits: Limits) -> int | None:
        return _most([_of_part(part, subject, limits, protocol, level) for part in parts])

    together = [all_parts(family.ends(together=True))]
    if family.tail is not None:
        together.append(fewest(0.0, (-math.inf, family.tail.share), SHARE_DIFFERENCE, level))
    counted = Titles(protocol.catalogue).quantity(effect)
    best = _best_words(subject, family, counted) + _among(parts)
    return Least(all_parts(family.ends(together=False)), _most(together), best)


def _of_gap(effect: Effect, family: Family, protocol: Protocol) -> Least:
    """Return the fewest patients of each level of a column, where all levels are alike.

    Unseen patients of one level or of the other could be at the end of the range: of 0 or 1 the whole of it away where
    nothing happens, of numbers in its middle half of it.
    """
    found = []
    for part in protocol.resolved(effect).parts:
        low, high = per_item_range(part, protocol)
        binary = all(protocol.catalogue.quantity(value).binary for _, value in part.terms)
        ends = (low - high, high - low) if binary and len(part.terms) == 1 else ((low - high) / 2, (high - low) / 2)
        found.append(fewest(0.0, family.ends(together=True), ends, protocol.alpha))
    known = [n for n in found if n is not None]
    each = max((*known, protocol.statistics.min_clusters)) if len(known) == len(found) else None
    return Least(each, None, "if all levels are alike")


def _of_part(part: Part, subject: Subject, limits: Limits, protocol: Protocol, level: float) -> int | None:
    if subject.kind == "differs" and part.alike:  # at best the answers differ by the model's own noise and no more
        return fewest(0.0 if math.isinf(limits[0]) else 1.0, limits, SHARE_DIFFERENCE, level)
    ends = SHARE if subject.kind in ("share", "differs") else per_item_range(part, protocol)
    return fewest(_best(subject, limits, ends), limits, ends, level)


def _best(subject: Subject, limits: Limits, ends: Limits) -> float:
    """Return the mean that is furthest within the limits: no change where little is allowed, else an end."""
    if math.isinf(limits[1]):
        return ends[1]
    return ends[0] if math.isinf(limits[0]) and not subject.change else min(max(0.0, ends[0]), ends[1])


def _best_words(subject: Subject, family: Family, counted: str) -> str:
    if subject.kind == "differs":
        return "if every answer differs" if family.verb == "at_least" else "if no answer differs"
    if subject.kind == "share":
        return f"if every answer is {counted}" if family.verb == "at_least" else f"if no answer is {counted}"
    if family.verb == "at_least":
        return "if the score falls as far as its scale allows" if subject.per else "if every value is as high as can be"
    if subject.kind == "share difference":
        return f"if no more answers are {counted}"
    return "if nothing changes" if subject.change else "if every value is as low as can be"


def _among(parts: Sequence[Part]) -> str:
    """Say which patients count, where parts are about some items only."""
    chosen = dict.fromkeys(_with(*part.where) for part in parts if part.where is not None)
    return f", counting only those {' or '.join(chosen)}" if chosen else ""


def _with(column: str, level: str) -> str:
    if column.startswith(COLUMN_OF):
        return f"whose right answer to {column.removeprefix(COLUMN_OF)} is {level}"
    return f"with {column} {level}"


def _most(numbers: list[int | None]) -> int | None:
    known = [n for n in numbers if n is not None]
    return max(known) if known and len(known) == len(numbers) else None
