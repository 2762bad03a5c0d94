"""The plan: every question the effects need, each once, ordered by image."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from auditkit.ask.donors import can_be_shown, kind_of_donor
from auditkit.errors import AuditkitError
from auditkit.images.item import Item
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import Protocol
from auditkit.tasks import Task
from auditkit.tasks.slots import TRUE, WRONG, slots
from auditkit.vocabulary import (
    DATA,
    EARLIER,
    MODEL,
    Condition,
    Effect,
    Perturbation,
    Probe,
    Question,
    condition_name,
)

RENDERED = ("pictures", "display", "order")
"""Stages of the perturbations that change pixels and can be rendered so far."""
NOT_ASKED = ("baseline", "anchor", DATA, EARLIER)
"""Roles whom nobody can be named for: earlier runs, and the data."""
_GIVEN_BY = {"baseline": "--audit-baseline=EVIDENCE.json", "anchor": "--audit-anchor=EVIDENCE.json"}


@dataclass(frozen=True)
class Plan:
    """What to ask about which images.

    The probes are listed image by image when they are needed, so that a plan over a hundred thousand images takes no
    more memory than its records.

    Attributes
    ----------
    records : tuple of Item
        The images, in a fixed order.
    effects : tuple of Effect
        What the collected audits judge.
    protocol : Protocol
        Its catalogue holds what the effects name.
    roles : tuple of str
        Who is asked; questions to others are left out.
    round : int or None
        How many answers the questions need before they can be asked; None for all.
    """

    records: tuple[Item, ...]
    effects: tuple[Effect, ...]
    protocol: Protocol
    roles: tuple[str, ...] = (MODEL,)
    round: int | None = None
    _by_modality: dict[tuple[str, bool], tuple[Question, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _asked: dict[str, tuple[Task, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _exchanges: dict[str, Condition] = field(default_factory=dict, init=False, repr=False, compare=False)

    def of(self, role: str) -> Plan:
        """Return what one role is asked of it."""
        return replace(self, roles=(role,))

    def rounds(self) -> tuple[Plan, ...]:
        """Return the plan in rounds: first what can be asked now, then what is about the answers to that, and so on."""
        catalogue = self.protocol.catalogue
        every = (self.protocol.resolve(question) for effect in self.effects for question in effect.questions())
        last = max(map(catalogue.rounds, every), default=0)
        return (self,) if not last else tuple(replace(self, round=number) for number in range(last + 1))

    def questions(self, modality: str) -> tuple[Question, ...]:
        """Return the distinct questions about images of a modality, resolved: clean first, then by the picture shown.

        A question whose condition names an entry that does not apply to the modality is left out: it is not asked, and
        so it is not missing either. Listed once per modality, not once per image and pass.
        """
        return self._questions(modality, asks=True)

    def inside(self, modality: str) -> tuple[Question, ...]:
        """Return what is compared inside the model of images of a modality, each kind about the clean image too.

        Nothing is asked here; otherwise as `questions`.
        """
        return self._questions(modality, asks=False)

    def _questions(self, modality: str, *, asks: bool) -> tuple[Question, ...]:
        if (modality, asks) not in self._by_modality:
            catalogue = self.protocol.catalogue
            roles = self.roles if asks else (MODEL,)
            resolved = (self.protocol.resolve(q) for effect in self.effects for q in effect.questions())
            every = dict.fromkeys(first for question in resolved for first in self._chain(question))
            wanted = (q for q in every if catalogue.asked_of(q) in roles and self.round in (None, catalogue.rounds(q)))
            found = dict.fromkeys(question for question in wanted if catalogue.asks(question) == asks)
            if not asks:
                found |= dict.fromkeys(replace(question, condition=()) for question in [*found])
            applying = [
                q
                for q in found
                if catalogue.applies_to(q.condition, modality) and catalogue.task(q.task).applies_to(modality)
            ]
            applying.sort(key=lambda question: (catalogue.shown(question), question))
            self._by_modality[modality, asks] = tuple(applying)
        return self._by_modality[modality, asks]

    def _chain(self, question: Question | None) -> Iterator[Question]:
        """Yield a question, and those that it is about."""
        while question is not None:
            yield question
            question = self.protocol.catalogue.first(question)

    def about(self, record: Item) -> tuple[Question, ...]:
        """Return the questions about one item, in the order of `questions`.

        Tasks that need what the item has not (a right answer, a second picture) are left out, and so is what takes a
        picture of another patient where there is none, or a changed picture that the data do not hold: they are not
        asked, and so they are not missing either.
        """
        lacks, hidden = self._lacking(record), self._hidden(record)
        questions = self.questions(record.modality)
        if not lacks and not hidden:
            return questions
        return tuple(q for q in questions if q.task not in lacks and hidden.isdisjoint(q.condition))

    def _shows(self, modality: str) -> Condition:
        """What the questions about a modality do to which pictures are shown; listed once, not once per item."""
        if modality not in self._exchanges:
            steps = dict.fromkeys(step for question in self.questions(modality) for step in question.condition)
            entries = {step: self.protocol.catalogue.entry(step.name) for step in steps}
            self._exchanges[modality] = tuple(s for s in steps if entries[s].stage == "pictures" or entries[s].given)
        return self._exchanges[modality]

    def lacking(self, record: Item) -> dict[str, str]:
        """Return what of the plan an item of its modality is not asked, each with the reason in words.

        By task, or by the perturbation of which the data hold no picture.
        """
        held = sorted(step for step in self._hidden(record) if self.protocol.catalogue.entry(step.name).given)
        return self._lacking(record) | {str(step): "the data hold no picture changed by it" for step in held}

    def _hidden(self, record: Item) -> set[Perturbation]:
        catalogue = self.protocol.catalogue
        return {step for step in self._shows(record.modality) if not can_be_shown(record, (step,), catalogue)}

    def _lacking(self, record: Item) -> dict[str, str]:
        catalogue, n = self.protocol.catalogue, len(record.pictures)
        reasons = ((task.id, catalogue.lacking(task, record.columns, n)) for task in self._tasks(record.modality))
        return {task: reason for task, reason in reasons if reason}

    def _tasks(self, modality: str) -> tuple[Task, ...]:
        """The tasks that items of a modality are asked; listed once, not once per item."""
        if modality not in self._asked:
            every = (*self.questions(modality), *self.inside(modality))
            names = dict.fromkeys(question.task for question in every)
            self._asked[modality] = tuple(map(self.protocol.catalogue.task, names))
        return self._asked[modality]

    def probes(self, record: Item) -> list[Probe]:
        """Return the questions about one item as probes, in the order of `questions`."""
        return [Probe(record.id, question) for question in self.about(record)]

    def size(self) -> int:
        """Return the number of questions about all items."""
        return sum(len(self.about(record)) for record in self.records)


def stages(records: Sequence[Item], number: int, seed: int) -> tuple[tuple[Item, ...], ...]:
    """Divide the images into stages of patients, in an order fixed by the seed; no patient is in two stages.

    Parameters
    ----------
    records : sequence of Item
        All images.
    number : int
        Stages wanted; those without a patient are dropped.
    seed : int
        The protocol's seed.

    Returns
    -------
    tuple of tuples of Item
        Images by stage, sorted by id. Every modality is spread evenly over the stages.
    """
    ordered = sorted(records, key=lambda r: r.id)
    stage_of: dict[str, int] = {}
    for clusters in _queues(ordered, seed).values():
        fresh = [cluster for cluster in clusters if cluster not in stage_of]
        # Rounded up, so that the first stage of few patients is not the smallest.
        ends = [-(-len(fresh) * (stage + 1) // number) for stage in range(number)]
        for place, cluster in enumerate(fresh):
            stage_of[cluster] = next(stage for stage, end in enumerate(ends) if place < end)
    divided = (tuple(r for r in ordered if stage_of[r.cluster] == stage) for stage in range(number))
    return tuple(stage for stage in divided if stage)


def _queues(ordered: Sequence[Item], seed: int) -> dict[str, list[str]]:
    """Patients by modality, in an order that depends on the seed and their hashed ids only."""
    queues: dict[str, dict[str, None]] = {}
    for record in ordered:
        queues.setdefault(record.modality, {})[record.cluster] = None
    return {
        modality: sorted(queues[modality], key=lambda c: hashlib.sha256(f"{seed}:{c}".encode()).digest())
        for modality in sorted(queues)
    }


def answering(effect: Effect, protocol: Protocol) -> tuple[str, ...]:
    """Return whose answers an effect takes and who is asked for them: of a judged answer both."""
    found: dict[str, None] = {}
    for question in effect.questions():
        at: Question | None = protocol.resolve(question)
        while at is not None:
            found |= {at.role: None, protocol.catalogue.asked_of(at): None}
            at = protocol.catalogue.first(at)
    return tuple(found)


def distinct(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Return the effects without repetitions, sorted by family and name so that the order of the tests does not show.

    Raises
    ------
    AuditkitError
        When two different effects have the same family and name.
    """
    by_name: dict[tuple[str, str], Effect] = {}
    for effect in effects:
        if by_name.setdefault((effect.family, effect.name), effect) != effect:
            raise AuditkitError(
                f"two different effects are both named {effect.family}/{effect.name}; only one could be reported.",
                "Give them different names, as in effect.named('another name').",
            )
    return tuple(by_name[key] for key in sorted(by_name))


