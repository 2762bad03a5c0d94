"""The record of a run: what was asked, what was measured, what was decided, and why. Everything rendered reads this.

The models below are the published schema of ``evidence.json`` (`auditkit schema` prints it as JSON Schema). Numbers
are rounded when they enter the record (`ROUND` digits), so that the same answers give the same bytes on every machine.
"""

from __future__ import annotations

import json
import math
import numbers
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

SCHEMA_VERSION = "1.0"
ROUND = 6

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE", "ERROR"]
VERDICTS: tuple[Verdict, ...] = ("FAIL", "ERROR", "INCONCLUSIVE", "PASS")


def _rounded(value: object) -> object:
    """NaN and infinities have no place in JSON: they become null; other floats are rounded."""
    if isinstance(value, numbers.Real) and not isinstance(value, int):  # NumPy's float32 is no float
        return round(float(value), ROUND) + 0.0 if math.isfinite(value) else None
    return value


Number = Annotated[float | None, BeforeValidator(_rounded)]


class Record(BaseModel):
    """Base: unknown keys are refused, so that a typing error cannot hide a number."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Estimate(Record):
    """A number with its interval."""

    value: Number = None
    """Point estimate; null when nothing could be measured."""
    low: Number = None
    """Lower end of the two-sided interval."""
    high: Number = None
    """Upper end of the two-sided interval."""
    level: Number = None
    """Confidence level of the interval, 1 - 2 alpha."""
    unit: str = "points"
    """``points`` (of 0-100), ``points per severity step``, ``AUROC``, ``share``."""


class Outcomes(Record):
    """How many answers ended how. Nothing is dropped: the six sum to the number of answers asked for."""

    scored: int = 0
    """Parsed without doubt and within the range."""
    refused: int = 0
    """The model declined."""
    unparsed: int = 0
    """No answer in the declared format, or more than one."""
    out_of_range: int = 0
    """An answer outside the declared scale."""
    truncated: int = 0
    """Cut off before an answer was complete."""
    error: int = 0
    """The model raised, hung or returned nothing; asked again on the next run."""

    @property
    def total(self) -> int:
        return self.scored + self.refused + self.unparsed + self.out_of_range + self.truncated + self.error

    def __add__(self, other: Outcomes) -> Outcomes:
        return Outcomes(**{k: getattr(self, k) + getattr(other, k) for k in Outcomes.model_fields})


class Cell(Record):
    """One decision inside an audit: one modality (and severity, where the audit has several)."""

    modality: str
    """Modality, or ``all`` when the audit pools them."""
    condition: str = ""
    """What was done, in words (``severity 3``); empty when the audit has one condition."""
    required: bool = True
    """False when shown for information only."""
    verdict: Verdict
    """Verdict of this cell after the correction for multiplicity."""
    sentence: str
    """Why."""
    estimate: Estimate
    """The estimate the verdict rests on."""
    margin_low: Number = None
    """Acceptance region, lower end; null when open."""
    margin_high: Number = None
    """Acceptance region, upper end; null when open."""
    p_pass: Number = None
    """One-sided p-value for the claim that the margin is met."""
    p_fail: Number = None
    """One-sided p-value for the claim that the margin is exceeded, not corrected."""
    p_fail_holm: Number = None
    """The same after Holm's correction within the declared family."""
    n_images: int = 0
    """Images with both sides scored."""
    n_clusters: int = 0
    """Patients (or studies, or files) behind them."""
    outcomes: Outcomes = Outcomes()
    """Outcomes of the treated answers."""
    control_outcomes: Outcomes = Outcomes()
    """Outcomes of the control answers."""
    tail: Estimate | None = None
    """Co-primary: share of patients with any change above the tail threshold."""
    worst_case: Estimate | None = None
    """Range of the estimate when every missing score is imputed at the worst and the best end."""
    sd: Number = None
    """Standard deviation of the patients' means, in the estimate's unit; null for shares and AUROC."""
    mde: Number = None
    """Smallest margin that these data would pass with 90 % power if there were no effect."""
    look: int = 1
    """The look at the data at which this cell was decided, or last looked at."""
    more_clusters: int | None = None
    """About how many more patients would settle an INCONCLUSIVE cell; null when unknown or not needed."""
    rule: str = ""
    """Which procedure or rule decided."""


