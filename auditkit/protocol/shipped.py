"""The effects that auditkit ships, listed from the catalogues: add an entry there and its audits exist.

Every function gives the same objects in the same order each time, so they can be used in ``parametrize`` and counted
when a family is corrected for multiplicity: the size of a family is what is declared here, never what was collected.
"""

from __future__ import annotations

from collections.abc import Callable

from auditkit import perturbations, tasks
from auditkit.protocol.effects import (
    EMBEDDING,
    areas,
    change,
    corruptions,
    differs,
    displacement,
    falls,
    follows,
    rises,
    share,
    wordings,
)
from auditkit.vocabulary import Effect, Perturbation

DIRECTIONS = ("brightness", "brightness_down", "contrast", "contrast_up")
STRONGEST = 5


def sensitivity() -> list[Effect]:
    """Every corruption at rising severity, for the fall of the score."""
    return [falls(name, family="sensitivity") for name in corruptions()]


def discrimination() -> list[Effect]:
    """Every corruption at rising severity, for telling clean from corrupted."""
    return [areas(name, family="discrimination") for name in corruptions()]


def direction() -> list[Effect]:
    """Brightness and contrast, each both ways."""
    return [rises(name, family="direction") for name in DIRECTIONS]


def metadata() -> list[Effect]:
    """Every attribute level against its matched counterpart (once per pair) and against the category's placebo."""
    found = []
    for level in perturbations.levels().values():
        name = f"{level.category}.{level.pair}-{level.side}-vs-"
        others = [(level.placebo, "neutral")]
        if level.id < level.counterpart:
            others.insert(0, (level.counterpart, level.counterpart.rsplit(".", 1)[-1]))
        for other, side in others:
            against = [Perturbation(other)]
            found.append(change(Perturbation(level.id), against=against, name=name + side, family="metadata"))
    return found


def placebo() -> list[Effect]:
    """Every neutral filler sentence against no sentence."""
    return [change(Perturbation(name), family="placebo") for name in perturbations.placebos()]


def templates() -> list[Effect]:
    """Every wording of the task that asks for a number from 0 to 100."""
    return [wordings("quality", tuple(tasks.shipped()["quality"].wordings), family="templates")]


def answers() -> list[Effect]:
    """Every wording on clean images, for the share of refused and of otherwise unusable answers."""
    return [
        share(kind, task.id, wording=wording, family="answers")
        for task in tasks.shipped().values()
        for wording in task.wordings
        for kind in ("refused", "unusable")
    ]


def differential() -> list[Effect]:
    """Whether a condition changes the share of answers that cannot be used: strongest corruptions, attribute levels."""
    lost = share("lost", family="differential")
    corrupted = [Perturbation(name, STRONGEST) for name in corruptions()]
    worded = [
        lost.under(Perturbation(level.id)).minus(lost.under(Perturbation(level.placebo))).named(level.id)
        for level in perturbations.levels().values()
    ]
    return [lost.under(p).minus(lost).named(str(p)) for p in corrupted] + worded


def repeatability() -> list[Effect]:
    """The same question a second time, and alone instead of in a batch."""
    return [
        differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
        differs(Perturbation("alone"), name="alone-vs-batch", family="repeatability"),
    ]


def embeddings() -> list[Effect]:
    """Every corruption, for how far it moves what the model holds inside, and whether the score follows."""
    kinds = tasks.inside()[EMBEDDING].wordings
    return [
        made(kind, name, family="embeddings")
        for kind in kinds
        for name in corruptions()
        for made in (displacement, follows)
    ]


SHIPPED: dict[str, Callable[[], list[Effect]]] = {
    "sensitivity": sensitivity,
    "discrimination": discrimination,
    "direction": direction,
    "metadata": metadata,
    "placebo": placebo,
    "templates": templates,
    "answers": answers,
    "differential": differential,
    "repeatability": repeatability,
    "embeddings": embeddings,
}
