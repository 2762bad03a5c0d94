"""The vocabulary of an audit: what is done to an item, what is asked, which number is taken, and what is judged.

A `Perturbation` is one thing done to an item before it is asked about; a condition is a tuple of them, and ``()`` is
the item as it is. A `Question` is put to every item, a `Value` is one number of its answers, and an `Effect` is a
weighted sum of values per item. Audits are parametrized with effects; each lists the questions it needs, so the plan is
known before the first audit runs.

This module is imported when audits are collected: standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

MODEL = "model"
"""The role of the model that is audited."""
DATA = "data"
"""The role of the data themselves: what columns of the items say, such as ratings by people."""
EARLIER = "earlier run"
"""The role under which the answers of an earlier run stand beside today's; no word, so that no role is called so."""
ATTRIBUTES = ("sex", "age", "site", "manufacturer", "label")
"""Columns that an item may have beside its modality, whatever the source."""
CROSSED = "*"
"""Between columns whose levels are taken together: ``sex*site``."""
CLEAN = "clean"
"""What an item without any perturbation is called."""


@dataclass(frozen=True, order=True, slots=True)
class Perturbation:
    """One thing done before asking.

    Attributes
    ----------
    name : str
        An entry of the catalogue: ``"pixelate"``, ``"institution.prestige.high"``, ``"again"``.
    level : int
        1 to the number of the entry's levels; 0 where it has one strength only.
    """

    name: str
    level: int = 0

    def __str__(self) -> str:
        return f"{self.name}-s{self.level}" if self.level else self.name


Condition = tuple[Perturbation, ...]
"""What is done, in the order of the stages: pictures, native, display, words, asking. Empty: the item as it is."""


def condition_name(condition: Condition) -> str:
    """Return a condition in one word: ``"clean"``, ``"pixelate-s3"``, ``"pixelate-s3+institution.prestige.high"``."""
    return "+".join(map(str, condition)) or CLEAN


@dataclass(frozen=True, order=True, slots=True)
class Question:
    """One question, put to every item.

    Attributes
    ----------
    task : str
        A task of the catalogue; empty for the one the protocol compares scores in.
    wording : str
        One of the task's wordings; empty for the protocol's where the task is, else for the task's first.
    condition : tuple of Perturbation
        What is done to the item before.
    role : str
        Who answers: ``"model"`` is the model that is audited, any other word who is named by ``--audit-with``.
    """

    task: str = ""
    wording: str = ""
    condition: Condition = ()
    role: str = MODEL

    def __str__(self) -> str:
        words = ".".join(part for part in (self.task, self.wording) if part) or "score"
        return f"{words} {condition_name(self.condition)}" + ("" if self.role == MODEL else f" by {self.role}")

    @property
    def words(self) -> str:
        """Task and wording in one word: ``"quality.direct"``."""
        return ".".join(part for part in (self.task, self.wording) if part)

    def under(self, *perturbations: Perturbation) -> Question:
        """Return the question after these perturbations too."""
        return replace(self, condition=(*self.condition, *perturbations))


@dataclass(frozen=True, order=True, slots=True)
class Probe:
    """One question about one item."""

    item: str
    question: Question