def check_effects(effects: Iterable[Effect], protocol: Protocol) -> None:
    """Refuse effects that name something that does not exist, or that cannot be asked of the model.

    Done before the first question, because the last of them might only come up after hours.

    Raises
    ------
    AuditkitError
        Naming the effect and what it asks for.
    """
    for effect in effects:
        try:
            for question in effect.questions():
                _check_question(question, protocol)
            for value in (value for part in effect.parts for _, value in part.terms):
                if value.name or effect.statistic != "differs":  # answers with labels may differ without any number
                    protocol.catalogue.quantity(value)
        except AuditkitError as error:
            raise AuditkitError(
                f"{effect.family}/{effect.name} cannot be asked: {error.problem}", error.remedy
            ) from None


def _check_question(question: Question, protocol: Protocol) -> None:
    if question.role in NOT_ASKED:
        option = _GIVEN_BY.get(question.role)
        raise AuditkitError(
            f"{question} would have to be answered by {question.role!r}, whom no audit can ask.",
            f"Give the earlier run with {option}: every audit is then held against it too."
            if option
            else f"Leave out .by({question.role!r}).",
        )
    catalogue = protocol.catalogue
    resolved = protocol.resolve(question)
    if catalogue.asks(resolved):
        catalogue.prompt(resolved)
        _check_statements(resolved, catalogue)
    elif resolved.role != MODEL:
        raise AuditkitError(
            f"{question} compares what {question.role!r} holds inside; that is fetched of the audited model only.",
            f"Leave out .by({question.role!r}).",
        )
    elif catalogue.pictures(resolved.condition) != resolved.condition:
        raise AuditkitError(
            f"{question} compares what the model holds inside, which words and ways of asking do not change.",
            "Name perturbations of pictures only.",
        )
    for perturbation in catalogue.pictures(resolved.condition):
        stage = catalogue.entry(perturbation.name).stage
        if stage not in RENDERED:
            raise AuditkitError(
                f"{perturbation} is of stage {stage!r}, which cannot be rendered yet.",
                f"Use a perturbation of stage {' or '.join(map(repr, RENDERED))}.",
            )
    catalogue.load([resolved])
    _check_orders(resolved, catalogue)
    _check_pictures(resolved, catalogue)


