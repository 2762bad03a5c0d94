"""A task: one question in several wordings, how its answers are read, and which of them is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from auditkit.tasks.quantity import ABOVE_CHANCE, CORRECT, FLAGGED, OF_CHOICES, Quantity
from auditkit.tasks.scorers import Choice, Scorer, Vectors, answers_of
from auditkit.tasks.slots import OPTION, OWN, slots
from auditkit.tasks.truth import COLUMN_OF, Truth
from auditkit.tasks.wording import MAX_NEW_TOKENS, Wording
from auditkit.vocabulary import MODEL


@dataclass(frozen=True)
class Task:
    """One question that can be put to items.

    Attributes
    ----------
    id : str
        Stable key, as in `auditkit.vocabulary.Question`.
    wordings : mapping of str to Wording
        The ways to ask it; the first is the usual one.
    scorer : Scorer
        What reads the answers.
    scorer_spec : plain data
        How the scorer was declared; two tasks are equal when this is, and their wordings are.
    truth : Truth or None
        Where the right answer stands.
    pictures : int
        How many pictures an item must have: 0, 1 or 2.
    flags : tuple of str
        Answers that say that the picture will not do.
    role : str
        Who is asked; ``"model"`` is the model that is audited.
    of : str
        Id of the task whose answer fills the slot ``{answer}``; empty where none does.
    positive : str
        Of two answers the one that says that the disease is there: what sensitivity is about. Empty where no answer
        says that, or several do.
    modalities : tuple of str
        The images that the question makes sense of; empty for all.
    only : (str, tuple of str) or None
        A column, and what it says of the items that are asked: of one data set, where another has classes of the same
        names. None for all.
    class_prompts : tuple of str
        Texts with the slot ``{option}``: what the picture is compared with by a model that compares instead of reading
        the question. Those of one option are averaged. Empty where such a model cannot be asked.
    """

    id: str
    wordings: Mapping[str, Wording]
    scorer: Scorer = field(compare=False)
    scorer_spec: Any
    truth: Truth | None = None
    pictures: int = 1
    flags: tuple[str, ...] = ()
    role: str = MODEL
    of: str = ""
    positive: str = ""
    modalities: tuple[str, ...] = ()
    class_prompts: tuple[str, ...] = ()
    only: tuple[str, tuple[str, ...]] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "wordings", MappingProxyType(dict(self.wordings)))

    def __hash__(self) -> int:
        return hash((self.id, tuple(self.wordings)))

    def __reduce__(self) -> tuple[type[Task], tuple[Any, ...]]:
        # Read-only mappings cannot be pickled, and tasks go to worker processes.
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Task, tuple((values | {"wordings": dict(self.wordings)}).values())

    @property
    def first(self) -> str:
        """The usual wording."""
        return next(iter(self.wordings))

    @property
    def asks(self) -> bool:
        """Whether the model is asked in words; else what it holds inside is compared, and a wording is a kind of it."""
        return not isinstance(self.scorer, Vectors)

    @cached_property
    def spoken(self) -> tuple[str, ...]:
        """The items' columns that the question and its options name."""
        texts = [wording.text for wording in self.wordings.values()]
        texts += [wording.system for wording in self.wordings.values() if wording.system]
        texts += [option.text for option in self._options]
        return tuple(dict.fromkeys(name for text in texts for name in slots(text) if name not in OWN))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """All of the items' columns that it needs: those, and where the right answer stands, as given and as told."""
        truth = (self.truth.column, COLUMN_OF + self.id) if self.truth else ()
        return tuple(dict.fromkeys((*self.spoken, *truth, *(self.only or ())[:1])))

    @property
    def _options(self) -> tuple[Any, ...]:
        return self.scorer.options if isinstance(self.scorer, Choice) else ()

    @property
    def lettered(self) -> bool:
        """Whether its answers are lettered options."""
        return bool(self._options)

    def derived(self) -> tuple[Quantity, ...]:
        """Return the values that answers have beside those of the scorer: what the truth and the flags give."""
        found = (CORRECT, ABOVE_CHANCE) if self.truth else ()
        if self.truth and self.scorer.choices:
            found = (*found, *OF_CHOICES.values())
        return (*found, FLAGGED) if self.flags else found

    def about(self, columns: Mapping[str, str]) -> Task:
        """Return the task about one item: the options as its columns have them.

        Parameters
        ----------
        columns : mapping of str to str
            Of the item.
        """
        if not isinstance(self.scorer, Choice) or not self.scorer.slots:
            return self
        return self._with(self.scorer.about(columns))

    def ordered(self, order: Callable[[int], Sequence[int]]) -> Task:
        """Return the task with its options in another order: each keeps its meaning and gets another letter.

        Parameters
        ----------
        order : callable
            From the number of options to the order that they are shown in.
        """
        if not isinstance(self.scorer, Choice):
            return self
        return self._with(self.scorer.ordered(order(len(self.scorer.options))))

    def seen(self, order: Callable[[int], Sequence[int]]) -> Task:
        """Return the task where the pictures are shown in another order, which is made of their number."""
        if not isinstance(self.scorer, Choice) or self.pictures < 2:
            return self
        return self._with(self.scorer.seen(order(self.pictures)))

    def _with(self, scorer: Choice) -> Task:
        """Return the task with these options; it is another task, which its declaration says too."""
        options = {o.letter: {"text": o.text, "score": o.score, "label": o.label} for o in scorer.options}
        return replace(self, scorer=scorer, scorer_spec={"choice": options})

    def statements(self, said: str = "") -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return what stands for every letter where the picture is compared with texts; empty without class prompts.

        Parameters
        ----------
        said : str
            What is said beside the question. It follows every text of every letter, because it would be said whatever
            the picture.
        """
        slot = f"{{{OPTION}}}"
        return tuple(
            (option.letter, tuple(_followed(text.replace(slot, option.text), said) for text in self.class_prompts))
            for option in (self._options if self.class_prompts else ())
        )

    def in_words(self, answer: str) -> str:
        """Return how an answer is written where it is spoken of: the text of an option, else the answer itself."""
        return next((option.text for option in self._options if option.said == answer), answer)

    @property
    def answers(self) -> tuple[str, ...]:
        """All that can be said, where it can be listed."""
        return answers_of(self.scorer)

    def right(self, columns: Mapping[str, str]) -> str:
        """Return the right answer about an item, as it would be said; empty where it is not known."""
        if self.truth is None:
            return ""
        if (found := columns.get(COLUMN_OF + self.id)) is not None:
            return found
        known = self.about(columns)
        return self.truth.of(columns.get(self.truth.column, ""), known.answers, known._options)

    def applies_to(self, modality: str) -> bool:
        """Tell whether images of a modality are asked this."""
        return not self.modalities or modality in self.modalities

    def lacks_words(self, columns: Mapping[str, str]) -> bool:
        """Whether columns that the question or its options name are not known at all."""
        return bool(self.spoken) and not any(name in columns for name in self.spoken)

    def lacking(self, columns: Mapping[str, str], pictures: int) -> str:
        """Say what keeps an item from being asked this; empty where nothing does.

        Parameters
        ----------
        columns : mapping of str to str
            Of the item.
        pictures : int
            How many it has.
        """
        if self.pictures not in (0, pictures):  # what shows no picture can be asked about every item
            if not pictures:
                return "it has no picture"
            return f"{pictures} picture{'s are' if pictures != 1 else ' is'} given and {self.pictures} asked about"
        if self.only is not None and columns.get(self.only[0]) not in self.only[1]:
            return f"the {self.only[0]!r} is another"
        options = {name for option in self._options for name in slots(option.text)}
        missing = [name for name in self.spoken if name not in options and not columns.get(name)]
        if self.truth is not None and COLUMN_OF + self.id not in columns and not columns.get(self.truth.column):
            missing.append(self.truth.column)
        if missing:
            return f"no {missing[0]!r} is given"
        if isinstance(self.scorer, Choice) and (problem := self.scorer.about(columns).problem):
            return problem
        if self.truth is not None and not self.right(columns):
            return f"the {self.truth.column!r} is none of the answers"
        return ""

    def table(self) -> dict[str, Any]:
        """Return all but the id as plain data, such as JSON and TOML can hold."""
        table: dict[str, Any] = {
            "scorer": self.scorer_spec,
            "wordings": {name: _plain(wording) for name, wording in self.wordings.items()},
        }
        if self.truth is not None:
            levels = {said: list(some) for said, some in self.truth.levels.items()}
            table["truth"] = {"column": self.truth.column, "levels": levels} if levels else self.truth.column
        for key, usual in (("pictures", 1), ("role", MODEL), ("of", ""), ("positive", "")):
            if getattr(self, key) != usual:
                table[key] = getattr(self, key)
        if self.only is not None:
            table["only"] = {self.only[0]: list(self.only[1])}
        table |= {key: list(some) for key in ("flags", "modalities", "class_prompts") if (some := getattr(self, key))}
        return table


def _followed(text: str, said: str) -> str:
    if not said:
        return text
    return f"{text} {said}" if text.endswith((".", "!", "?")) else f"{text}. {said}"


def _plain(wording: Wording) -> dict[str, Any]:
    plain: dict[str, Any] = {"text": wording.text}
    if wording.system is not None:
        plain["system"] = wording.system
    if wording.max_new_tokens != MAX_NEW_TOKENS:
        plain["max_new_tokens"] = wording.max_new_tokens
    return plain
