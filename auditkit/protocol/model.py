"""What counts as a pass: the protocol as validated models, with the meaning of every key.

`Protocol.sha256` covers the criteria, the wording of every prompt and attribute and the parameters of every corruption:
change one word and the hash changes.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from auditkit.protocol.hash import criteria_sha256, digest, protocol_sha256

Share = Annotated[float, Field(gt=0, lt=1)]
Points = Annotated[float, Field(gt=0, le=100)]
Unit = Literal["points", "points_per_step", "auroc", "share"]

MAX_LOOKS = 4


class Section(BaseModel):
    """Base: unknown keys are refused, and so are values of another type (the text "0.05" for a number)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Profile(Section):
    """A level of strictness."""

    alpha: Annotated[float, Field(gt=0, le=0.1)]
    """Error rate per side: 0.05 in ``ci``, 0.025 in ``pilot``."""


class Images(Section):
    """How images are prepared before anything is done to them."""

    max_side: Annotated[int, Field(ge=32, le=4096)] = 256
    """Longer side in pixels; larger images are reduced, smaller ones are left alone."""


class Prompts(Section):
    """Which wording is used."""

    score: str
    """Template behind ``@score``: the one in which scores are compared."""


class Statistics(Section):
    """Settings of the procedures."""

    resamples: Annotated[int, Field(ge=1000, le=1_000_000)] = 10_000
    min_clusters: Annotated[int, Field(ge=2)] = 24
    """Fewer patients than this never pass an audit of means."""
    min_clusters_auroc: Annotated[int, Field(ge=2)] = 32
    """Fewer patients than this never pass an audit of discrimination."""
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
    """For differences of scores."""
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


class FamilyBase(Section):
    """A family: one question asked of many things, corrected together."""

    hazard: str = ""
    """What harm a failure could do."""
    size: Annotated[int, Field(ge=1)] | None = None
    """Number of comparisons declared; needed only for families that auditkit does not ship."""


class EquivalenceFamily(FamilyBase):
    """The mean change must stay within the margin either way, and few patients may change a lot."""

    gate: Literal["equivalence"]
    margin: Points
    modality_margin: Points | None = None
    """When given, `margin` is for all patients together and this for each modality by itself; both must hold."""
    tail_points: Points = 25.0
    tail_share: Share = 0.10


class TemplateFamily(FamilyBase):
    """The mean score must differ between any two wordings of a question by no more than the margin."""

    gate: Literal["template_equivalence"]
    margin: Points


class NotRaisedFamily(FamilyBase):
    """The mean change must not exceed the margin upwards."""

    gate: Literal["not_raised"]
    margin: Points


class MonotoneFamily(FamilyBase):
    """From no severity to the next may the mean score rise by more than the tolerance."""

    gate: Literal["monotone"]
    tolerance: Points


class SensitivityFamily(FamilyBase):
    """The score must fall by at least the floor per severity step."""

    gate: Literal["sensitivity"]
    floor: Points


class DiscriminationFamily(FamilyBase):
    """Clean and corrupted images must be told apart at the severities required."""

    gate: Literal["discrimination"]
    floor: Annotated[float, Field(ge=0.5, lt=1)]
    severities: Annotated[tuple[Annotated[int, Field(ge=1, le=5)], ...], Field(min_length=1, strict=False)]
    """Severities at which the floor must be met; the others are shown."""

    @model_validator(mode="after")
    def _severities_are_distinct(self) -> DiscriminationFamily:
        if len(set(self.severities)) < len(self.severities):
            raise ValueError(f"severities {list(self.severities)} name one twice")
        return self


class RateFamily(FamilyBase):
    """The share of answers that are refused or cannot be used must stay below the cap."""

    gate: Literal["rate"]
    cap: Share


class RateDifferenceFamily(FamilyBase):
    """A condition must not change the share of refused or unusable answers by more than the margin."""

    gate: Literal["rate_difference"]
    margin: Share


class AgreementFamily(FamilyBase):
    """The share of images whose answer differs between two askings must stay below the cap."""

    gate: Literal["agreement"]
    cap: Share


Family = Annotated[
    EquivalenceFamily
    | TemplateFamily
    | NotRaisedFamily
    | MonotoneFamily
    | SensitivityFamily
    | DiscriminationFamily
    | RateFamily
    | RateDifferenceFamily
    | AgreementFamily,
    Field(discriminator="gate"),
]


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
    families: dict[str, Family]
    _source: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _profile_is_declared(self) -> Protocol:
        if self.profile not in self.profiles:
            raise ValueError(f"profile {self.profile!r} is not declared; declared: {', '.join(self.profiles)}")
        return self

    @property
    def alpha(self) -> float:
        """Error rate per side of the chosen profile."""
        return self.profiles[self.profile].alpha

    def resolve_template(self, template: str) -> str:
        """Return the template id that ``@score`` stands for, or the id itself."""
        return self.prompts.score if template == "@score" else template

    @property
    def source(self) -> str:
        """The text of the file this was read from; empty when it was not read from one."""
        return self._source

    def parts(self) -> dict[str, str]:
        """Return the SHA-256 of criteria, of all wording, and of the corruptions' parameters and code version."""
        from auditkit import perturbations, tasks

        levels = {c.name: [dict(p) for p in c.levels] for c in perturbations.catalogue().values()}
        return {
            "criteria": criteria_sha256(self.model_dump(mode="json")),
            "prompts": tasks.digest(),
            "corruptions": digest([perturbations.VERSION, levels]),
        }

    def sha256(self) -> str:
        """Return the SHA-256 over criteria, wording and corruption parameters (64 hex digits)."""
        return protocol_sha256(self.parts())
