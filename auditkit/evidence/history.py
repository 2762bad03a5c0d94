"""The runs of one model in time: what `auditkit history` reads out of their records and renders."""

from __future__ import annotations

from typing import Literal

from auditkit.evidence.audit import Verb
from auditkit.evidence.model import ModelInfo
from auditkit.evidence.values import Estimate, Number, Outcomes, Record, Verdict


class PastRun(Record):
    """One run of the history."""

    number: int
    """Its place in time, from 1."""
    run: str
    """Run id."""
    path: str
    """Where its record was found, below the folder that was given."""
    finished: str
    version: int
    """Place of the model's version (revision and fingerprint) in order of first appearance, from 1."""
    revision: str = ""
    fingerprint: str = ""
    verdict: Verdict
    counts: dict[Verdict, int]
    """Audits that decide, by verdict; without those that hold the run against an earlier one."""
    n_not_run: int = 0
    """Declared audits that the run did not include: it is a part."""
    protocol: str
    """Letter of its protocol, as in `PastProtocol`."""
    data: str
    """Letter of its data, as in `PastData`."""
    outcomes: Outcomes = Outcomes()
    anchor: str = ""
    """Run id of the anchor it was held against; empty without one."""
    anchor_run: int = 0
    """Its number; 0 where it is not among these."""


class PastProtocol(Record):
    """One protocol of the history."""

    letter: str
    name: str
    profile: str
    sha256: str
    alpha: Number
    first_run: int
    """Number of the first run under it."""
    changes: list[str] = []
    """What differs from the protocol of the run before that one."""


class PastData(Record):
    """The images of one or more runs."""

    letter: str
    source: str
    n_images: int
    n_clusters: int
    sha256: str
    first_run: int
    notice: str = ""
    synthetic_share: Number = None


class PastPoint(Record):
    """One audit in one run."""

    run: int
    """Number of the run."""
    verdict: Verdict
    estimate: Estimate
    """As its own run recorded it: the interval holds for this run alone."""
    margin_low: Number = None
    """Accepted over all items, lower end; null when open."""
    margin_high: Number = None
    n_images: int = 0
    n_clusters: int = 0
    joined: bool = False
    """Whether the same was measured on the same images as in the point before, so that a line may join the two."""
    apart: str = ""
    """Why not; empty for the first point and where the two are joined."""
    limits_moved: bool = False
    """Whether its criterion (limit, error rate, statistics) is another one than that of the point before."""


class Event(Record):
    """Something that got worse, or moved, from one run of an audit to the next."""

    kind: Literal["verdict", "interval", "baseline", "anchor"]
    """``verdict``: it got worse. ``interval``: it lies apart from the one before. ``baseline``, ``anchor``: the run
    itself found the version worse than an earlier one by more than the margin."""
    audit: str
    """Id."""
    title: str
    run: int
    before: int
    """Number of the run that it is compared with; of the comparison with an earlier run 0, where that is not here."""
    verdict: Verdict
    verdict_before: Verdict | None = None
    estimate: Estimate
    estimate_before: Estimate | None = None
    direction: Literal["worse", "better", ""] = ""
    """Of a moved interval: to which side, by the family's limit; empty where it has none."""
    caveat: str = ""
    """What else changed between the two runs; empty where only the model can be the reason."""


class Trend(Record):
    """A line through an audit's effect in several versions, paired within the patient."""

    estimate: Estimate
    """How far the line rises from the first of the versions to the last, mean over patients."""
    runs: list[int]
    """Numbers of the runs."""
    n_versions: int
    n_images: int
    """Images with a value in every one of these runs."""
    n_left_out: int = 0
    """Images without a value in at least one of them."""
    n_clusters: int
    p: Number = None
    """P-value of the direction seen, corrected over the trends of all audits; compare with alpha."""
    fit: Number = None
    """Share of the variation between the runs' means that the line explains, 0-1; chance in each run lowers it."""
    start: Number = None
    """Height of the line at the first version."""
    means: list[Number] = []
    """Mean of every run, over the patients that have a value in all."""
    jumps: list[int] = []
    """Numbers of those runs whose own interval left that of the run before: what moved then did not drift slowly."""
    of_limit: Number = None
    """Size of the estimate as a share of the family's limit where that is a distance from zero; else null."""
    direction: Literal["worse", "better", ""] = ""
    """By the family's limit; empty where it has none."""
    named: bool = False
    """Whether it is told from chance: ``p`` is at most alpha and the interval leaves 0 out."""

    @property
    def slow(self) -> bool:
        """Whether it is told from chance, and no run alone moved as far as its interval shows."""
        return self.named and not self.jumps

    what: str = ""
    """What the effect is, in words."""


class PastAudit(Record):
    """One audit over the runs."""

    id: str
    family: str
    verb: Verb = ""
    """As in `Audit`; so are the next five."""
    statistic: str = "mean"
    quantity: str = "score"
    unit: str = "points"
    change: bool = False
    shown: bool = False
    title: str
    points: list[PastPoint]
    """The runs that have it, in time."""
    trend: Trend | None = None
    """Null where fewer than three versions measured the same on the same images."""


class MonitoredPoint(Record):
    """What all patients seen up to one run say of an audit."""

    run: int
    mean: Number
    """Mean over the patients so far."""
    low: Number
    """Ends of the band."""
    high: Number
    n_clusters: int
    """Patients so far."""
    n_new: int
    """Of these, first seen in this run."""


class Monitored(Record):
    """One audit over new patients, run by run, with a band that holds at all runs at once."""

    id: str
    title: str
    verb: Verb = ""
    unit: str = "points"
    change: bool = False
    margin_low: Number = None
    margin_high: Number = None
    points: list[MonitoredPoint]
    beyond: int = 0
    """Number of the first run at which patients since some run lay beyond the limit; 0 for none."""
    since: int = 0
    """Number of the run with whose patients that began; 0 for none."""
    what: str = ""


class LeftOut(Record):
    """A file that is no part of the history, and why."""

    path: str
    why: str


class History(Record):
    """The runs of one model in time."""

    model: ModelInfo
    """As in the last run."""
    folder: str
    alpha: Number
    """Error rate per side, of the last run's protocol."""
    seed: int
    resamples: int
    runs: list[PastRun]
    protocols: list[PastProtocol]
    data: list[PastData]
    audits: list[PastAudit]
    """Without those that hold a run against an earlier one."""
    anchored: list[PastAudit] = []
    """How much worse each run was than its anchor."""
    events: list[Event] = []
    """In the order of the runs."""
    monitor: bool = False
    """Whether the bands over new patients were asked for."""
    monitored: list[Monitored] = []
    left_out: list[LeftOut] = []
    """Files below the folder that were not used."""
    other_models: dict[str, int] = {}
    """Runs of other models below the folder, by name."""
    sentences: list[str] = []
    """What can be said."""
    notes: list[str] = []
    """What readers must know of these runs."""