def _check_statements(question: Question, catalogue: Catalogue) -> None:
    """Refuse sentences that name the right answer or a wrong one to a task of which nobody knows which is right."""
    task = catalogue.task(question.task)
    for step in catalogue.words(question.condition):
        said = str(catalogue.entry(step.name).parameters(step.level).get("sentence", ""))
        named = [slot for slot in slots(said) if slot in (TRUE, WRONG)]
        if named and task.truth is None:
            raise AuditkitError(
                f"{step} says {{{named[0]}}}, and task {task.id!r} has no right answer to fill it with.",
                f"Give the task a truth, or use a sentence without {{{named[0]}}}.",
            )


def _check_orders(question: Question, catalogue: Catalogue) -> None:
    """Refuse another order of what there is one of, or none."""
    task = catalogue.task(question.task)
    for step in question.condition:
        stage = catalogue.entry(step.name).stage
        if stage == "order" and task.pictures < 2:
            raise AuditkitError(
                f"{step} changes the order of pictures, and {task.id} shows {task.pictures}.",
                "Name a task with pictures = 2.",
            )
        if stage == "answer" and not task.of:
            raise AuditkitError(
                f"{step} changes the answer that a question is about, and {task.id} is about none.",
                'Name a task with of = "...".',
            )
        if stage == "options" and not task.lettered:
            raise AuditkitError(
                f"{step} changes the order of options, and {task.id} has no lettered options.",
                "Name a task whose scorer is a choice.",
            )


