"""What one audit measured and decided: its cells, its figure's points, the items that speak against the model."""

from __future__ import annotations

from typing import Literal

from auditkit.evidence.values import Estimate, Number, Outcomes, Record, Verdict

ALL = "all"
"""The level of a stratum that is all of them together."""

Verb = Literal["within", "at_most", "at_least", ""]


class Stratum(Record):
    """Which items: those whose column has this level."""

    column: str = "modality"
    level: str = ALL
    """``all`` is all items together."""


class Expected(Estimate):
    """The estimate that an audit's rule gives for expected scores instead of generated ones; no verdict rests on it.

    An expected score is the mean of the declared answers' scores, weighted by the probability the model gives them.
    """

    n_images: int = 0
    """Images with an expected score on both sides."""
    n_clusters: int = 0
    """Patients behind them."""
    entropy: Number = None
    """Mean entropy of the treated answers over their choices, in bits: 0 is certain."""
    control_entropy: Number = None
    """The same of the control answers."""
    max_entropy: Number = None
    """Entropy if all choices were equally likely, in bits."""
    mass: Number = None
    """Mean probability that the treated answers put on the declared choices, 0-1; those with too little for an expected
    score count here too. Where it is low, the expected scores are worth little."""
    control_mass: Number = None
    """The same of the control answers."""


class Cell(Record):
    """One decision inside an audit: one stratum, and one part where the audit has several."""

    stratum: Stratum = Stratum()
    part: str = ""
    """Label of the part of the effect (``severity 3``); empty when the audit has one part."""
    level: int = 0
    """Level of the part's perturbation (3 of ``severity 3``); 0 where parts differ in something else."""
    required: bool = True
    """Whether the audit's verdict rests on it; false when it is shown for information."""
    verdict: Verdict
    """Verdict of this cell after the correction for multiplicity."""
    sentence: str
    """Why."""
    estimate: Estimate
    """The estimate the verdict rests on."""
    reference: Number = None
    """A number to see the estimate beside, in its unit: of the calibration error, what a perfectly calibrated model
    would exceed one time in twenty; of an entropy, that of equally likely choices; of likeness inside the model, that
    of images of different patients."""
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
    expected: Expected | None = None
    """The same estimate from expected scores, for information; null without log-probabilities, and for shares of
    answers."""
    tail: Estimate | None = None
    """Co-primary: how many more of a patient's answers jump by more than the tail's threshold than do by the model's
    own noise, averaged over patients; a share, below 0 where fewer do."""
    worst_case: Estimate | None = None
    """Range of the estimate when every missing score is imputed at the worst and the best end."""
    sd: Number = None
    """Standard deviation of the patients' means, in the estimate's unit; null for shares and AUROC."""
    shrunken: Number = None
    """The estimate drawn towards those of the audit's other levels, as far as their differences are chance (empirical
    Bayes). For reading and planning: no verdict rests on it. Null for fewer than three levels, shares of all and areas.
    """
    mde: Number = None
    """Smallest limit that these data would meet with 90 % power if there were no effect."""
    look: int = 1
    """The look at the data at which this cell was decided, or last looked at."""
    more_clusters: int | None = None
    """About how many more patients would settle an INCONCLUSIVE cell; null when unknown or not needed."""
    rule: str = ""
    """Which procedure or rule decided."""


class Point(Record):
    """One point of a figure: the answers under one condition; of a calibration, those in one band of the score or
    confidence; of risk against coverage, those that are kept."""

    stratum: Stratum = Stratum()
    part: str = ""
    """Label of the effect's part, where each has points of its own."""
    condition: str
    """The condition in one word: ``clean``, ``pixelate-s3``. The band: ``20 to 30 points``, ``60 to 70 %``. The share
    that is kept: ``80 % kept``."""
    level: int = 0
    """Level of the perturbation; 0 is the item as it is."""
    n_images: int = 0
    """Images scored under this condition; pictures scored in this band."""
    n_clusters: int = 0
    """Patients behind them."""
    score: Estimate
    """Mean score (patient means; within a band over its pictures). Of a confidence its mean, of risk against coverage
    the share kept, both in hundredths; of what a corruption costs of right answers, their share."""
    observed: Estimate | None = None
    """Of a calibration: share of undamaged pictures, or of right answers, among those in the band; of risk against
    coverage: share of right answers among those kept."""
    expected: Number = None
    """Mean expected score (patient means), 0-100 points; null without log-probabilities."""
    change: Estimate | None = None
    """Paired change from the clean image."""
    auroc: Estimate | None = None
    """How well clean and treated are told apart; 0.5 is chance. Null for right answers."""
    ssim: Number = None
    """Mean measured structural similarity to the clean image (dose)."""
    psnr: Number = None
    """Mean measured peak signal-to-noise ratio in dB; null when any is infinite."""


class Apart(Record):
    """How far the model's inside moved, held against the score, image by image at the strongest level."""

    stratum: Stratum = Stratum()
    level: int
    """Level of the perturbation."""
    noise: Number = None
    """What the score changes by under words that mean the same, points: 95 of 100 such changes are no larger. Null
    where no such words were asked, and then nothing is counted."""
    n_images: int = 0
    """Images of which all is known."""
    n_clusters: int = 0
    """Patients behind them."""
    unsaid: Estimate = Estimate()
    """Share of the images whose inside moved further from the clean image than another patient's is, and whose score
    stayed within its noise (patient means)."""
    n_unsaid: int = 0
    """Such images."""
    first_unsaid: list[str] = []
    """Ids of those that moved furthest."""
    unseen: Estimate = Estimate()
    """Share of the images whose score changed beyond its noise, and whose inside moved less than that."""
    n_unseen: int = 0
    """Such images."""
    first_unseen: list[str] = []
    """Ids of those whose score changed most."""
    dots: list[tuple[float, float, int, str]] = []
    """Of all items together: how far the inside moved, in units of the way to another patient's image (2 and more as
    2); change of the score, points; how many images; ``unsaid``, ``unseen`` or empty."""


