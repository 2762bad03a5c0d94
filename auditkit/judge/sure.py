"""Titles of effects on how sure a model is: what it keeps, what it refers, and whether its confidence is true."""

from __future__ import annotations

from auditkit.judge.right import done_to, task_in_words
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Effect

_WHAT = {
    "kept": "right of the surest",
    "risk": "risk against coverage",
    "reliability": "confidence and right answers",
    "covered": "right answer left by the threshold",
    "referred": "referred to a person",
}
STATISTICS = tuple(_WHAT)


def title_of_sure(effect: Effect, catalogue: Catalogue) -> str:
    """Name an effect of one of the `STATISTICS`: the task, what is measured, and what is done to the items."""
    terms = effect.parts[0].terms
    what = _WHAT[effect.statistic]
    if effect.statistic == "kept":
        what += f" {100 * abs(terms[0][0]):g} %"
    named = f"{task_in_words(catalogue.resolve(terms[0][1].question).task)}: {what}"
    # Of several conditions each part is called by its own.
    done = done_to(effect, catalogue) if len({p.terms[0][1].question for p in effect.parts}) == 1 else ""
    return f"{named}, {done}" if done else named