def _check_pictures(question: Question, catalogue: Catalogue) -> None:
    """Refuse what shows other pictures, or none, where that means nothing."""
    shown = catalogue.pictures(question.condition)
    others = [p for p in shown if catalogue.entry(p.name).stage == "pictures"]
    _check_given(question, shown, others, catalogue)
    if not others:
        return
    if not catalogue.asks(question):
        raise AuditkitError(
            f"{question} compares what the model holds inside of an image with what it holds of another, or of none.",
            "Name perturbations of the image itself.",
        )
    if len(others) > 1:
        raise AuditkitError(f"{condition_name(shown)} shows other pictures twice.", "Name one of them.")
    if len(shown) > 1 and not kind_of_donor(others[0], catalogue):
        raise AuditkitError(
            f"{condition_name(shown)} changes the pixels of a picture that is not there.", f"Leave {shown[-1]} out."
        )


def _check_given(question: Question, shown: Condition, others: Sequence[Perturbation], catalogue: Catalogue) -> None:
    """Refuse pictures that the data hold where something would have to be done to them before."""
    given = catalogue.given(shown)
    if not given:
        return
    if not catalogue.asks(question):
        raise AuditkitError(
            f"{question} compares what the model holds inside of pictures that not every item may have.",
            "Name perturbations that are applied to the image itself.",
        )
    if others or len(given) > 1 or shown[0] != given[0]:
        raise AuditkitError(
            f"{condition_name(shown)} changes {given[-1]}, which is a picture as the data hold it, before it is shown.",
            f"Name {given[-1]} first, and no other that the data have to hold.",
        )


def limit_clusters(records: Sequence[Item], limit: int | None, seed: int) -> tuple[Item, ...]:
    """Take a seeded subset of at most ``limit`` patients, spread over the modalities in turn.

    The order of patients depends on the seed and their hashed ids only, so a larger limit contains a smaller one.

    Parameters
    ----------
    records : sequence of Item
        All images.
    limit : int or None
        Number of patients (clusters) to keep; None keeps all.
    seed : int
        The protocol's seed.
    """
    ordered = sorted(records, key=lambda r: r.id)
    if limit is None:
        return tuple(ordered)
    queues = _queues(ordered, seed)
    chosen: dict[str, None] = {}
    for turn in range(max(map(len, queues.values()), default=0)):
        for clusters in queues.values():
            if len(chosen) < limit and turn < len(clusters):
                chosen[clusters[turn]] = None
    return tuple(record for record in ordered if record.cluster in chosen)
