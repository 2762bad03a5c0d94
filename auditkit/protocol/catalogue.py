"""What can be done and asked under one protocol: everything that auditkit ships, and what the protocol adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from auditkit import perturbations, tasks
from auditkit.errors import AuditkitError
from auditkit.lookup import near, unknown
from auditkit.perturbations import STAGES, Entry
from auditkit.perturbations.words import altered, closed, order, reworded
from auditkit.tasks import SHARES, SLOT, Choice, Prompt, Quantity, Task, of_probabilities
from auditkit.tasks.slots import ANSWER, OPTIONS, TRUE, WRONG, fenced, filled, slots
from auditkit.vocabulary import MODEL, Condition, Perturbation, Question, Value

WITHOUT_PICTURES: Condition = (Perturbation("missing"),)
"""What is done to the pictures of an item where a task shows none of them."""
NOTHING: Mapping[str, str] = MappingProxyType({})
MOST_ROUNDS = 3
"""How many tasks may follow one another, each about the answer to the one before."""
PICTURES = ("pictures", "native", "display", "order")


@dataclass(frozen=True)
class Catalogue:
    """The perturbations and tasks that audits may name.

    Attributes
    ----------
    perturbations : mapping of str to Entry
        By name.
    tasks : mapping of str to Task
        By id.
    score : (str, str)
        Task and wording in which scores are compared.
    """

    perturbations: Mapping[str, Entry]
    tasks: Mapping[str, Task]
    score: tuple[str, str]
    # Every plan, key and column resolves the same few hundred questions again and again.
    _resolved: dict[Question, Question] = field(default_factory=dict, init=False, repr=False, compare=False)
    _prompts: dict[tuple[Question, tuple[str, ...]], Prompt] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _shown: dict[tuple[Question, tuple[str, ...]], tuple[Task, str]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "perturbations", MappingProxyType(dict(self.perturbations)))
        object.__setattr__(self, "tasks", MappingProxyType(dict(self.tasks)))

    def __hash__(self) -> int:
        return hash((self.score, len(self.perturbations), len(self.tasks)))

    def __reduce__(self) -> tuple[type[Catalogue], tuple[Any, ...]]:
        # Read-only mappings cannot be pickled, and catalogues go to worker processes.
        return Catalogue, (dict(self.perturbations), dict(self.tasks), self.score)

    @classmethod
    def of(
        cls,
        entries: Mapping[str, Any],
        tables: Mapping[str, Any],
        score: str,
        scorers: Mapping[str, Any] | None = None,
    ) -> Catalogue:
        """Return the catalogue of a protocol.

        Parameters
        ----------
        entries : mapping of str to mapping
            The protocol's table ``perturbations`` (`auditkit.perturbations.read_entries`).
        tables : mapping of str to mapping
            The protocol's table ``tasks`` (`auditkit.tasks.read_tasks`).
        score : str
            ``task.wording`` in which scores are compared. Whether there is such a wording shows when it is resolved.
        scorers : mapping of str to object, optional
            Scorers by name, beside those that auditkit ships.

        Raises
        ------
        AuditkitError
            Naming the key, the value seen and what is allowed.
        """
        task, _, wording = score.rpartition(".")
        known = {**perturbations.shipped(), **perturbations.read_entries(entries)}
        for entry in known.values():
            _check_placebo(entry, known)
        found = cls(
            known,
            {
                **tasks.shipped(),
                **tasks.inside(),
                **{id: task for name in tasks.PACKS for id, task in tasks.pack(name).items()},
                **tasks.read_tasks(tables, scorers=scorers),
            },
            (task, wording),
        )
        for one in found.tasks.values():
            found._check_rounds(one)
        return found

    def _check_rounds(self, task: Task) -> None:
        """Refuse a task about the answer to one that does not exist, or to itself in the end."""
        seen, at = [task.id], task
        while at.of:
            if at.of not in self.tasks:
                raise unknown(f"task, which tasks.{at.id}.of names", at.of, self.tasks)
            seen.append(at.of)
            at = self.tasks[at.of]
            if len(seen) > MOST_ROUNDS or at.id == task.id:
                raise AuditkitError(
                    f"tasks.{task.id}.of leads from one task to the next: {' -> '.join(seen)}.",
                    f"At most {MOST_ROUNDS} may follow one another.",
                )

    # --- looking up ------------------------------------------------------------------------------------------------

    def entry(self, name: str) -> Entry:
        """Return the entry of a perturbation.

        Raises
        ------
        AuditkitError
            If there is none of that name; near ones are named.
        """
        found = self.perturbations.get(name)
        if found is None:
            raise unknown("perturbation", name, self.perturbations)
        return found

    def task(self, id: str) -> Task:
        """Return a task; the one that scores are compared in where the id is empty.

        Raises
        ------
        AuditkitError
            If there is none of that id; near ones are named.
        """
        found = self.tasks.get(id or self.score[0])
        if found is None:
            raise unknown("task", id or self.score[0], self.tasks)
        return found

    def quantity(self, value: Value) -> Quantity:
        """Return unit and range of a value.

        Raises
        ------
        AuditkitError
            If the task's answers have no such value.
        """
        task = self.task(value.question.task)
        derived = {quantity.name: quantity for quantity in task.derived()}
        quantities, others = task.scorer.quantities, {**SHARES, **derived, **of_probabilities(task)}
        if value.name in others:
            return others[value.name]
        if not value.name and quantities:
            return quantities[0]
        for quantity in quantities:
            if quantity.name == value.name:
                return quantity
        known = [*(quantity.name for quantity in quantities), *others]
        if not value.name:
            raise AuditkitError(
                f"the answers to task {task.id!r} have labels and no number to take a mean of.",
                f"Take one of: {', '.join(known)}.",
            )
        raise unknown(f"value of task {task.id!r}", value.name, known)

    # --- questions -------------------------------------------------------------------------------------------------

    def resolve(self, question: Question) -> Question:
        """Return a question with task and wording filled in and its condition in the order of the stages.

        Within a stage the order stays as it is given: two sentences are said in that order.

        Raises
        ------
        AuditkitError
            If the task, the wording, a perturbation or a level does not exist, or a way of asking is named twice.
        """
        found = self._resolved.get(question)
        if found is None:
            found = self._resolved[question] = self._resolve(question)
        return found

    def _resolve(self, question: Question) -> Question:
        task = self.task(question.task)
        usual = task.first if question.task else self.score[1]
        wording = question.wording or usual
        if wording not in task.wordings:
            raise unknown(f"wording of task {task.id!r}", wording, task.wordings)
        for perturbation in question.condition:
            self.entry(perturbation.name).parameters(perturbation.level)
        asking = [p.name for p in self.asking(question.condition)]
        if len(set(asking)) < len(asking):
            raise AuditkitError(f"{question} names a way of asking twice: {', '.join(asking)}.", "Name each once.")
        condition = tuple(sorted(question.condition, key=self._stage))
        return replace(question, task=task.id, wording=wording, condition=condition)

    def asks(self, question: Question) -> bool:
        """Tell whether a question is put to the model in words."""
        return self.task(question.task).asks

    def first(self, question: Question) -> Question | None:
        """Return the question to whose answer a question is about; None where it is about none.

        What was done to pictures and words was done before that answer was given; the order of options, what is done to
        the answer, and the way of asking belong to the question itself.

        Parameters
        ----------
        question : Question
            Resolved.
        """
        task = self.task(question.task)
        if not task.of:
            return None
        condition = self._of(question.condition, (*PICTURES, "words"))
        return self.resolve(Question(task.of, "", condition, question.role))

    def asked_of(self, question: Question) -> str:
        """Return the role that is asked a question: of a task of a judge or decider that one, whoever is judged."""
        task = self.task(question.task)
        return question.role if task.role == MODEL else task.role

    def lacking(self, task: Task, columns: Mapping[str, str], pictures: int) -> str:
        """Say why an item cannot be asked a task, or one whose answer the task is about; empty where it can.

        Parameters
        ----------
        task : Task
            Of the catalogue.
        columns : mapping of str to str
            Of the item.
        pictures : int
            How many it has.
        """
        reason = task.lacking(columns, pictures)
        return reason or (self.lacking(self.task(task.of), columns, pictures) if task.of else "")

    def rounds(self, question: Question) -> int:
        """Return how many answers must be there before a question can be asked."""
        task, found = self.task(question.task), 0
        while task.of:
            task, found = self.task(task.of), found + 1
        return found

    def shown(self, question: Question) -> Condition:
        """Return what is done to the pictures that a question shows; where its task shows none, that they are missing.

        Parameters
        ----------
        question : Question
            Resolved.
        """
        return self.pictures(question.condition) if self.task(question.task).pictures else WITHOUT_PICTURES

    def about(self, question: Question, columns: Mapping[str, str] = NOTHING) -> tuple[Task, str]:
        """Return the task as it is put about one item, and the right answer.

        Parameters
        ----------
        question : Question
            Resolved.
        columns : mapping of str to str
            Of the item.

        Returns
        -------
        task : Task
            With the item's own options, in the order that the condition shows them in.
        truth : str
            As it would be said; empty where it is not known.
        """
        task = self.task(question.task)
        if not task.columns and not question.condition:
            return task, ""
        key = question, tuple(columns.get(name, "") for name in task.columns)
        found = self._shown.get(key)
        if found is None:
            shown = task.about(columns)
            for step in self._of(question.condition, ("order",)):
                shown = shown.seen(partial(order, self.entry(step.name), level=step.level))
            for step in self._of(question.condition, ("options",)):
                shown = shown.ordered(partial(order, self.entry(step.name), level=step.level))
            found = self._shown[key] = shown, task.right(columns)
        return found

    def prompt(self, question: Question, columns: Mapping[str, str] = NOTHING, answer: str = "") -> Prompt:
        """Return what is sent to the model beside the pictures.

        Parameters
        ----------
        question : Question
            What is asked.
        columns : mapping of str to str
            Of the item: they fill the slots of the wording and of its options.
        answer : str
            What fills the slot ``{answer}``, for tasks about an answer.

        Raises
        ------
        AuditkitError
            As `resolve` does, when a law of words fails, and of a task that asks nothing.
        """
        if answer:  # one of its own for every item
            return self._prompt(self.resolve(question), columns, answer)
        key = question, tuple(columns.get(name, "") for name in self.task(question.task).columns)
        found = self._prompts.get(key)
        if found is None:
            found = self._prompts[key] = self._prompt(self.resolve(question), columns, answer)
        return found

    def _prompt(self, question: Question, columns: Mapping[str, str], answer: str) -> Prompt:
        asked = self.task(question.task)
        if not asked.asks:
            raise AuditkitError(f"task {asked.id!r} asks nothing: what the model holds inside is compared.")
        wording = asked.wordings[question.wording]
        text, said = wording.text, SLOT
        for perturbation in () if asked.of else self.words(question.condition):
            entry = self.entry(perturbation.name)
            text, said = (reworded(one, entry, perturbation.level) for one in (text, said))
        # A law that does more than say something has no equal in texts that the picture is compared with.
        only_said = text == wording.text.replace(SLOT, said)
        task, truth = self.about(question, columns)
        values = {name: columns[name] for name in task.columns if columns.get(name)}
        if isinstance(task.scorer, Choice):
            values[OPTIONS] = task.scorer.lines
            if isinstance(asked.scorer, Choice) and OPTIONS not in slots(wording.text):
                text = text.replace(asked.scorer.lines, task.scorer.lines)
        if truth:
            values[TRUE], values[WRONG] = task.in_words(truth), task.in_words(_other(asked.about(columns), truth))
        if answer:
            for step in self._of(question.condition, ("answer",)):
                answer = altered(answer, self.entry(step.name), step.level)
            values[ANSWER] = fenced(answer)
        system = None if wording.system is None else filled(wording.system, values)
        statements = task.statements(filled(closed(said), values)) if only_said else ()
        return Prompt(system, filled(closed(text), values), task.scorer.choices, wording.max_new_tokens, statements)

    # --- conditions ------------------------------------------------------------------------------------------------

    def pictures(self, condition: Condition) -> Condition:
        """Return the part of a condition that changes what is shown."""
        return self._of(condition, PICTURES)

    def given(self, condition: Condition) -> Condition:
        """Return the part of a condition that the data have to hold pictures of."""
        return tuple(p for p in condition if self.entry(p.name).given)

    def words(self, condition: Condition) -> Condition:
        """Return the part of a condition that changes what is said."""
        return self._of(condition, ("words",))

    def asking(self, condition: Condition) -> Condition:
        """Return the part of a condition that changes neither, but how it is asked."""
        return self._of(condition, ("asking",))

    def applies_to(self, condition: Condition, modality: str) -> bool:
        """Tell whether items of a modality are asked under a condition."""
        return all(self.entry(p.name).applies_to(modality) for p in condition)

    def load(self, questions: Iterable[Question]) -> None:
        """Import the law of every perturbation that questions name, so that a fault shows before anything is asked.

        Raises
        ------
        PerturbationError
            Naming the entry whose law cannot be imported or does not take its parameters.
        """
        for name in dict.fromkeys(p.name for question in questions for p in question.condition):
            if self.entry(name).stage != "asking" and not self.entry(name).given:
                perturbations.law(self.entry(name))

    def _of(self, condition: Condition, stages: tuple[str, ...]) -> Condition:
        return tuple(p for p in condition if self.entry(p.name).stage in stages)

    def _stage(self, perturbation: Perturbation) -> int:
        return STAGES.index(self.entry(perturbation.name).stage)


def _check_placebo(entry: Entry, known: Mapping[str, Entry]) -> None:
    if not entry.placebo:
        return
    placebo = known.get(entry.placebo)
    alike = {name: each for name, each in known.items() if each.stage == entry.stage and name != entry.name}
    if placebo is None or placebo.name not in alike:
        raise AuditkitError(
            f"perturbations.{entry.name}.placebo: there is no other entry {entry.placebo!r} of stage {entry.stage!r}.",
            near(entry.placebo, alike, most=3) or f"Declare [perturbations.{entry.placebo}], or leave placebo out.",
        )


def _other(task: Task, truth: str) -> str:
    """Return the answer after the right one, the first after the last: one and the same for every item like it."""
    answers = task.answers
    return answers[(answers.index(truth) + 1) % len(answers)] if truth in answers else ""