class Case(Record):
    """One item whose answers speak against the model, for the gallery of failing cases."""

    item: str
    """Hashed id of the item."""
    modality: str
    synthetic: bool
    condition: str
    """What was done to it."""
    control_answer: str
    """Raw answer to the control question, shortened for display."""
    treated_answer: str
    """Raw answer to the treated question, shortened for display."""
    expected: str = ""
    """The right answer, where the task has one, as the model would say it."""
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


class Named(Record):
    """One value of the answers."""

    task: str = ""
    """Empty for the protocol's score."""
    wording: str = ""
    condition: list[tuple[str, int]] = []
    """Name and level of each perturbation."""
    role: str = "model"
    """Who is asked: ``model`` is the model that is audited, another one of ``models``."""
    value: str = ""
    """Name of the value; empty for the main one."""


class Term(Named):
    """One value of a weighted sum."""

    weight: float
    """Not rounded: the sum must come out as it did."""


class PartDefinition(Record):
    """One decision of an effect."""

    label: str = ""
    terms: list[Term]
    where: tuple[str, str] | None = None
    """Column and level of the items it is about; null for all."""
    unknown: float = 1.0
    """How far an item may lie of which no term is known, in units of the protocol's ``missing_points``."""
    alike: list[Named] = []
    """Values of questions that mean the same: how far they lie apart is the model's own noise."""
    balanced: str = ""
    """Column whose levels count equally; empty where every item does."""
    provided: PartDefinition | None = None
    """What must be shown to lie above zero on average before a PASS counts; null where nothing must."""


class Definition(Record):
    """What an audit measures, so that whoever has the record can measure it again."""

    statistic: str = "mean"
    per: str = ""
    between: str = ""
    """Column whose levels are compared; empty where none are."""
    parts: list[PartDefinition]


class Audit(Record):
    """One question, one criterion, one verdict."""

    id: str
    """Short and stable: ``metadata/institution.prestige-high-vs-low``; the key of baselines and histories."""
    question: str
    """What is asked of the model, one sentence (the audit's docstring)."""
    family: str
    """Family of the protocol; multiplicity is corrected within it."""
    verb: Verb = ""
    """What the family's limit asks: ``within`` (either way), ``at_most``, ``at_least``; empty where there is none."""
    limit: dict[str, float] = {}
    """The limit as declared: ``{"within": 5.0}``, and ``in_each`` where each stratum by itself has another. Against an
    earlier run: by how much it may be worse."""
    statistic: str = "mean"
    """What is made of the items' values: ``mean``, ``differs`` (share of items whose two answers differ), ``area``
    (under the ROC curve), ``calibration`` (expected calibration error of the score as a chance), ``follows``
    (correlation, within the item, with another number), ``ratio`` and ``shortfall ratio`` (of errors), ``agreement``
    (quadratic weighted kappa), ``wording`` (its share of the variance), ``worsening`` (than an earlier run)."""
    quantity: str = "score"
    """What is counted of every answer: ``score``, ``lost``, ``refused``, ``unusable``, another value of its task, or
    what the probabilities of the choices give: ``expected``, ``gap``, ``entropy``, ``mass``, ``agrees``, ``read``; of
    the model's embeddings ``similarity``."""
    unit: str = "points"
    """Unit of all the audit's estimates, as in `Estimate`."""
    change: bool = False
    """Whether the estimate is a difference, written with its sign; a level, a share and a fall per step are amounts."""
    shown: bool = False
    """For information only: it decides nothing and never fails a run."""
    title: str
    """Name of the thing changed, for people (``Pixelation``)."""
    hazard: str = ""
    """What harm a failure could do."""
    hazard_ids: list[str] = []
    """Ids of the risk file that the audit's ``hazard`` marker names."""
    treated: str = ""
    """The treated condition in words, with the sentence where words were changed."""
    control: str = ""
    """The control condition in words."""
    words: str = ""
    """Task and wording of its questions: ``quality.direct``; several are separated by a comma and a blank."""
    verdict: Verdict
    """Of all required cells. Of an audit that is shown for information, what it would be; nothing rests on it."""
    sentence: str
    """The verdict in one sentence, with the numbers."""
    estimate: Estimate
    """Over all items together, patients weighted equally; the verdict rests on the cells."""
    expected: Expected | None = None
    """The same from expected scores, for information."""
    p_pass: Number = None
    """Largest of the required cells' (all must pass)."""
    p_fail: Number = None
    """Smallest of the cells' after Holm."""
    n_images: int = 0
    n_clusters: int = 0
    outcomes: Outcomes = Outcomes()
    """Outcomes of the treated answers over all items."""
    mde: Number = None
    """Largest of the required cells'."""
    look: int = 1
    """The look at the data at which the verdict fell."""
    rule: str = ""
    """How the cells were combined."""
    definition: Definition | None = None
    """The effect itself; null where nothing could be judged, and against an earlier run, where it is that of the audit
    of the same name."""
    parts: list[Cell] = []
    """The decisions: every part of the effect in every stratum."""
    series: list[Point] = []
    """Figure data of a perturbation with several levels: per level, all items together and per stratum. Of a
    calibration: by band of the score, from low to high."""
    apart: list[Apart] = []
    """Of what is held inside the model against the score: both, image by image, in every stratum."""
    cases: list[Case] = []
    """At most a handful of items that speak against the model."""

    @property
    def between(self) -> str:
        """Column whose levels are compared; empty where none are. The estimate is then the largest gap between two."""
        return "" if self.definition is None else self.definition.between
