"""Referral to a person: a threshold chosen on half of the patients, and what it does to the other half.

By the probabilities of its classes an item keeps every answer whose probability is high enough for the right answer to
be among those kept as often as was asked for (split conformal prediction, `auditkit.stats.conformal`). An item is
referred unless exactly one answer is left. The threshold is chosen on images as they are; nothing but measuring tells
what it does under a corruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.ask.keys import digest_of
from auditkit.images.item import UNKNOWN
from auditkit.judge.decisions import Decision, strata
from auditkit.judge.draft import Draft
from auditkit.judge.means import judge_made, without_probabilities
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ERROR, NOT_ASKED, SCORED, Measurements
from auditkit.measure.effects import PerItem
from auditkit.protocol.model import Family
from auditkit.stats.conformal import threshold
from auditkit.tasks import CHANCE
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Question
from auditkit.words import patients

if TYPE_CHECKING:
    from numpy.typing import NDArray

COVERED = "covered"


def judge_referrals(
    decisions: Sequence[Decision], family: Family, data: Measurements, rules: Rules
) -> list[tuple[str, Draft]]:
    """Decide shares of items covered, or referred, over the patients on whom no threshold was chosen."""
    drafts, chosen = [], choosers(data, rules.protocol.seed)
    for decision in decisions:
        for stratum, limits in strata(data, family):
            mask = data.where(stratum)
            found, n = _threshold(decision, mask & chosen, data, rules)
            items = _items(decision, mask & ~chosen & decision.where, found, data)
            made = replace(decision, items=items)
            name, draft = judge_made(made, (0.0, 1.0), stratum, limits, family, data, rules)
            draft.rule = f"threshold of the other half: {draft.rule}"
            counted = "covered" if decision.effect.statistic == COVERED else "referred"
            draft.counted = f"{counted} at the threshold that {patients(n)} chose"
            draft.remark = without_probabilities(decision) or _remark(decision, found, n)
            drafts.append((name, draft))
    return drafts


def choosers(data: Measurements, seed: int) -> NDArray[np.bool_]:
    """Return the items of the patients on whom thresholds are chosen: about half, whoever else there is; shape (n,)."""
    half = {c: int(digest_of(seed, "referral", c)[:8], 16) % 2 == 0 for c in {r.cluster for r in data.records}}
    return np.array([half[record.cluster] for record in data.records], dtype=bool)


def _questions(decision: Decision) -> tuple[Question, Question, float]:
    """Return the question that is measured, the one that the threshold is chosen on, and the share to be covered."""
    (level, value), *_ = decision.part.terms
    before = [v.question for weight, v in decision.part.terms if weight < 0]
    return value.question, before[0] if before else value.question, level


def _answers(decision: Decision) -> tuple[str, ...]:
    names = (value.name.removeprefix(CHANCE) for _, value in decision.part.terms)
    return tuple(dict.fromkeys(names))


def _chances(question: Question, decision: Decision, data: Measurements) -> NDArray[np.float64]:
    """Return the chance of every answer, shape (n, answers); NaN without probabilities, or where none was given."""
    column = data.column(question)
    found = np.stack([column.value(f"{CHANCE}{answer}") for answer in _answers(decision)], axis=1)
    read: NDArray[np.bool_] = np.isfinite(found).any(axis=1) & (column.outcomes == SCORED)
    # A server may list some answers only: the others have next to no probability.
    return np.where(read[:, None], np.nan_to_num(found), np.nan)


def _nonconformity(
    question: Question, decision: Decision, data: Measurements
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return 1 less the chance of the right answer, and where it is known; shape (n,) each.

    Declined, or without usable probabilities, an item keeps every answer, which covers it at any threshold: 0.
    """
    chances = _chances(question, decision, data)
    truths = data.level_of(f"{COLUMN_OF}{question.task}")
    right = np.full(len(truths), np.nan)
    for place, answer in enumerate(_answers(decision)):
        right = np.where(truths == answer, chances[:, place], right)
    column = data.column(question)
    known = (column.outcomes != NOT_ASKED) & (column.outcomes != ERROR) & (truths != UNKNOWN)
    return np.where(np.isfinite(right), 1.0 - right, 0.0), known


def _threshold(
    decision: Decision, mask: NDArray[np.bool_], data: Measurements, rules: Rules
) -> tuple[float | None, int]:
    """Return the threshold and the number of patients it is chosen on: one image of each, drawn by its id."""
    _, clean, level = _questions(decision)
    scores, known = _nonconformity(clean, decision, data)
    first: dict[str, tuple[str, int]] = {}
    for i in np.flatnonzero(mask & known).tolist():
        record = data.records[i]
        drawn = (digest_of(rules.protocol.seed, "referral", record.id), i)
        first[record.cluster] = min(first.get(record.cluster, drawn), drawn)
    places = [i for _, i in first.values()]
    return threshold(scores[places], level, rules.protocol.alpha), len(places)


def _items(decision: Decision, mask: NDArray[np.bool_], found: float | None, data: Measurements) -> PerItem:
    n = len(data.records)
    question, _, _ = _questions(decision)
    scores, known = _nonconformity(question, decision, data)
    asked = mask & (data.column(question).outcomes != NOT_ASKED)
    if found is None or without_probabilities(decision) or not asked.any():
        return replace(PerItem.none(n), most=1.0)
    known = known & mask
    if decision.effect.statistic == COVERED:
        values = (scores <= found).astype(float)
    else:
        chances = _chances(question, decision, data)
        left = (1.0 - chances <= found).sum(axis=1)
        values = np.where(np.isfinite(chances).all(axis=1) & (left == 1), 0.0, 1.0)
    values = np.where(known, values, np.nan)
    return PerItem(
        values=values,
        lowest=np.where(known, values, 0.0),
        highest=np.where(known, values, 1.0),
        asked=asked,
        expected=np.full(n, np.nan),
        known=known,
        least=0.0,
        most=1.0,
    )


def _remark(decision: Decision, found: float | None, n: int) -> str:
    _, _, level = _questions(decision)
    if found is None:
        return f"{patients(n)} are too few to choose a threshold that covers {100 * level:g} %."
    return f"An answer is left from a probability of {100 * (1.0 - found):.3g} % on, as chosen on {patients(n)}."