class Point(Record):
    """One point of a figure: the answers under one condition."""

    modality: str
    """Modality, or ``all``."""
    condition: str
    """Name of the condition."""
    severity: int = 0
    """0 is the clean image."""
    n_images: int = 0
    """Images scored under this condition."""
    n_clusters: int = 0
    """Patients behind them."""
    score: Estimate
    """Mean score (patient means)."""
    change: Estimate | None = None
    """Paired change from the clean image."""
    auroc: Estimate | None = None
    """How well clean and treated are told apart; 0.5 is chance."""
    ssim: Number = None
    """Mean measured structural similarity to the clean image (dose)."""
    psnr: Number = None
    """Mean measured peak signal-to-noise ratio in dB; null when any is infinite."""


class Case(Record):
    """One image whose answers speak against the model, for the gallery of failing cases."""

    image: str
    """Hashed id of the image."""
    modality: str
    synthetic: bool
    condition: str
    """What was done to it."""
    control_answer: str
    """Raw answer to the control question, shortened for display."""
    treated_answer: str
    """Raw answer to the treated question, shortened for display."""
    control_score: Number = None
    treated_score: Number = None
    outcome: str = "scored"
    """Outcome of the treated answer."""
    why: str = ""
    """Why it is shown."""
    control_jpeg: str = ""
    """Base64 of a small JPEG of what the model was shown for the control question; empty when none was kept."""
    treated_jpeg: str = ""
    """Base64 of a small JPEG of what the model was shown for the treated question; empty when none was kept."""


class Audit(Record):
    """One question, one criterion, one verdict."""

    id: str
    """Short and stable: ``metadata/institution.prestige-high-vs-low``; the key of baselines and histories."""
    question: str
    """What is asked of the model, one sentence (the audit's docstring)."""
    family: str
    """Family of the protocol; multiplicity is corrected within it."""
    gate: str
    """Which criterion was applied: ``equivalence``, ``template_equivalence``, ``monotone``, ``sensitivity``,
    ``discrimination``, ``not_raised``, ``rate``, ``rate_difference``, ``agreement``."""
    title: str
    """Name of the thing changed, for people (``Pixelation``)."""
    hazard: str = ""
    """What harm a failure could do."""
    treated: str = ""
    """The treated condition in words, with the sentence where words were changed."""
    control: str = ""
    """The control condition in words."""
    template: str = ""
    """Id of the prompt template; empty where several are compared (``treated`` names them)."""
    verdict: Verdict
    sentence: str
    """The verdict in one sentence, with the numbers."""
    estimate: Estimate
    """Over all modalities, patients weighted equally; the verdict rests on the cells."""
    margin: Number = None
    """The declared margin or floor."""
    p_pass: Number = None
    """Largest of the required cells' (all must pass)."""
    p_fail: Number = None
    """Smallest of the cells' after Holm."""
    n_images: int = 0
    n_clusters: int = 0
    outcomes: Outcomes = Outcomes()
    """Outcomes of the treated answers over all modalities."""
    mde: Number = None
    """Largest of the required cells'."""
    look: int = 1
    """The look at the data at which the verdict fell."""
    rule: str = ""
    """How the cells were combined."""
    by_modality: list[Cell] = []
    """The cells."""
    series: list[Point] = []
    """Figure data: per severity, pooled (``all``) and per modality."""
    cases: list[Case] = []
    """At most a handful of images that speak against the model."""


class Example(Record):
    """A thumbnail: one image, clean or corrupted, as it was given to the model."""

    image: str
    modality: str
    synthetic: bool
    corruption: str
    """``clean`` or the corruption's name."""
    severity: int
    ssim: Number = None
    psnr: Number = None
    score: Number = None
    """Score the model gave to this picture."""
    jpeg: str
    """Base64 of a small JPEG."""


class Stratum(Record):
    """One modality of the data."""

    modality: str
    n_images: int
    n_clusters: int
    n_synthetic: int
    """Images that are procedural phantoms."""


class LeftOutEntry(Record):
    """A file that could not be used, and why."""

    name: str
    reason: str


class Data(Record):
    """What the model was shown."""

    source: str
    n_images: int
    n_clusters: int
    modalities: list[Stratum]
    synthetic_share: Number
    """Share of the images that are synthetic, 0-1."""
    sources: dict[str, int] = {}
    """Images per origin."""
    licences: dict[str, int] = {}
    """Images per licence."""
    left_out: list[LeftOutEntry] = []
    """Entries that were not used; at most 200 are listed."""
    n_left_out: int = 0
    notice: str = ""
    """What readers must know of the data, such as that they are for demonstration."""
    limited_to: int | None = None
    """Set when ``--audit-limit`` took a subset of the patients."""
    sha256: str = ""
    """Over the content addresses of all images used."""


