"""What counts as a pass: the protocol as validated models, with the meaning of every key.

`Protocol.sha256` covers the criteria and every perturbation, wording and scorer that the protocol names: change one
word and the hash changes; add an entry that it does not use and nothing does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from auditkit.errors import AuditkitError
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.entries import entries_named, entries_used
from auditkit.protocol.hash import digest
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Effect, Part, Question, Value, summed

Share = Annotated[float, Field(gt=0, lt=1)]
Points = Annotated[float, Field(gt=0, le=100)]
Limit = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Unit = Literal["points", "points_per_step", "auroc", "share"]
Verb = Literal["within", "at_most", "at_least"]
VERBS: tuple[Verb, ...] = get_args(Verb)

MAX_LOOKS = 4


class Section(BaseModel):
    """Base: unknown keys are refused, and so are values of another type (the text "0.05" for a number)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Profile(Section):
    """A level of strictness."""

    alpha: Annotated[float, Field(gt=0, le=0.1)]
    """Error rate per side: 0.05 in ``ci``, 0.025 in ``pilot``."""
    families: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """The families that it asks; the others are not declared under it. Empty: all."""
    patients: Annotated[int, Field(ge=1)] | None = None
    """How many patients it asks about where ``--audit-limit`` says nothing; None for all."""


class Images(Section):
    """How images are prepared before anything is done to them."""

    max_side: Annotated[int, Field(ge=32, le=4096)] = 256
    """Longer side in pixels; larger images are reduced, smaller ones are left alone."""
    files_as_patients: bool = False
    """Whether images of which neither patient nor study is known may stand for a patient each. If not, no stratum that
    holds one is decided: several images of one person, counted as several people, make every interval too narrow."""


class Prompts(Section):
    """Which wording is used."""

    score: str
    """``task.wording`` in which scores are compared; what a question without a task stands for."""


class Statistics(Section):
    """Settings of the procedures."""

    resamples: Annotated[int, Field(ge=1000, le=1_000_000)] = 10_000
    min_clusters: Annotated[int, Field(ge=2)] = 24
    """Levels with fewer patients than this are shown, and not compared with others; nor are models told apart by fewer.
    How many a PASS takes is no setting: it follows from the limit, and from how far a patient who was not seen could be
    from the others."""
    min_informative: Annotated[int, Field(ge=2)] = 10
    """Fewer patients with any change than this, and the bounded-mean interval is used."""
    missing_points: Points = 25.0
    """A PASS must survive the missing scores at their worst. Where one side of a comparison was scored, that says how
    far the difference can have gone; where neither was, it is put this many points to either side."""


class Looks(Section):
    """Deciding in stages of patients, under alpha spending, to stop asking what is settled."""

    number: Annotated[int, Field(ge=1, le=MAX_LOOKS)] = 1
    """Looks at the data, the last with all patients; 1 is no early look."""
    spending: Literal["pocock", "obrien_fleming"] = "pocock"
    """How the error is spread over the looks: evenly, or nearly all kept for the last."""
    min_clusters: Annotated[int, Field(ge=2)] = 32
    """Nothing is decided early about a modality with fewer patients so far."""


class Baseline(Section):
    """How much worse than an earlier run is accepted, by the audit's unit; ``modality_*`` widens it for a modality."""

    points: Points = 5.0
    """For differences of scores; of a quantity on another scale, hundredths of its range."""
    modality_points: Points | None = None
    points_per_step: Points = 1.0
    """For the fall of the score per severity step."""
    modality_points_per_step: Points | None = None
    auroc: Share = 0.05
    """For the area under the ROC curve."""
    modality_auroc: Share | None = None
    share: Share = 0.05
    """For shares of images, and their differences between conditions."""
    modality_share: Share | None = None

    def margin(self, unit: Unit, *, together: bool) -> float:
        """Return the margin for all patients together, or for one modality."""
        narrow: float = getattr(self, unit)
        wide: float | None = getattr(self, f"modality_{unit}")
        return narrow if together or wide is None else wide

    @model_validator(mode="after")
    def _modalities_are_no_stricter(self) -> Baseline:
        for unit in get_args(Unit):
            narrow, wide = getattr(self, unit), getattr(self, f"modality_{unit}")
            if wide is not None and wide < narrow:
                raise ValueError(
                    f"modality_{unit} = {wide:g} is below {unit} = {narrow:g}: fewer patients cannot be held to less; "
                    f"give {narrow:g} or more, or leave it out"
                )
        return self


class IntendedUse(Section):
    """What the model is meant for, in the words of those who will sign; stands first in report.pdf."""

    purpose: str = ""
    """The task, and what its result is used for."""
    users: str = ""
    """Who acts on the result."""
    population: str = ""
    """Patients, modalities, sites."""
    out_of_scope: str = ""
    """What it must not be used for."""