@dataclass(frozen=True, order=True, slots=True)
class Value:
    """One number of an answer.

    Attributes
    ----------
    question : Question
        What was asked.
    name : str
        Empty for the task's main value; else one of those its scorer gives, or one that every answer has: ``"lost"``,
        ``"refused"``, ``"unusable"`` (0 or 1); or of tasks with a right answer ``"correct"``, ``"above_chance"``,
        ``"likeliest_correct"``, ``"confidence"``, ``"brier"``; or one that the probabilities of its choices give:
        ``"expected"``, ``"gap"``, ``"entropy"``, ``"mass"``, ``"agrees"``, ``"read"``, ``"chance of X"``.
    """

    question: Question
    name: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One decision: a weighted sum of values per item.

    Attributes
    ----------
    label : str
        What tells it from the effect's other parts: ``""``, ``"severity 3"``, ``"reader vs direct"``.
    terms : tuple of (float, Value)
        Weights and values.
    where : (str, str) or None
        Only items whose column has this level: ``("label", "pneumonia")``.
    unknown : float
        How far to either side an item may lie of which no term is known, in units of the protocol's
        ``missing_points``. 0 where such an item counts as no effect.
    alike : tuple of Value
        Values of questions that mean the same: how far they lie apart is the model's own noise, against which a tail
        is counted.
    balanced : str
        A column whose levels count equally, however many items each has: the right answer, for a balanced accuracy.
    provided : Part or None
        What must be shown to lie above zero on average before a PASS counts: that there was something to lose, for a
        loss of accuracy.
    """

    label: str
    terms: tuple[tuple[float, Value], ...]
    where: tuple[str, str] | None = None
    unknown: float = 1.0
    alike: tuple[Value, ...] = ()
    balanced: str = ""
    provided: Part | None = None

    @property
    def controls(self) -> tuple[Question, ...]:
        """What the others are compared with, in order: the question with the fewest perturbations.

        Of several those that are taken off, and if none is, the last. Values of one answer are not compared.
        """
        if len({value.question for _, value in self.terms}) < 2:
            return ()
        fewest = min(len(value.question.condition) for _, value in self.terms)
        found = {v.question: w for w, v in self.terms if len(v.question.condition) == fewest}
        taken_off = tuple(question for question, weight in found.items() if weight < 0)
        return tuple(found) if len(found) == 1 else taken_off or tuple(found)[-1:]

    @property
    def control(self) -> Question | None:
        """The first of the controls; None where nothing is compared."""
        return next(iter(self.controls), None)

    @property
    def treated(self) -> tuple[Question, ...]:
        """The questions beside the controls, in order; the last is blamed. Of a single question, that one."""
        every, controls = dict.fromkeys(value.question for _, value in self.terms), self.controls
        return tuple(question for question in every if question not in controls) or tuple(every)

    def weighted(self, factor: float) -> Part:
        """Return the part with every weight multiplied."""
        return replace(self, terms=tuple((factor * weight, value) for weight, value in self.terms))


@dataclass(frozen=True, slots=True)
class Effect:
    """What an audit is parametrized with: one or several decisions about the same question.

    Attributes
    ----------
    name : str
        Short and stable: the key of baselines and histories.
    family : str
        The family of the protocol that limits it, and within which its FAIL is corrected for multiplicity.
    parts : tuple of Part
        The decisions.
    statistic : str
        What is made of the items' values: ``"mean"``, ``"differs"`` (share of items whose two answers differ),
        ``"area"`` (under the ROC curve of the first term against the second), ``"calibration"`` (mean distance between
        the values read as chances that an item is as in the terms with a positive weight, and how often it is),
        ``"separation"`` (area under the ROC curve of the first term, a chance of an answer: items of which that answer
        is right against those of the other classes), ``"follows"`` (correlation, within the item, of the values of its
        first task with those of the other), ``"rank"`` (correlation, over items at equal condition, of the ranks of the
        first task's values with those of the change of the other's), ``"ratio"`` (of the values of the audited model,
        which count errors, to those of the role ``"reference"``, or where it has no terms to those with a negative
        weight; the reference's terms have the opposite sign, as in a difference), ``"shortfall ratio"`` (the same,
        where an error is what a value lacks of the top of its range), ``"agreement"`` (quadratic weighted kappa of the
        first term with the second), ``"wording"`` (share of the variance that is due to which of the terms was asked),
        ``"kept"`` (share of right answers among the items of which the model is most confident; the weight of a
        confidence is the share of items that are kept, and what stands with the opposite sign is taken off), ``"risk"``
        (its mean over all shares kept),
        ``"reliability"`` (distance between confidence and right answers, band by band), ``"covered"`` and
        ``"referred"`` (shares of items whose right answer is among those that a threshold leaves, and of which not one
        answer is left; the weight of the chances is the share to be covered, and the threshold is chosen on those with
        a negative one where there are any).
    per : str
        What the mean is counted by, as in points *per severity step*; empty for the quantity itself.
    between : str
        A column of the items, or several (``sex*site``): the gaps between its levels are looked at instead of the
        number itself.
    """

    name: str
    family: str
    parts: tuple[Part, ...]
    statistic: str = "mean"
    per: str = ""
    between: str = ""

    def __str__(self) -> str:
        return self.name

    def questions(self) -> Iterator[Question]:
        """Yield every question once: the controls first, and last those that no number is made of."""
        alike = (value.question for part in self.parts for value in part.alike)
        provided = (v.question for part in self.parts if part.provided for _, v in part.provided.terms)
        yield from dict.fromkeys((*self.compared(), *provided, *alike))

    def compared(self) -> Iterator[Question]:
        """Yield every question that the numbers are made of once, the controls first."""
        found = [control for part in self.parts for control in part.controls]
        found += [value.question for part in self.parts for _, value in part.terms]
        yield from dict.fromkeys(found)

    def named(self, name: str, family: str = "") -> Effect:
        """Return the effect under another name, and of another family where one is given."""
        return replace(self, name=name, family=family or self.family)

    def under(self, *perturbations: Perturbation) -> Effect:
        """Return the same numbers after these perturbations too."""
        suffix = "".join(f"+{p}" for p in perturbations)
        return self._each(lambda question: question.under(*perturbations), self.name + suffix)

    def by(self, role: str) -> Effect:
        """Return the same questions, answered by another; what must be shown first is shown of that one too."""

        def by(part: Part) -> Part:
            terms = tuple((w, replace(v, question=replace(v.question, role=role))) for w, v in part.terms)
            return replace(part, terms=terms)

        found = self._each(lambda question: replace(question, role=role), f"{self.name}@{role}")
        parts = (replace(part, provided=part.provided and by(part.provided)) for part in found.parts)
        return replace(found, parts=tuple(parts))

    def where(self, column: str, level: str) -> Effect:
        """Return the same numbers over the items whose column has this level."""
        parts = tuple(replace(part, where=(column, level)) for part in self.parts)
        return replace(self, parts=parts, name=f"{self.name}[{column}={level}]")

    def among(self, column: str) -> Effect:
        """Return the gap of the same numbers between the levels of a column: sex, site, scanner."""
        return replace(self, between=column, name=f"{self.name}-by-{column.replace(CROSSED, '-and-')}")

    def minus(self, other: Effect) -> Effect:
        """Return the difference of two effects, item by item; part by part where both have the same labels.

        Raises
        ------
        ValueError
            When the parts do not match, either is not a mean, or the two cancel.
        """
        if (self.statistic, other.statistic) != ("mean", "mean"):
            raise ValueError(f"{self.name}, {other.name}: only means have differences item by item")
        if len(other.parts) == 1:
            pairs = [(part, other.parts[0]) for part in self.parts]
        elif [p.label for p in self.parts] == [p.label for p in other.parts]:
            pairs = list(zip(self.parts, other.parts, strict=True))
        else:
            raise ValueError(f"{self.name} and {other.name} have other parts, so there is no difference part by part")
        if any((a.where, a.balanced) != (b.where, b.balanced) for a, b in pairs):
            raise ValueError(f"{self.name} and {other.name} are about other items")
        parts = tuple(replace(a, terms=summed((*a.terms, *b.weighted(-1.0).terms))) for a, b in pairs)
        if not all(part.terms for part in parts):
            raise ValueError(f"{self.name} minus {other.name} leaves nothing: both ask the same")
        return replace(self, parts=parts, name=f"{self.name}-vs-{other.name}")

    def _each(self, change: Callable[[Question], Question], name: str) -> Effect:
        def changed(value: Value) -> Value:
            return replace(value, question=change(value.question))

        parts = tuple(
            replace(part, terms=tuple((w, changed(v)) for w, v in part.terms), alike=tuple(map(changed, part.alike)))
            for part in self.parts
        )
        return replace(self, parts=parts, name=name)


def summed(terms: Iterable[tuple[float, Value]]) -> tuple[tuple[float, Value], ...]:
    """Add the weights of equal values up; what cancels is left out."""
    total: dict[Value, float] = {}
    for weight, value in terms:
        total[value] = total.get(value, 0.0) + weight
    return tuple((weight, value) for value, weight in total.items() if weight)