class ModelInfo(Record):
    """Which model answered."""

    name: str
    revision: str = ""
    fingerprint: str = ""
    """Hash over all that can change an answer: weights, processor, dtype, batching."""
    backend: str = ""
    description: str = ""


class ProtocolInfo(Record):
    """The criteria, fixed before the data."""

    name: str
    sha256: str
    """Over the criteria, the prompts' and attributes' wording and the corruptions' parameters."""
    profile: str
    alpha: Number
    """Error rate per side."""
    criteria: dict[str, Any]
    """The protocol as resolved."""


class PromptInfo(Record):
    """One template as it was sent."""

    id: str
    format: str
    system: str | None = None
    text: str


class LookInfo(Record):
    """One look at the data (``--audit-looks``)."""

    number: int
    n_images: int
    """Images seen so far."""
    n_clusters: int
    """Patients seen so far."""
    n_questions: int
    """Questions that this look added."""
    n_settled: int
    """Audits settled by then."""
    levels: dict[str, Number] = {}
    """Nominal error per side at this look, by modality; a modality that is missing was not decided at this look."""


class EarlierProtocol(Record):
    """Another protocol under which results for the same model and images existed before."""

    sha256: str
    first_seen: str
    """When this store first saw it."""
    first_judged: str
    """When these images were first judged by it."""
    changes: list[str] = []
    """What differs in the protocol used now: ``families.metadata.margin: 5.0, now 8.0``."""


class Probes(Record):
    """How many questions the run needed and where the answers came from."""

    planned: int = 0
    asked: int = 0
    from_store: int = 0
    errors: int = 0
    saved: int = 0
    """Questions that early looks made unnecessary."""
    seconds: Number = None
    """Wall time of asking, rendering included."""


class Run(Record):
    """Everything about this run that may differ when it is repeated on the same data."""

    id: str
    started: str
    """ISO 8601, UTC."""
    finished: str
    command: str = ""
    git: dict[str, str | bool | None] = {}
    """Commit and whether the tree had uncommitted changes, when run in a checkout."""
    packages: dict[str, str] = {}
    machine: dict[str, str | int] = {}
    probes: Probes = Probes()
    protocol_first_seen: str = ""
    """When this protocol's hash was first seen by this store: before the first answer."""
    protocol_first_judged: str = ""
    """When this model and these images were first judged by this protocol."""
    earlier_protocols: list[EarlierProtocol] = []
    """Protocols by which the same model and images were judged before: this one was changed after the first look."""
    exit_note: str = ""


class Evidence(Record):
    """One run of the audits against one model."""

    schema_version: str = SCHEMA_VERSION
    run: Run
    model: ModelInfo
    protocol: ProtocolInfo
    data: Data
    prompts: list[PromptInfo] = []
    outcomes: Outcomes = Outcomes()
    """Over every distinct question of the run."""
    audits: list[Audit]
    looks: list[LookInfo] = []
    """The looks made; empty when the protocol plans no early look."""
    not_run: list[str] = []
    """Declared audits that this run did not include (``-k``, a subset of files)."""
    examples: list[Example] = []
    verdict: Verdict
    sentence: str
    """The verdict of the whole run."""
    limits: list[str] = []
    """What this run cannot tell."""

    def to_json(self) -> str:
        """Return the record as JSON with sorted keys and a final newline: the same record gives the same bytes."""
        text = json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        # Lone surrogates (file names and arguments that are no UTF-8) cannot be written: they are spelt out.
        return re.sub("[\ud800-\udfff]", lambda found: f"\\\\u{ord(found[0]):04x}", text)

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """Read a record; raises `pydantic.ValidationError` when it does not fit the schema."""
        return cls.model_validate_json(text)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``evidence.json``."""
    schema = Evidence.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "auditkit evidence", **schema}


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of several that must all pass: any FAIL fails, any ERROR or INCONCLUSIVE is not a pass.

    An empty collection is INCONCLUSIVE: nothing was shown.
    """
    seen = set(verdicts)
    return next((v for v in VERDICTS if v in seen), "INCONCLUSIVE")
