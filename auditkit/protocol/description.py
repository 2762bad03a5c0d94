"""The effects of the description pack: what an image says beyond the model's own description of it.

The model answers from the image; a decider, which sees no image, answers the same question from the model's
description. Both are right or wrong about the same items, so they are compared item by item. The families are declared
in ``packs/description/protocol.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from auditkit.protocol import effects, right_answers
from auditkit.protocol.diagnosis import CONDITIONS, LETTERS
from auditkit.vocabulary import Effect, Perturbation

DESCRIPTION, DESCRIBED = "description", "described"


def accuracy() -> list[Effect]:
    """The share of right answers from the image, and from the description."""
    return [
        right_answers.accuracy(f"{condition}.{kind}", family="accuracy")
        for condition in CONDITIONS
        for kind in (LETTERS, DESCRIBED)
    ]


def beyond() -> list[Effect]:
    """By how much the answers from the image are right more often than those from the description."""
    return [
        right_answers.accuracy(_own(condition), family="beyond")
        .minus(right_answers.accuracy(_from(condition)))
        .named(f"{condition}-beyond-description")
        for condition in CONDITIONS
    ]


def unused() -> list[Effect]:
    """By how much the answers from the description are right more often: what the model says it saw and did not use.

    A PASS takes a decider that is shown to be better than guessing: one that guesses finds nothing in any description.
    """
    found = []
    for condition in CONDITIONS:
        more = right_answers.accuracy(_from(condition), family="unused").minus(right_answers.accuracy(_own(condition)))
        provided = right_answers.skill(_from(condition)).parts[0]
        parts = tuple(replace(part, provided=provided) for part in more.parts)
        found.append(replace(more, parts=parts).named(f"{condition}-described-not-used"))
    return found


def decider() -> list[Effect]:
    """How far the decider is from guessing: one that repeats the question, or always says the same, is at 0."""
    return [right_answers.skill(_from(condition), family="decider") for condition in CONDITIONS]


def position() -> list[Effect]:
    """Answers of the decider that change with the order of the options, beyond its own noise."""
    return [
        effects.differs(
            Perturbation("options_reversed"),
            alike=[Perturbation("again", 1)],
            task=_from(condition),
            name=f"{condition}-decided-by-position",
            family="position",
        )
        for condition in CONDITIONS
    ]


def lost() -> list[Effect]:
    """Descriptions that were declined, and answers of either that cannot be used."""
    return [
        effects.share("lost", f"{condition}.{kind}", name=f"{condition}-{kind}-lost", family="lost")
        for condition in CONDITIONS
        for kind in (LETTERS, DESCRIPTION, DESCRIBED)
    ]


def _own(condition: str) -> str:
    return f"{condition}.{LETTERS}"


def _from(condition: str) -> str:
    return f"{condition}.{DESCRIBED}"


FAMILIES: Mapping[str, Callable[[], list[Effect]]] = {
    "accuracy": accuracy,
    "beyond": beyond,
    "unused": unused,
    "decider": decider,
    "position": position,
    "lost": lost,
}
"""From the name of a family to its effects."""
