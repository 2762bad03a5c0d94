"""What an effect is called and what it compares, in words for people: read off its parts, whatever made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from auditkit import perturbations
from auditkit.judge.ratio_sides import sides_of
from auditkit.judge.right import task_in_words, title_of
from auditkit.judge.sides import mirrored, one_side
from auditkit.judge.sure import STATISTICS, title_of_sure
from auditkit.measure.columns import COUNTED
from auditkit.perturbations import Entry
from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks.slots import TRUE, WRONG
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import CROSSED, MODEL, Condition, Effect, Perturbation, Question, condition_name
from auditkit.words import and_listed

# More than these are counted, not listed.
_MANY = 8
_NAME = 20
"""Characters of a model's name that a title has room for, twice."""
_OF_ERRORS = ("ratio", "shortfall ratio")
_BY_NAME = (*_OF_ERRORS, "agreement", "wording", "separation")
"""Statistics of many questions at once, which their author names best."""
_COUNTS = {
    "differs": "said",
    "ratio": "errors",
    "shortfall ratio": "errors",
    "agreement": "agreement",
    "rank": "rank correlation",
    "separation": "area under the ROC curve",
    "wording": "share of the wording",
    "kept": "right answers kept",
    "risk": "right answers kept",
    "reliability": "calibration error",
    "covered": "covered",
    "referred": "referred",
}
"""What is counted, by statistic, where that is not the value itself."""
_OF_PROBABILITIES = {
    "agrees": "Likeliest choice is the one written",
    "gap": "Expected and written score differ",
    "entropy": "Entropy over the choices",
    "mass": "Probability on the choices",
    "read": "Probabilities could be read",
}
"""Titles of the shipped effects on values that the probabilities of the choices give."""


JOINED = {"mean": "minus", "ratio": "over", "shortfall ratio": "over"}
"""What stands between the names of two models, by statistic."""


