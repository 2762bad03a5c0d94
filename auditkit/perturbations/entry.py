"""One entry of the catalogue of perturbations: what it does, how strongly, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import chain
from types import MappingProxyType
from typing import Any, Literal, get_args

from auditkit.errors import AuditkitError
from auditkit.lookup import check_keys, near
from auditkit.vocabulary import CLEAN

Stage = Literal["pictures", "native", "display", "order", "options", "words", "answer", "asking"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""What a perturbation changes, in the order in which perturbations are applied."""

Expectation = Literal["notice", "ignore", "refuse"]
EXPECTATIONS: tuple[Expectation, ...] = get_args(Expectation)

WHERE = "perturbations"
"""The table of a protocol that holds entries: stands before names in messages."""
GIVEN = "given"
"""The function of an entry that computes nothing: its pictures are those that the data hold themselves."""

_NAME = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
_FUNCTION = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


class PerturbationError(AuditkitError, ValueError):
    """A perturbation that does not exist, is declared wrongly, or cannot be applied to what it was given."""


class PictureTooSmall(PerturbationError):
    """A picture that a perturbation cannot be applied to; it is not asked about under it, and about all else.

    Laws may raise it, yours too.
    """


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the catalogue; checked when it is made.

    Attributes
    ----------
    name : str
        Stable key, as in `auditkit.vocabulary.Perturbation`: letters, digits and underscores, with dots between.
    label : str
        What reports print; the name where none is given.
    stage : {"pictures", "native", "display", "order", "options", "words", "answer", "asking"}
        What is changed; ``answer`` is the earlier answer that a question is about.
    levels : tuple of mapping of str to plain data
        Parameters by level. Several: ``levels[level - 1]``. One: a single strength, level 0. None at all: any level
        from 1 upwards, without parameters (only for the stage ``asking``).
    function : str
        ``package.module:name`` of the law; empty for the stage ``asking``; ``"given"`` where the data hold the changed
        pictures themselves (``Picture.given``). A law of the stage ``display`` is called as
        ``name(pixels, key, **parameters)``, one of the stages ``words`` and ``answer`` as
        ``name(text, **parameters)``, one of the stage ``pictures`` as ``name(pictures, donor, **parameters)``, and one
        of the stages ``order`` (of pictures) and ``options`` as ``name(number, **parameters)``, which gives the order
        of so many.
    tier : str
        Whose parameters these are, or what they belong to: ``"imagenet_c"``, ``"auditkit"``, ``"blank"``,
        ``"burnt_in"``, ``"pictures"``, ``"attributes"``, ``"statements"``, ``"suffixes"``, ``"asking"``, or a word of
        the author's own.
    law : str
        What is done, in words.
    rationale : str
        Why this happens in practice.
    source : str
        Where the parameters come from.
    modalities : tuple of str
        Where it applies; empty: everywhere.
    expects : {"notice", "ignore", "refuse"}
        What a good model does.
    version : str
        Changed whenever the same parameters give other pixels or words. It is a part of the key of what is rendered.
    hazard : str
        The harm that follows if the model fails here, where the entry has one of its own.
    placebo : str
        The entry of the same shape that says nothing, against which this one is compared; empty where there is none.
        Both draw their randomness from the placebo's key, so that they differ in nothing else.
    """

    name: str
    label: str
    stage: Stage
    levels: tuple[Mapping[str, Any], ...] = field(hash=False)
    function: str
    tier: str = "own"
    law: str = ""
    rationale: str = ""
    source: str = ""
    modalities: tuple[str, ...] = ()
    expects: Expectation = "notice"
    version: str = "1"
    hazard: str = ""
    placebo: str = ""

    def __post_init__(self) -> None:
        for key, what, remedy in chain(_problems(self), _problems_of_levels(self)):  # the first is told
            raise PerturbationError(f"{WHERE}.{self.name}{'.' if key else ''}{key}: {what}.", remedy)
        object.__setattr__(self, "label", self.label or self.name)
        object.__setattr__(self, "modalities", tuple(self.modalities))
        object.__setattr__(self, "levels", tuple(MappingProxyType(dict(level)) for level in self.levels))

    def __reduce__(self) -> tuple[type[Entry], tuple[Any, ...]]:
        # Read-only mappings cannot be pickled, and entries go to worker processes.
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return Entry, tuple((values | {"levels": tuple(map(dict, self.levels))}).values())

    @property
    def given(self) -> bool:
        """Whether the data hold the changed pictures themselves, so that there is no law."""
        return self.function == GIVEN

    @property
    def strengths(self) -> tuple[int, ...]:
        """The levels there are: 1 to their number, 0 where there is a single strength, none where any is allowed."""
        number = len(self.levels)
        return (0,) if number == 1 else tuple(range(1, number + 1))

    def parameters(self, level: int) -> Mapping[str, Any]:
        """Return the parameters at a level.

        Parameters
        ----------
        level : int
            1 to the number of levels; 0 where there is a single strength.

        Raises
        ------
        PerturbationError
            If there is no such level.
        """
        # bool is an int, and 3.0 equals 3: only what is an integer and says so may pick a row of a table.
        if type(level) is int:
            if not self.levels and level >= 1:
                return _NOTHING
            if level in self.strengths:
                return self.levels[max(level, 1) - 1]
        raise PerturbationError(f"level {level!r} of perturbation {self.name!r} does not exist.", self._allowed())

    def _allowed(self) -> str:
        if not self.levels:
            return "Use an integer from 1 upwards."
        if len(self.levels) == 1:
            return f'It has a single strength: use Perturbation("{self.name}").'
        return f"Use an integer from 1 to {len(self.levels)}."

    def applies_to(self, modality: str) -> bool:
        """Tell whether items of a modality are asked under this perturbation."""
        return not self.modalities or modality in self.modalities

    def table(self) -> dict[str, Any]:
        """Return all but the name as plain data, such as JSON and TOML can hold."""
        table = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "name"}
        return table | {"levels": [dict(level) for level in self.levels], "modalities": list(self.modalities)}

    def acting(self) -> dict[str, Any]:
        """Return the part of the table that decides what is done and to which items: what a protocol's hash covers.

        Labels, reasons and sources are left out, so that a slip of the pen can be mended without making every earlier
        run incomparable.
        """
        table = self.table()
        acting = {key: table[key] for key in ("stage", "function", "levels", "modalities", "version")}
        # Of words it only says what they are compared with; of pixels it decides where noise and text are put.
        return acting | ({"placebo": self.placebo} if self.placebo and self.stage != "words" else {})

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, Any], where: str = WHERE) -> Entry:
        """Read an entry back from plain data.

        Parameters
        ----------
        name : str
            Name of the entry.
        table : mapping
            As `table` gives it. Only ``stage`` and ``function`` are needed, of given pictures ``function`` alone:
            without ``levels`` there is a single strength without parameters.
        where : str
            What stands before the name in messages.

        Raises
        ------
        PerturbationError
            Naming the key, the value seen and what is allowed.
        """
        allowed = [f.name for f in fields(cls) if f.name != "name"]
        given = isinstance(table, Mapping) and table.get("function") == GIVEN
        needed = ("function",) if given else ("stage", "function")
        check_keys(table, allowed, needed, f"{where}.{name}", PerturbationError)
        usual = {"label": name, "levels": ({},), **({"stage": "display"} if given else {})}
        try:
            return cls(name=name, **{**usual, **table})
        except PerturbationError as error:
            raise PerturbationError(where + error.problem.removeprefix(WHERE), error.remedy) from None


_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _problems(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Yield the keys that are wrong, what is wrong with them, and the remedy where there is one."""
    name = entry.name
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == CLEAN:
        yield "", f"{name!r} cannot be a name", f"Use letters, digits and _, with dots between, and not {CLEAN!r}."
    for key in ("label", "function", "tier", "law", "rationale", "source", "version", "hazard", "placebo"):
        value = getattr(entry, key)
        if not isinstance(value, str) or (key in ("tier", "version") and not value):
            yield key, f"text is needed (value seen: {value!r:.80})", ""
    for key, choices in (("stage", STAGES), ("expects", EXPECTATIONS)):
        value = getattr(entry, key)
        if value not in choices:
            yield key, f"allowed: {', '.join(choices)} (value seen: {value!r:.80})", near(value, choices)
    if not isinstance(entry.modalities, list | tuple) or not all(isinstance(m, str) and m for m in entry.modalities):
        yield "modalities", f"a list of names is needed (value seen: {entry.modalities!r:.80})", ""
    if (entry.stage == "asking") != (entry.function == ""):
        yield "function", f"is {entry.function!r}; the stage asking has none, every other stage needs one", ""
    elif entry.function == GIVEN:
        if entry.stage != "display":
            yield "stage", f"is {entry.stage!r}; pictures that the data hold are of the stage display", ""
    elif entry.function and not _FUNCTION.fullmatch(entry.function):
        yield "function", f"package.module:name is needed (value seen: {entry.function!r:.80})", ""


def _problems_of_levels(entry: Entry) -> Iterator[tuple[str, str, str]]:
    levels = entry.levels
    if not isinstance(levels, list | tuple) or not all(isinstance(level, Mapping) for level in levels):
        yield "levels", f"a list of tables is needed, one for each level (value seen: {levels!r:.80})", ""
        return
    if not levels and entry.stage != "asking":
        yield "levels", "at least one table of parameters is needed", "Leave levels out where there are no parameters."
    for number, level in enumerate(levels, start=1):
        if set(level) != set(levels[0]):
            yield "levels", f"level {number} has the parameters {sorted(level)}, level 1 has {sorted(levels[0])}", ""
        if not all(isinstance(key, str) and key.isidentifier() for key in level):
            yield "levels", f"level {number} has a parameter that cannot be an argument's name: {list(level)}", ""
        try:
            json.dumps(dict(level), allow_nan=False)
        except (TypeError, ValueError):
            yield "levels", f"level {number} holds what JSON cannot hold (value seen: {dict(level)!r:.80})", ""
