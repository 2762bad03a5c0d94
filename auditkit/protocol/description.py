"""The effects of the description pack: what an image says beyond the model's own description of it.

The model answers from the image; a decider, which sees no image, answers the same question from the model's
description. Both are right or wrong about the same items, so they are compared item by item. The description is asked
for in two ways, with the finding named and without. The families are declared in
``packs/description/protocol.toml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from auditkit.protocol import effects, right_answers
from auditkit.protocol.diagnosis import CONDITIONS, LETTERS
from auditkit.vocabulary import Effect, Perturbation

NAMED, UNNAMED = "", "_unnamed"
"""The two ways to ask for a description: whether the question names the finding that is decided about."""
WAYS = (NAMED, UNNAMED)
DESCRIPTION, DESCRIBED = "description", "described"


def accuracy() -> list[Effect]:
    """The share of right answers from the image, and from either description."""
    return [
        right_answers.accuracy(f"{condition}.{kind}", family="accuracy")
        for condition in CONDITIONS
        for kind in (LETTERS, *(DESCRIBED + way for way in WAYS))
    ]


def beyond() -> list[Effect]:
    """By how much the answers from the image are right more often than those from the description."""
    return [
        right_answers.accuracy(_own(condition), family="beyond")
        .minus(right_answers.accuracy(_from(condition, way)))
        .named(f"{condition}-beyond-description{_named(way)}")
        for way in WAYS
        for condition in CONDITIONS
    ]


def unused() -> list[Effect]:
    """By how much the answers from the description are right more often: what the model says it saw and did not use.

    A PASS takes a decider that is shown to be better than guessing: one that guesses finds nothing in any description.
    """
    return [
        _provided(
            right_answers.accuracy(_from(condition, way), family="unused")
            .minus(right_answers.accuracy(_own(condition)))
            .named(f"{condition}-described-not-used{_named(way)}"),
            _from(condition, way),
        )
        for way in WAYS
        for condition in CONDITIONS
    ]


def describing() -> list[Effect]:
    """By how much the decisions are right more often where the question for the description names the finding.

    A PASS takes a decider that is shown to be better than guessing: to one that guesses all descriptions are alike.
    """
    return [
        _provided(
            right_answers.accuracy(_from(condition, NAMED), family="describing")
            .minus(right_answers.accuracy(_from(condition, UNNAMED)))
            .named(f"{condition}-described-named-vs-unnamed"),
            _from(condition, NAMED),
        )
        for condition in CONDITIONS
    ]


def decider() -> list[Effect]:
    """How far the decider is from guessing: one that repeats the question, or always says the same, is at 0."""
    return [right_answers.skill(_from(condition, way), family="decider") for way in WAYS for condition in CONDITIONS]


def position() -> list[Effect]:
    """Answers of the decider that change with the order of the options, beyond its own noise."""
    return [
        effects.differs(
            Perturbation("options_reversed"),
            alike=[Perturbation("again", 1)],
            task=_from(condition, way),
            name=f"{condition}-decided-by-position{_named(way)}",
            family="position",
        )
        for way in WAYS
        for condition in CONDITIONS
    ]


def lost() -> list[Effect]:
    """Descriptions that were declined, and answers of either that cannot be used."""
    return [
        effects.share("lost", f"{condition}.{kind}", name=f"{condition}-{kind}-lost", family="lost")
        for condition in CONDITIONS
        for kind in (LETTERS, *(asked + way for way in WAYS for asked in (DESCRIPTION, DESCRIBED)))
    ]


def _own(condition: str) -> str:
    return f"{condition}.{LETTERS}"


def _from(condition: str, way: str) -> str:
    return f"{condition}.{DESCRIBED}{way}"


def _named(way: str) -> str:
    """Return what a name ends with."""
    return way.replace("_", "-")


def _provided(effect: Effect, decided: str) -> Effect:
    """Return an effect of which a PASS takes that these decisions are better than guessing."""
    shown = right_answers.skill(decided).parts[0]
    return replace(effect, parts=tuple(replace(part, provided=shown) for part in effect.parts))


FAMILIES: Mapping[str, Callable[[], list[Effect]]] = {
    "accuracy": accuracy,
    "beyond": beyond,
    "unused": unused,
    "describing": describing,
    "decider": decider,
    "position": position,
    "lost": lost,
}
"""From the name of a family to its effects."""
