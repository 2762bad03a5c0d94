"""What one audit measured and decided: its cells, its figure's points, the images that speak against the model."""

from __future__ import annotations

from auditkit.evidence.values import Estimate, Number, Outcomes, Record, Verdict


class Expected(Estimate):
    """The estimate that a gate's rule gives for expected scores instead of generated ones; no verdict rests on it.

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


class ScoringInfo(Record):
    """How far the generated answers to one template and the probabilities of its choices say the same."""

    template: str
    answers: int = 0
    """Answers to distinct questions; errors are none. The next four sum to it."""
    read: int = 0
    """With valid log-probabilities, enough of them on the declared choices."""
    absent: int = 0
    """Without log-probabilities."""
    invalid: int = 0
    """With log-probabilities that cannot be any: above 0, no numbers, of other choices, summing to more than 1."""
    low_mass: int = 0
    """With too little probability on the declared choices for an expected score."""
    n_compared: int = 0
    """Answers that were scored and have a likeliest choice."""
    agreement: Number = None
    """Share of these whose likeliest choice says what was generated, 0-1."""
    difference: Number = None
    """Mean absolute difference between expected and generated score, in points; null where choices have labels."""
    entropy: Number = None
    """Mean entropy over the choices, in bits."""
    max_entropy: Number = None
    """Entropy if all choices were equally likely, in bits."""
    mass: Number = None
    """Mean probability on the declared choices, 0-1, the answers with too little included."""


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
    expected: Expected | None = None
    """The same estimate from expected scores, for information; null without log-probabilities, and for gates on shares
    of answers."""
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
    expected: Number = None
    """Mean expected score (patient means), 0-100 points; null without log-probabilities."""
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
    ``discrimination``, ``not_raised``, ``rate``, ``rate_difference``, ``agreement``, ``non_inferiority`` (to an earlier
    run)."""
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
    template: str = ""
    """Id of the prompt template; empty where several are compared (``treated`` names them)."""
    verdict: Verdict
    sentence: str
    """The verdict in one sentence, with the numbers."""
    estimate: Estimate
    """Over all modalities, patients weighted equally; the verdict rests on the cells."""
    expected: Expected | None = None
    """The same from expected scores, for information."""
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
