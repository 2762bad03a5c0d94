"""What a run was about: data, model, protocol, prompts, looks and provenance."""

from __future__ import annotations

from typing import Any

from auditkit.evidence.values import Estimate, Number, Record, Verdict


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


class Level(Record):
    """One level of an attribute of the patients or of how their images were taken."""

    name: str
    """``F``, ``18-39``, ``unknown``."""
    n_images: int
    n_clusters: int


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
    strata: dict[str, list[Level]] = {}
    """Images and patients per level of sex, age, site, manufacturer; ``unknown`` is a level."""


class ModelInfo(Record):
    """Which model answered."""

    name: str
    family: str = ""
    """Architecture, as the registry names it (``gemma3``); empty when not known."""
    revision: str = ""
    fingerprint: str = ""
    """Hash over all that can change an answer: weights, processor, dtype, batching."""
    backend: str = ""
    description: str = ""
    limits: list[str] = []
    """What this kind of model cannot be asked, in its back end's words."""


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
    parts: dict[str, str] = {}
    """SHA-256 of what ``sha256`` is made of: criteria, prompts, corruptions."""
    toml: str = ""
    """The file as it was read; options of the command line are in ``criteria``, not here."""


class Reference(Record):
    """An earlier run that this one was held against."""

    role: str
    """``baseline`` (the previous version) or ``anchor`` (frozen)."""
    run: str
    """Its run id."""
    finished: str
    model: str
    revision: str = ""
    fingerprint: str = ""
    evidence_sha256: str
    """Over the bytes of its evidence.json."""
    verdict: Verdict | None = None
    """Its own verdict: no worse than a run that failed is not good."""
    sentence: str = ""
    """Its verdict in a sentence."""
    n_answers: int = 0
    """Answers on both sides."""
    n_same: int = 0
    """Of these, equal in score and outcome."""
    problem: str = ""
    """Why the two cannot be compared; empty when they can."""


class CalibrationPoint(Record):
    """One band of scores."""

    predicted: Number
    """Mean score in the band / 100."""
    observed: Estimate
    """Share of undamaged images among those scored in the band."""
    n_images: int = 0
    """Pictures scored in this band, clean and degraded."""
    n_clusters: int = 0
    """Patients behind them."""


class CalibrationCurve(Record):
    """The score read as the chance that an image is undamaged; for information, no verdict rests on it.

    Every image counts twice, clean and once degraded, so that half of the pictures are undamaged.
    """

    modality: str
    """Modality, or ``all``."""
    severities: list[int] = []
    """Of the degraded pictures; corruption and severity are drawn for each image by the protocol's seed."""
    n_images: int = 0
    """Images scored both clean and degraded."""
    n_clusters: int = 0
    n_missing: int = 0
    """Images left out because one of the two answers gave no score."""
    error: Number = None
    """Expected calibration error: mean distance between predicted and observed, 0-1."""
    by_chance: Number = None
    """The error that a perfectly calibrated model with these scores would exceed one time in twenty."""
    points: list[CalibrationPoint] = []


class SubgroupLevel(Record):
    """How the model did on one level of an attribute."""

    level: str
    """``unknown`` is a level of its own."""
    n_images: int = 0
    n_clusters: int = 0
    too_few: bool = False
    """Fewer patients than the protocol asks for before a mean may pass (``min_clusters``)."""
    score: Estimate
    """Mean score of the clean images."""
    fall: Estimate
    """Mean slope of the score over severity, all corruptions together, in points per severity step."""
    unusable: Estimate
    """Share of clean images whose question for a score got none."""


class Subgroup(Record):
    """Results by one attribute of patients or equipment; for information, no verdict rests on them."""

    attribute: str
    """``sex``, ``age``, ``site``, ``manufacturer``, ``label``."""
    levels: list[SubgroupLevel] = []
    gap: Estimate | None = None
    """Largest difference of clean scores between two levels known, with a simultaneous interval; null when fewer than
    two levels have patients enough."""
    sentence: str = ""
    """What can and what cannot be told."""


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


class EmbeddingPoint(Record):
    """How far one severity moves what the model holds inside."""

    severity: int
    """1-5."""
    similarity: Estimate
    """Cosine similarity of the corrupted to the clean image, paired within the image, mean over patients; 1 is no
    change."""
    score_change: Estimate
    """Change of the score from the clean image, over the images scored under both, mean over patients."""
    ssim: Number = None
    """Mean measured structural similarity of the pictures themselves."""
    n_images: int = 0
    """Images with both embeddings."""
    n_clusters: int = 0
    """Patients behind them."""
    n_missing: int = 0
    """Images that were to be embedded under this condition and have not both embeddings."""


class EmbeddingShift(Record):
    """What one corruption does to one kind of embedding in one modality; for information, no verdict rests on it."""

    kind: str
    """``vision`` (pooled image features, before any text) or ``language`` (last hidden layer at the last token of
    image and question)."""
    corruption: str
    """Name in the catalogue."""
    title: str
    """The same for people."""
    modality: str
    """Modality, or ``all``."""
    between: Number = None
    """Mean cosine similarity between clean images of different patients of one modality: how far apart two images are
    when nothing is done to either. Null with fewer than two patients."""
    follows: Estimate = Estimate()
    """Pearson correlation, within the image over clean and all severities, between the distance from the clean
    embedding and the fall of the score; mean over patients. 1: the score falls in step with what happens inside; 0: it
    does not follow, or never changes."""
    n_follows: int = 0
    """Images behind ``follows``: embedded and scored at every severity, with an embedding that moves."""
    series: list[EmbeddingPoint] = []
    """By severity."""


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
