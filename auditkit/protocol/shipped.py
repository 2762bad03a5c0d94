"""The effects that auditkit ships, listed from the catalogues: add an entry there and its audits exist.

Every function gives the same objects in the same order each time, so they can be used in ``parametrize`` and counted
when a family is corrected for multiplicity: the size of a family is what is declared here, never what was collected.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps

from auditkit import perturbations, tasks
from auditkit.protocol import effects
from auditkit.protocol.effects import (
    EMBEDDING,
    PER_STEP,
    areas,
    between,
    change,
    corruptions,
    departure,
    differs,
    displacement,
    falls,
    follows,
    mean,
    rises,
    share,
    wordings,
)
from auditkit.vocabulary import ATTRIBUTES, Effect, Part, Perturbation, Question, Value, summed

DIRECTIONS = ("brightness", "brightness_down", "contrast", "contrast_up")
STRONGEST = 5


def _made_once(make: Callable[[], list[Effect]]) -> Callable[[], list[Effect]]:
    """Make the effects, which never change, when first asked, because every audit's correction counts its family."""
    made = cache(lambda: tuple(make()))

    @wraps(make)
    def listed() -> list[Effect]:
        return list(made())  # a list of the caller's own

    return listed


@_made_once
def sensitivity() -> list[Effect]:
    """Every corruption at rising severity, for the fall of the score."""
    return [falls(name, family="sensitivity") for name in corruptions()]


@_made_once
def discrimination() -> list[Effect]:
    """Every corruption at rising severity, for telling clean from corrupted."""
    return [areas(name, family="discrimination") for name in corruptions()]


@_made_once
def direction() -> list[Effect]:
    """Brightness and contrast, each both ways."""
    return [rises(name, family="direction") for name in DIRECTIONS]


@_made_once
def metadata() -> list[Effect]:
    """Every attribute level against its matched counterpart (once per pair) and against the neutral sentences."""
    found = []
    for level in perturbations.levels().values():
        name = f"{level.category}.{level.pair}-{level.side}-vs-"
        treated, alike = Perturbation(level.id), _neutral(level.placebo)
        if level.id < level.counterpart:
            other = level.counterpart
            side = other.rsplit(".", 1)[-1]
            found.append(
                change(treated, against=[Perturbation(other)], alike=alike, name=name + side, family="metadata")
            )
        found.append(departure(treated, alike=alike, name=f"{name}neutral", family="metadata"))
    return found


@_made_once
def placebo() -> list[Effect]:
    """Every neutral filler sentence against no sentence."""
    return [
        change(Perturbation(name), alike=[p for p in _neutral() if p.name != name], family="placebo")
        for name in perturbations.placebos()
    ]


def _neutral(first: str = "") -> list[Perturbation]:
    """The neutral sentences, the one of the same shape first."""
    return [Perturbation(name) for name in sorted(perturbations.placebos(), key=lambda name: name != first)]


@_made_once
def templates() -> list[Effect]:
    """Every wording of the task that asks for a number from 0 to 100."""
    return [wordings("quality", tuple(tasks.shipped()["quality"].wordings), family="templates")]


@_made_once
def answers() -> list[Effect]:
    """Every wording on clean images, for the share of refused and of otherwise unusable answers."""
    return [
        share(kind, task.id, wording=wording, family="answers")
        for task in tasks.shipped().values()
        for wording in task.wordings
        for kind in ("refused", "unusable")
    ]


@_made_once
def differential() -> list[Effect]:
    """Whether a condition changes the share of answers that cannot be used: strongest corruptions, attribute levels."""
    lost = share("lost", family="differential")
    corrupted = [Perturbation(name, STRONGEST) for name in corruptions()]
    worded = [
        lost.under(Perturbation(level.id)).minus(lost.under(Perturbation(level.placebo))).named(level.id)
        for level in perturbations.levels().values()
    ]
    return [lost.under(p).minus(lost).named(str(p)) for p in corrupted] + worded


@_made_once
def repeatability() -> list[Effect]:
    """The same question a second time, and alone instead of in a batch."""
    return [
        differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
        differs(Perturbation("alone"), name="alone-vs-batch", family="repeatability"),
    ]


@_made_once
def calibration() -> list[Effect]:
    """The score of clean and degraded images, read as the chance that an image is undamaged."""
    return [effects.calibration(family="calibration")]


@_made_once
def scoring() -> list[Effect]:
    """What the probabilities of the choices say beside what was written: of every wording, on clean images."""
    parts: dict[str, list[Part]] = {name: [] for name in ("agrees", "gap", "entropy", "mass", "read")}
    for task in tasks.shipped().values():
        for name in parts.keys() & tasks.of_probabilities(task).keys():
            questions = (Question(task.id, wording) for wording in task.wordings)
            parts[name] += [Part(question.words, ((1.0, Value(question, name)),)) for question in questions]
    return [Effect(name, "scoring", tuple(own)) for name, own in parts.items()]


@_made_once
def subgroups() -> list[Effect]:
    """Score, lost answers and mean fall of the score between the levels of every attribute."""
    told = {"": mean(), "-lost": share("lost"), "-falls": _mean_fall()}
    return [
        between(column, effect, name=column + suffix, family="subgroups")
        for column in ATTRIBUTES
        for suffix, effect in told.items()
    ]


def _mean_fall() -> Effect:
    """The fall per severity step, averaged over the corruptions that every item is asked about."""
    parts = [falls(e.name).parts[0] for e in perturbations.corruptions() if not e.modalities]
    terms = summed(term for part in parts for term in part.weighted(1 / len(parts)).terms)
    return Effect("mean-fall", "", (Part("", terms, unknown=0.0),), per=PER_STEP)


@_made_once
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
    "calibration": calibration,
    "scoring": scoring,
    "subgroups": subgroups,
    "embeddings": embeddings,
}
