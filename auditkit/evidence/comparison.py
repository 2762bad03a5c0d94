"""Several runs of the same audits on the same images side by side: what `auditkit compare` computes and renders."""

from __future__ import annotations

from auditkit.evidence.audit import Verb
from auditkit.evidence.data import Data
from auditkit.evidence.model import ModelInfo
from auditkit.evidence.values import Estimate, Number, Outcomes, Record, Verdict


class ComparedModel(Record):
    """One run of the comparison."""

    label: str
    """Its name on the page; with revision or run id where names repeat."""
    model: ModelInfo
    run: str
    """Run id."""
    finished: str
    verdict: Verdict
    counts: dict[Verdict, int]
    """Audits by verdict."""
    n_not_run: int = 0
    """Declared audits that the run did not include."""
    outcomes: Outcomes = Outcomes()
    """Of every question of the run."""
    identical_to: list[str] = []
    """Labels of runs that gave the same score or outcome to every question."""


class ModelEffect(Record):
    """What one model did in one audit."""

    verdict: Verdict | None = None
    """As its own run recorded it; null when the run did not include the audit."""
    estimate: Estimate
    """Mean over patients; the interval holds for all models of the audit at once."""
    n_images: int = 0
    """Images with a value."""
    n_clusters: int = 0
    """Patients behind them."""
    n_missing: int = 0
    """Images asked about that have no value, because an answer gave no score."""
    unusable: Number = None
    """Share of the answers behind the value (both sides) without a score, errors left out, 0-1."""
    letters: str = ""
    """Models of one audit that share a letter cannot be told apart."""


class Difference(Record):
    """Two models in one audit or summary, paired within the image."""

    first: str
    second: str
    """Labels; the estimate is first minus second."""
    estimate: Estimate
    """Over images with a value from both; the interval holds for all pairs at once."""
    n_images: int = 0
    """Images with a value from both."""
    n_clusters: int = 0
    """Patients behind them."""
    p: Number = None
    """P-value of the direction seen, corrected over all pairs and all audits of the question; compare with alpha."""
    apart: bool = False
    """Whether the two are told apart: ``p`` is at most alpha and the interval leaves 0 out."""


class ComparedAudit(Record):
    """One audit over all models."""

    id: str
    family: str
    verb: Verb = ""
    """As in `Audit`; so are the next four."""
    statistic: str = "mean"
    quantity: str = "score"
    unit: str = "points"
    change: bool = False
    title: str
    what: str = ""
    """What the effect is, in words; empty when only verdicts can be compared."""
    margin_low: Number = None
    """Accepted over all modalities, lower end; null when open."""
    margin_high: Number = None
    models: list[ModelEffect]
    """In the order of the comparison's models."""
    differences: list[Difference] = []
    """All pairs."""


class Standing(Record):
    """One model in one summary."""

    estimate: Estimate
    """The interval holds for all models at once."""
    rank: Number = None
    """By the estimate, 1 is best; equal estimates share the best of their ranks."""
    rank_low: int = 1
    """Best rank that the differences leave open, for all models at once."""
    rank_high: int = 1
    """Worst such rank."""
    shares: list[Number] = []
    """Share of the resamples of patients in which the model had rank 1, 2, ...; ties share the ranks they take."""
    letters: str = ""


class Summary(Record):
    """One number per model, declared beforehand, and the ranks by it."""

    name: str
    title: str
    what: str
    """How the number is made, and which end is better."""
    lower_is_better: bool
    standings: list[Standing]
    """In the order of the comparison's models."""
    differences: list[Difference] = []
    ties: list[list[str]] = []
    """Largest sets of models no two of which can be told apart."""
    sentence: str = ""


class Correlation(Record):
    """How alike two models order the images, within strata of one modality under one condition."""

    first: str
    second: str
    same_family: bool | None = None
    """Null when a family is not known."""
    modality: str = "all"
    """One modality, or all (strata are still single modalities)."""
    perturbation: str = "all"
    """One perturbation, ``clean``, or all (strata are still single perturbations and levels)."""
    estimate: Estimate
    """Spearman's coefficient pooled over strata; the interval holds for all pairs at once."""
    n_strata: int = 0
    n_scores: int = 0
    """Pairs of scores."""
    n_missing: int = 0
    """Pictures put to both that not both scored."""
    n_clusters: int = 0
    note: str = ""
    """Why there is no coefficient or no interval."""


class Comparison(Record):
    """Runs of one protocol on one set of images."""

    models: list[ComparedModel]
    """Sorted by label."""
    protocol: str
    """Its name."""
    protocol_sha256: str
    profile: str
    alpha: Number
    """Error rate per side."""
    seed: int
    resamples: int
    data: Data
    audits: list[ComparedAudit]
    summaries: list[Summary]
    correlations: list[Correlation]
    sentences: list[str]
    """What can be said, one line per summary and one on the audits."""
    notes: list[str] = []
    """What readers must know of these runs."""