class Tail(Section):
    """How few answers may jump beyond the model's own noise, whatever the mean; over all patients together."""

    beyond: Limit
    """Change above which an answer jumps, in the unit of the effect."""
    share: Share
    """How many more of a patient's answers may jump than do by noise, averaged over patients."""


class Family(Section):
    """A family: one limit for one question asked of many things, corrected together."""

    within: Limit | None = None
    """The effect must stay within this to either side of zero."""
    at_most: Limit | None = None
    """The effect must stay below this."""
    at_least: Limit | None = None
    """The effect must stay above this."""
    in_each: Limit | None = None
    """When given, the limit above is for all patients together and this for each level of `by`; both must hold."""
    by: str = "modality"
    """The column whose levels are decided one by one."""
    tail: Tail | None = None
    """A second condition beside the mean."""
    moves: Limit | None = None
    """Of a rank correlation with the score: how far the scores of two images must be shown to move apart at one
    severity, in points. A correlation says nothing of size."""
    required: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Labels of the parts that must keep the limit, such as ``severity 3``; the others are shown. Empty: all. Of gaps
    between groups the names of those that must keep it, such as ``sex``."""
    small_levels: Literal["undecided", "shown"] = "undecided"
    """Of gaps between groups, what a level with fewer patients than ``statistics.min_clusters`` does: it keeps the
    audit from a PASS, or it is only shown and not compared."""
    shown: bool = False
    """For information only: nothing passes or fails."""
    hazard: str = ""
    """What harm a failure could do."""
    size: Annotated[int, Field(ge=1)] | None = None
    """Number of decisions declared, in each level of `by`; needed only for families that auditkit does not ship."""

    @property
    def verb(self) -> Verb | None:
        """Which of the three limits is given; None where the family is only shown."""
        return next((verb for verb in VERBS if getattr(self, verb) is not None), None)

    @property
    def limit(self) -> float | None:
        """The limit for all patients together."""
        return None if self.verb is None else float(getattr(self, self.verb))

    def ends(self, *, together: bool) -> tuple[float, float]:
        """Return the region that the effect must stay in, open ends as infinities; all of it where nothing is asked."""
        limit = self.limit if together or self.in_each is None else self.in_each
        if limit is None:
            return -math.inf, math.inf
        low = {"within": -limit, "at_least": limit}.get(str(self.verb), -math.inf)
        return low, math.inf if self.verb == "at_least" else limit

    def of(self, effect: Effect) -> Family:
        """Return the family as it holds for one of its effects: a gap that is not required is only shown."""
        if not effect.between or self.shown:
            return self
        if self.required and effect.name not in self.required:
            return self.model_copy(update={"shown": True, "required": (), **dict.fromkeys(VERBS)})
        return self.model_copy(update={"required": ()})

    def requires(self, label: str) -> bool:
        """Whether a part must keep the limit."""
        return not self.shown and (not self.required or label in self.required)

    @model_validator(mode="after")
    def _one_limit(self) -> Family:
        given = [verb for verb in VERBS if getattr(self, verb) is not None]
        if self.in_each is not None and not given:
            raise ValueError(f"in_each = {self.in_each:g} stands alone; give one of {', '.join(VERBS)} beside it")
        if len(given) > 1 or (not given and not self.shown):
            raise ValueError(
                f"has {' and '.join(given) or 'no limit'}; give exactly one of {', '.join(VERBS)}"
                + ("" if given else ", or shown = true")
            )
        if self.moves is not None and self.verb != "at_least":
            raise ValueError("moves goes with at_least: it is the movement that a correlation must be shown to have")
        return self

    @model_validator(mode="after")
    def _each_is_no_stricter(self) -> Family:
        if self.in_each is None or self.limit is None:
            return self
        stricter = self.in_each > self.limit if self.verb == "at_least" else self.in_each < self.limit
        if stricter:
            raise ValueError(
                f"in_each = {self.in_each:g} is stricter than {self.verb} = {self.limit:g}: fewer patients cannot be "
                "held to less; leave in_each out where every level has patients enough"
            )
        return self

    @model_validator(mode="after")
    def _required_are_distinct(self) -> Family:
        if len(set(self.required)) < len(self.required):
            raise ValueError(f"required {list(self.required)} names one twice")
        return self

    @model_validator(mode="after")
    def _only_changes_have_a_tail(self) -> Family:
        if self.tail is not None and self.verb != "within":
            raise ValueError("tail goes with within: it counts answers that jump to either side")
        return self


class Protocol(Section):
    """The whole protocol, as validated."""

    name: str
    profile: str = "ci"
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    profiles: dict[str, Profile]
    images: Images = Images()
    prompts: Prompts
    statistics: Statistics = Statistics()
    looks: Looks = Looks()
    baseline: Baseline = Baseline()
    intended_use: IntendedUse = IntendedUse()
    perturbations: dict[str, dict[str, Any]] = {}
    """Perturbations of one's own, by name: a sentence, or a law of the catalogue with other parameters."""
    tasks: dict[str, dict[str, Any]] = {}
    """Tasks of one's own, and further wordings of those that auditkit ships."""
    covers: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Perturbations, tiers and tasks that audits of one's own use beside what the shipped families use; the hash covers
    them too."""
    families: dict[str, Family]
    _source: str = PrivateAttr(default="")

    @model_validator(mode="before")
    @classmethod
    def _families_of_the_profile(cls, raw: Any) -> Any:
        """Keep the families that the chosen profile asks, so that its hash and its verdict are about these."""
        if not isinstance(raw, Mapping):
            return raw
        families, profiles = raw.get("families"), raw.get("profiles")
        chosen = profiles.get(raw.get("profile", "ci")) if isinstance(profiles, Mapping) else None
        named = chosen.get("families") if isinstance(chosen, Mapping) else getattr(chosen, "families", None)
        if not named or not isinstance(families, Mapping) or not isinstance(named, list | tuple):
            return raw
        unknown = [name for name in named if name not in families]
        if unknown:
            raise ValueError(
                f"profiles.{raw.get('profile', 'ci')}.families names {unknown[0]!r}, which is not declared; declared: "
                f"{', '.join(families)}"
            )
        return {**raw, "families": {name: family for name, family in families.items() if name in named}}

    @model_validator(mode="after")
    def _profile_is_declared(self) -> Protocol:
        if self.profile not in self.profiles:
            raise ValueError(f"profile {self.profile!r} is not declared; declared: {', '.join(self.profiles)}")
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Protocol:
        """Return a copy; what was worked out of the criteria is worked out again for the changed ones."""
        copied = super().model_copy(update=update, deep=deep)
        for worked_out in ("catalogue", "entries"):
            copied.__dict__.pop(worked_out, None)
        return copied

    @property
    def alpha(self) -> float:
        """Error rate per side of the chosen profile."""
        return self.profiles[self.profile].alpha

    @property
    def patients(self) -> int | None:
        """How many patients the chosen profile asks about; None for all."""
        return self.profiles[self.profile].patients

    def family_of(self, effect: Effect) -> Family | None:
        """Return the family of an effect as it holds for that one; None where it is not declared."""
        family = self.families.get(effect.family)
        return None if family is None else family.of(effect)

    @cached_property
    def catalogue(self) -> Catalogue:
        """What can be done and asked: everything shipped, and what this protocol adds."""
        return Catalogue.of(self.perturbations, self.tasks, self.prompts.score)

    def resolve(self, question: Question) -> Question:
        """Return a question with task and wording filled in and its condition in the order of the stages."""
        return self.catalogue.resolve(question)

    def resolved(self, effect: Effect) -> Effect:
        """Return an effect whose questions are resolved."""
        parts = tuple(self._part(part) for part in effect.parts)
        if not parts or not all(part.terms for part in parts):
            raise AuditkitError(
                f"{effect.family}/{effect.name} compares a question with itself, so there is nothing to measure.",
                "Compare it with another.",
            )
        return replace(effect, parts=parts)

    def _part(self, part: Part) -> Part:
        terms = ((weight, self._value(value)) for weight, value in part.terms)
        alike = tuple(map(self._value, part.alike))
        provided = None if part.provided is None else self._part(part.provided)
        return replace(part, terms=summed(terms), alike=alike, provided=provided)

    def _value(self, value: Value) -> Value:
        """Return a value with its question resolved; the main one is nameless, whichever way it was named."""
        question = self.resolve(value.question)
        quantities = self.catalogue.task(question.task).scorer.quantities
        main = bool(quantities) and value.name == quantities[0].name
        return replace(value, question=question, name="" if main else value.name)

    @property
    def source(self) -> str:
        """The text of the file this was read from; empty when it was not read from one."""
        return self._source

    @cached_property
    def entries(self) -> dict[str, str]:
        """SHA-256 by name of every perturbation, wording and scorer that this protocol names.

        Those are what the shipped audits of its families use, its own tables, and what it lists under ``covers``. A new
        entry of the package that none of these uses changes nothing here, nor do the audits that are collected.
        """
        effects = [effect for family in self.families if family in SHIPPED for effect in SHIPPED[family]()]
        questions = {self.resolve(question) for effect in effects for question in effect.questions()}
        named = (*self.perturbations, *self.tasks, *self.covers)
        used = entries_used(self.catalogue, {*questions, self.resolve(Question())})
        return used | entries_named(self.catalogue, named)

    def parts(self) -> dict[str, str]:
        """Return the SHA-256 of the criteria, and of every entry named."""
        return {"criteria": digest(self.model_dump(mode="json")), **self.entries}

    def sha256(self) -> str:
        """Return the SHA-256 over the criteria and every entry that the protocol names (64 hex digits)."""
        return digest(self.parts())
