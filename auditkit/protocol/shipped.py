"""The comparisons that auditkit ships, listed from the catalogues: add an entry there and its audits exist.

Every function gives the same objects in the same order each time, so they can be used in ``parametrize`` and counted
when a family is corrected for multiplicity: the size of a family is what is declared here, never what was collected.
"""

from __future__ import annotations

from collections.abc import Callable

from auditkit import perturbations, tasks
from auditkit.vocabulary import Comparison, Condition, Contrast, Group, Series, Wordings

DIRECTIONS = ("brightness", "brightness_down", "contrast", "contrast_up")
STRONGEST = 5


def sensitivity_series() -> list[Series]:
    """Every corruption at rising severity, for the fall of the score."""
    return [Series(name, "sensitivity", name) for name in perturbations.catalogue()]


def discrimination_series() -> list[Series]:
    """Every corruption at rising severity, for telling clean from corrupted."""
    return [Series(name, "discrimination", name) for name in perturbations.catalogue()]


def direction_series() -> list[Series]:
    """Brightness and contrast, each both ways."""
    return [Series(name, "direction", name) for name in DIRECTIONS]


def metadata_contrasts() -> list[Contrast]:
    """Every attribute level against its matched counterpart (once per pair) and against the category's placebo."""
    found = []
    for level in tasks.levels().values():
        treated = Condition(context=level.id)
        if level.id < level.counterpart:
            other = level.counterpart
            name = f"{level.category}.{level.pair}-{level.side}-vs-{other.rsplit('.', 1)[-1]}"
            found.append(Contrast(name, "metadata", treated, Condition(context=other)))
        name = f"{level.category}.{level.pair}-{level.side}-vs-neutral"
        found.append(Contrast(name, "metadata", treated, Condition(context=level.placebo)))
    return found


def placebo_contrasts() -> list[Contrast]:
    """Every neutral filler sentence against no sentence."""
    return [Contrast(name, "placebo", Condition(context=name)) for name in tasks.placebos()]


def template_wordings() -> list[Wordings]:
    """Every wording that asks for a number from 0 to 100."""
    names = tuple(t.id for t in tasks.templates().values() if t.format == "score_100")
    return [Wordings("score_100", "templates", names)]


def answer_groups() -> list[Group]:
    """Every template on clean images, for the share of refused and of otherwise unusable answers."""
    kinds = ("refused", "unusable")
    return [Group(f"{name}-{kind}", "answers", (Condition(),), name) for name in tasks.templates() for kind in kinds]


def differential_contrasts() -> list[Contrast]:
    """Whether a condition changes the share of answers that cannot be used: strongest corruptions, attribute levels."""
    corrupted = [
        Contrast(f"{name}-s{STRONGEST}", "differential", Condition(name, STRONGEST))
        for name in perturbations.catalogue()
    ]
    worded = [
        Contrast(level.id, "differential", Condition(context=level.id), Condition(context=level.placebo))
        for level in tasks.levels().values()
    ]
    return corrupted + worded


def repeatability_contrasts() -> list[Contrast]:
    """The same question a second time, and alone instead of in a batch."""
    return [
        Contrast("asked-twice", "repeatability", Condition(repeat=1)),
        Contrast("alone-vs-batch", "repeatability", Condition(alone=True)),
    ]


SHIPPED: dict[str, Callable[[], list[Comparison]]] = {
    "sensitivity": lambda: [*sensitivity_series()],
    "discrimination": lambda: [*discrimination_series()],
    "direction": lambda: [*direction_series()],
    "metadata": lambda: [*metadata_contrasts()],
    "placebo": lambda: [*placebo_contrasts()],
    "templates": lambda: [*template_wordings()],
    "answers": lambda: [*answer_groups()],
    "differential": lambda: [*differential_contrasts()],
    "repeatability": lambda: [*repeatability_contrasts()],
}