@dataclass(frozen=True, slots=True)
class Titles:
    """Names effects in the words of a catalogue.

    Attributes
    ----------
    catalogue : Catalogue
        Where labels and sentences stand.
    names : mapping of str to str
        What the models are called, by role.
    """

    catalogue: Catalogue
    names: Mapping[str, str] = field(default_factory=dict)

    def title(self, effect: Effect) -> str:
        """Name what is changed in a few words (some 34 characters fit the figures), and whose answers count."""
        who = self.who(effect)
        return f"{self._title(one_side(effect))}: {who}" if who else self._title(effect)

    def who(self, effect: Effect) -> str:
        """Say whose answers count: ``LLaVA-Med minus LLaVA``; empty where only the audited model's do.

        Names are shortened together: long ones, and those that are alike without their owner's, give way to the roles.
        The full names stand beside the sides that are compared.
        """
        roles = list(dict.fromkeys(question.role for question in effect.compared()))
        if roles == [MODEL]:
            return ""
        sides = mirrored(effect)
        if sides is None:
            return and_listed(self._short(roles))
        return f" {JOINED.get(effect.statistic, 'and')} ".join(self._short(sides))

    def name(self, role: str) -> str:
        """Name the model of a role; where nobody was named, the role itself."""
        return self.names.get(role) or ("the audited model" if role == MODEL else role)

    def _short(self, roles: Sequence[str]) -> list[str]:
        names = [self.name(role).rstrip("/").rpartition("/")[2] for role in roles]
        if len(set(names)) == len(names) and all(len(name) <= _NAME for name in names):
            return names
        return ["the audited model" if role == MODEL else role for role in roles]

    def _title(self, effect: Effect) -> str:
        if effect.between:
            return self._of_gap(effect)
        if effect.statistic in _BY_NAME:
            return _plain(effect.name)
        if effect.statistic in STATISTICS:
            return title_of_sure(effect, self.catalogue)
        if right := title_of(effect, self.catalogue):
            return right
        questions = [self.catalogue.resolve(question) for question in effect.compared()]
        ladder = ladder_of(effect, self.catalogue)
        if ladder is not None:
            label = self.catalogue.entry(ladder[0]).label + self._inside(questions)
            return label if len(ladder[1]) > 1 else f"{label}, {_levels_in_words(ladder[1])}"
        if effect.name in _OF_PROBABILITIES and effect.name == effect.parts[0].terms[0][1].name:
            return _OF_PROBABILITIES[effect.name]
        wordings = dict.fromkeys(question.words for question in questions)
        if len(wordings) > 1 and (done := _one_step(questions)):
            return self._label(done)
        if len({question.task for question in questions}) > 1:
            return _plain(effect.name)
        if len(wordings) > 1:
            return f"{len(wordings)} wordings, {questions[0].task}"
        if all(not question.condition for question in questions):
            return self._of_answers(effect, questions[0])
        return self._of_change(effect)

    def sides(self, effect: Effect) -> tuple[str, str]:
        """Say in words what is treated and what it is compared with, and whom either was asked of."""
        pair, who = mirrored(effect), self.who(effect)
        if not who or effect.between or effect.statistic in _BY_NAME:
            return self._sides(effect)
        if pair is not None:
            treated, control = self._sides(one_side(effect))
            beside = f", compared with: {control}" if control else ""
            return f"{self.name(pair[0])}: {treated}{beside}", f"the same questions to {self.name(pair[1])}"
        controls = dict.fromkeys(control for part in effect.parts for control in part.controls)
        treated_ = [question for question in dict.fromkeys(effect.compared()) if question not in controls]
        return self._asked_of(treated_), self._asked_of([*controls])

    def _asked_of(self, questions: Sequence[Question]) -> str:
        resolved = map(self.catalogue.resolve, questions)
        return "; ".join(dict.fromkeys(f"{self.name(q.role)}: {self.condition(q.condition)}" for q in resolved))

    def _sides(self, effect: Effect) -> tuple[str, str]:
        if effect.between:
            return f"the level of {_spaced(effect.between)}", "every other level"
        if effect.statistic in _OF_ERRORS:
            return self._of_errors(effect)
        if effect.statistic == "agreement":
            rated = [value.question for _, value in effect.parts[0].terms]
            whose = [f"{self.name(question.role)}: " if self.who(effect) else "" for question in rated]
            first, second = (f"{name}{self._asked(question)}" for name, question in zip(whose, rated, strict=True))
            return first, second
        questions = [self.catalogue.resolve(question) for question in effect.compared()]
        ladder = ladder_of(effect, self.catalogue)
        controls = list(
            dict.fromkeys(self.catalogue.resolve(control) for part in effect.parts for control in part.controls)
        )
        if ladder is not None:
            entry, levels = ladder
            return f"{self.catalogue.entry(entry).label}, {_levels_in_words(levels)}", self.condition(())
        if not controls:
            return "; ".join(dict.fromkeys(self.condition(question.condition) for question in questions)), ""
        treated = [q for q in questions if q not in controls]
        if len({question.task for question in questions}) == len(questions) == 2:
            return self._asked(treated[0]), self._asked(controls[0])
        wordings = list(dict.fromkeys(question.words for question in questions))
        if len(wordings) > 1 and not _one_step(questions):
            named = ", ".join(wordings) if len(wordings) <= _MANY else f"{len(wordings)} wordings"
            return named, "every other of them"
        others = self._others(controls)
        if len(treated) > _MANY:
            return _counted(treated), others
        return "; ".join(dict.fromkeys(self.condition(question.condition) for question in treated)), others

    def _others(self, controls: Sequence[Question]) -> str:
        """Say what is compared with: several by the first, which stands nearest."""
        named = list(dict.fromkeys(self.condition(question.condition) for question in controls))
        if len(named) == 1:
            return named[0]
        entries = (self.catalogue.entry(p.name) for question in controls for p in question.condition)
        what = " sentences" if all(entry.stage == "words" for entry in entries) else ""
        return f"the mean over {len(named)}{what}, such as {named[0]}"

    def condition(self, condition: Condition) -> str:
        """Say in words what a condition does."""
        parts = [self._perturbation(perturbation) for perturbation in condition]
        return ", ".join(parts) or "clean image, no extra sentence"

    def words(self, effect: Effect) -> str:
        """Name task and wording of the questions."""
        return ", ".join(dict.fromkeys(self.catalogue.resolve(question).words for question in effect.compared()))

    def quantity(self, effect: Effect) -> str:
        """Name the value that is counted."""
        _, value = effect.parts[0].terms[0]
        if effect.statistic in _COUNTS:
            return _COUNTS[effect.statistic]
        return self.catalogue.quantity(value).name

    def hazard(self, effect: Effect) -> str:
        """Return the hazard that stands beside what is changed; empty where there is none of its own."""
        for part in effect.parts:
            for question in part.treated:
                for perturbation in question.condition:
                    hazard = self.catalogue.entry(perturbation.name).hazard
                    if hazard:
                        return hazard
        return ""

    def _of_errors(self, effect: Effect) -> tuple[str, str]:
        """Say under what the errors are counted, and in whose."""
        ours, theirs = sides_of(effect.parts[0])
        questions = [self.catalogue.resolve(v.question) for weight, v in ours.terms if weight > 0]
        named = (
            _counted(questions) if len(questions) > _MANY else "; ".join(self.condition(q.condition) for q in questions)
        )
        if not theirs.terms:
            return f"errors under {named}", "errors that were fixed beforehand"
        if theirs.terms[0][1].question.role != MODEL:
            role = theirs.terms[0][1].question.role
            return f"errors under {named}", f"those of {self.names.get(role) or f'the {role}'}"
        return f"errors under {named}", f"errors under {self.condition(theirs.terms[0][1].question.condition)}"

    def _asked(self, question: Question) -> str:
        """Name a rating: what was asked, and of what."""
        resolved = self.catalogue.resolve(question)
        return f"{resolved.words}, {self.condition(resolved.condition)}"

    def _inside(self, questions: Sequence[Question]) -> str:
        """The kind of embedding that is compared, and that the score is held beside it; empty where none is."""
        kinds = dict.fromkeys(question.wording for question in questions if not self.catalogue.asks(question))
        beside = [" and score"] if kinds and any(map(self.catalogue.asks, questions)) else []
        return "".join([*(f", {kind}" for kind in kinds), *beside])

    def _perturbation(self, perturbation: Perturbation) -> str:
        entry = self.catalogue.entry(perturbation.name)
        sentence = entry.parameters(perturbation.level).get("sentence")
        if entry.stage == "words" and sentence:
            return f"“{_in_general(str(sentence))}”"
        if entry.stage == "asking":
            return {"again": "asked a second time", "alone": "asked alone"}.get(entry.name, entry.label)
        return self._label(perturbation)

    def _of_answers(self, effect: Effect, question: Question) -> str:
        _, value = effect.parts[0].terms[0]
        named = {f"{words}-{value.name}" for words in (question.words, question.task)}
        if len(effect.parts) == 1 and value.name in COUNTED and effect.name in named:
            return f"{task_in_words(effect.name.removesuffix(f'-{value.name}'))}: {value.name}"
        if value.name in COUNTED and (where := effect.parts[0].where) and where[0] == COLUMN_OF + question.task:
            return f"{task_in_words(question.task)}, {value.name}: {where[1]}"
        return _plain(effect.name)

    def _of_gap(self, effect: Effect) -> str:
        """The number and the column: of a single answer or a fall per step; else a name of its author's own."""
        [part, *others] = effect.parts
        by = f" by {_spaced(effect.between)}"
        if others or part.where is not None:
            return _plain(effect.name)
        if effect.per:
            return f"Fall per step{by}" if self.quantity(effect) == "score" else _plain(effect.name)
        [(weight, value), *more] = part.terms
        if more or weight != 1 or value.question.condition:
            return _plain(effect.name)
        name = "lost answers" if value.name == "lost" else self.quantity(effect)
        return _plain(name + by)

    def _of_change(self, effect: Effect) -> str:
        """The words of a single change; a name of its author's own for anything more."""
        part = effect.parts[0]
        if len(effect.parts) > 1 or len(part.treated) > 1 or part.where is not None:
            return _plain(effect.name)
        question = self.catalogue.resolve(part.treated[-1])
        blamed = question.condition
        against = part.control.condition if part.control is not None else ()
        if len(blamed) != 1 or len(against) > 1:
            return _plain(effect.name)
        level = perturbations.levels().get(blamed[0].name)
        if level is not None:
            side = self._other_side(against)
            return f"{level.pair}: {level.side} vs {side}".replace("_", " ").capitalize()
        if blamed[0].name in perturbations.placebos():
            return f"{blamed[0].name.partition('.')[0]}: neutral sentence".replace("_", " ").capitalize()
        entry = self.catalogue.entry(blamed[0].name)
        if entry.stage == "asking":
            plain = effect.name == condition_name(blamed)
            return f"{_plain(question.task)}: {self._perturbation(blamed[0])}" if plain else _plain(effect.name)
        if entry.stage == "answer":
            return _plain(effect.name)
        if entry.stage == "options":
            return _plain(f"{_spaced(question.task).replace('.', ', ')}: {entry.label}")
        return self._label(blamed[0]) + (self._against(entry, against[0]) if against else "")

    def _against(self, entry: Entry, control: Perturbation) -> str:
        if control.name == entry.placebo:
            return " vs neutral"
        here, there = entry.label, self._label(control)
        for mark in (" “", ": "):  # what both begin with is said once
            head, _, rest = there.partition(mark)
            if rest and here.startswith(head + mark):
                return f" vs {mark.strip(': ')}{rest}"
        return f" vs {there}"

    def _other_side(self, against: Condition) -> str:
        if not against:
            return "no sentence"
        other = perturbations.levels().get(against[0].name)
        if other is not None:
            return other.side
        return "neutral" if against[0].name in perturbations.placebos() else self._label(against[0])

    def _label(self, perturbation: Perturbation) -> str:
        label = self.catalogue.entry(perturbation.name).label
        return f"{label}, severity {perturbation.level}" if perturbation.level else label


