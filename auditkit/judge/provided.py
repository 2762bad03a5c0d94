"""What must be shown before a PASS counts: that there was something to lose, and items of every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.judge.balanced import absent, balanced, is_alone
from auditkit.judge.decisions import Decision
from auditkit.judge.draft import Draft
from auditkit.judge.frames import Frame, estimate_in, intervals_in
from auditkit.judge.rules import Rules
from auditkit.measure.columns import ALL, Measurements
from auditkit.measure.effects import per_item
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import MODEL
from auditkit.words import interval, some_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_provided(draft: Draft, decision: Decision, frame: Frame, data: Measurements, rules: Rules) -> None:
    """Take a PASS back where it is not shown that there was something to lose (assay sensitivity, ICH E10).

    Two models that guess are as good as each other under any corruption. So a PASS takes both that the loss is small
    and that what could be lost lies above zero; each at the level of the stratum, which needs no correction as both
    must hold.
    """
    part = decision.part.provided
    if part is None:
        return
    first = replace(decision, part=part, items=per_item(part, data, rules.protocol))
    if part.balanced and is_alone(first, frame.mask, data):
        # Of a level with one right answer it cannot be told; whether the model guesses is told by all of them.
        everything = (frame.stratum[0], ALL)
        frame = replace(frame, stratum=everything, mask=data.where(everything), clusters=data.cluster)
    aim = first if not part.balanced else balanced(first, frame.mask, data)
    items = aim.items
    values = np.where(items.asked & ~np.isfinite(items.values), items.lowest, items.values)
    ends = (items.least + items.most) / 2, (items.most - items.least) / 2
    above = Frame(frame.stratum, frame.mask, frame.clusters, (0.0, np.inf), *ends)
    [shown] = intervals_in(values[frame.mask][:, None], above, rules)
    draft.p_pass = max(draft.p_pass, shown.p_pass)
    lacking = absent(first, frame.mask, data, rules.protocol) if part.balanced else ()
    if shown.decision == "inside" and not lacking:
        return
    draft.met, draft.settle = False, None
    if lacking:
        _say_absent(draft, lacking)
        return
    found = interval(estimate_in(shown, above, "share"), signed=False)
    asked = rules.protocol.catalogue.asked_of(part.terms[0][1].question)
    guesses = f"not shown to be better than guessing ({found} of the way to always right)"
    if asked == MODEL:
        draft.obstacle = f"unchanged it is {guesses}"
        draft.remedy = "who guesses has nothing to lose, so no small loss counts"
    else:
        draft.obstacle = f"the {asked} is {guesses}"
        draft.remedy = f"a {asked} that guesses would find nothing in any answer"


def check_classes(
    draft: Draft, decision: Decision, mask: NDArray[np.bool_], data: Measurements, protocol: Protocol
) -> None:
    """Take a PASS of a balanced mean back where an answer is right for no item of the stratum."""
    if lacking := absent(decision, mask, data, protocol):
        draft.met, draft.p_pass, draft.settle = False, 1.0, None
        _say_absent(draft, lacking)


def _say_absent(draft: Draft, lacking: Sequence[str]) -> None:
    draft.obstacle = f"no item has the right answer {some_of(lacking)}, so guessing cannot be told from knowing"
    draft.remedy = "give items of every class"