def ladder_of(effect: Effect, catalogue: Catalogue, *, one: bool = False) -> tuple[str, tuple[int, ...]] | None:
    """Return the entry and the levels that an effect climbs: the item as it is, and one perturbation at several levels.

    What is compared inside the model is always compared with the item as it is. None where it compares anything else.
    With `one`, a single level is a ladder too, whatever its part is called.
    """
    questions = [catalogue.resolve(question) for question in effect.compared()]
    inside = [question for question in questions if not catalogue.asks(question)]
    questions = inside or questions
    conditions = list(dict.fromkeys(question.condition for question in questions))
    steps = [condition for condition in conditions if condition]
    names = {condition[0].name for condition in steps}
    plain = (() in conditions or bool(inside)) and all(len(condition) == 1 for condition in steps)
    one_wording = len({question.words for question in questions}) == 1
    # A single step climbs where its part says which step it is.
    several = one or len(steps) > 1 or all(part.label for part in effect.parts)
    if not plain or len(names) != 1 or not several or not one_wording:
        return None
    levels = sorted(condition[0].level for condition in steps)
    return names.pop(), tuple(levels)


def _counted(questions: list[Question]) -> str:
    """Say how many conditions there are; of single perturbations, which levels they have."""
    steps = [question.condition[0] for question in questions if len(question.condition) == 1]
    if len(steps) < len(questions):
        return f"{len(questions)} conditions"
    levels = tuple(sorted({step.level for step in steps}))
    return f"{len({step.name for step in steps})} perturbations, {_levels_in_words(levels)}"


def _levels_in_words(levels: tuple[int, ...]) -> str:
    """Say which severities: a range only where it is one."""
    if len(levels) == 1:
        return f"severity {levels[0]}"
    if levels == tuple(range(levels[0], levels[-1] + 1)) and len(levels) > 2:
        return f"severity {levels[0]} to {levels[-1]}"
    return f"severity {', '.join(map(str, levels[:-1]))} and {levels[-1]}"


def _one_step(questions: Sequence[Question]) -> Perturbation | None:
    """The one thing that is done under several wordings, beside nothing; None where it is none, or more."""
    done = {question.condition for question in questions if question.condition}
    [condition, *others] = done or {()}
    return condition[0] if len(condition) == 1 and not others else None


def _in_general(sentence: str) -> str:
    """A sentence that is filled in item by item, in words that fit all of them."""
    named = {TRUE: "[the right one]", WRONG: "[a wrong one]"}
    for slot, words in named.items():
        sentence = sentence.replace(f"{{{slot}}}", words)
    return sentence


def _spaced(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").replace(CROSSED, " and ")


def _plain(name: str) -> str:
    text = _spaced(name)
    return text[:1].upper() + text[1:]
