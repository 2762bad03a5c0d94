"""What the whole shipped gate does to a model in use: all audits of a hospital's patients, by patients and noise.

Fair models answer here, which respond to corruptions and to nothing else, and such with one planted defect. Their
scores are put into columns as they are (`validation.direct`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache
from itertools import product

from auditkit import perturbations
from auditkit.ask.donors import with_donors
from auditkit.evidence import Audit
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.run.kinds import told_apart
from auditkit.testing import Behaviour, audit_all
from auditkit.vocabulary import Effect, Question
from validation.direct import measured
from validation.hospitals import Biased, Fair
from validation.jobs import Counts, Job, chunks
from validation.rare import share_of_jolted
from validation.setting import SHIPPED_PROTOCOL, TAIL, images, unplanned

SUITE = "gate"
MODALITIES = ("ct", "mr", "us", "xray")
KINDS = ("ct", "xray", "ultrasound", "nuclear", "fundus")
"""One of each kind that the shipped question about it can be answered with, so that knowing differs from guessing."""
REPLICATES = {100: 10, 200: 30, 400: 25, 1000: 15}
"""By the patients of a hospital, of whole scores of fair models, one image each."""
OTHERS = 20
"""Of everything else, at most."""
PLANTED_REPLICATES = 200
FAIR, REFUSING = "fair", "refuses 2 % at random"
ONE, FIVE = ", one modality", ", five kinds of image"
"""End the names of models that are asked about as many patients of a single modality, or of `KINDS`."""
MOVED = "% of the patients moved by 40"
ON_MARGIN, ON_CAP, HIDES = "mean on the margin", "jumps on the cap", ", refuses the 2 % that move most"
PLANTED = (f"25 {MOVED}", f"30 {MOVED}", ON_MARGIN, ON_MARGIN + HIDES, ON_CAP, ON_CAP + HIDES)
LEVEL = next(level for level in perturbations.levels().values() if level.id < level.counterpart)
"""What moves the planted models' scores."""


@dataclass(frozen=True, slots=True)
class Hospital:
    """Names a row.

    Attributes
    ----------
    patients : int
        Of all four modalities together, as many of each.
    sd : float
        Of an answer, in points.
    scale : str
        Key of `validation.hospitals.STEPS`.
    layout : str
        Key of `validation.setting.LAYOUTS`.
    model : str
        `FAIR`, `REFUSING`, either of them with `ONE` or `FIVE`, or one of `PLANTED`.
    """

    patients: int
    sd: float
    scale: str = "whole"
    layout: str = "1"
    model: str = FAIR

    def __str__(self) -> str:
        return "|".join(f"{value:g}" if isinstance(value, float) else str(value) for value in astuple(self))

    @classmethod
    def parse(cls, text: str) -> Hospital:
        """Return the row that has this name."""
        patients, sd, *rest = text.split("|")
        return cls(int(patients), float(sd), *rest)


def rows() -> Iterator[Hospital]:
    """Yield every row: noise by patients, then the other scales and layouts, refusals, and planted defects."""
    for sd, patients in product((4.0, 6.0, 8.5, 12.0), REPLICATES):
        yield Hospital(patients, sd)
    for (scale, layout), patients in product((("five levels", "1"), ("whole", "4"), ("whole", "1-12")), (200, 400)):
        for sd in (8.5, 12.0):
            yield Hospital(patients, sd, scale, layout)
    yield Hospital(1000, 12.0, "five levels")
    for patients in (200, 400, 1000):
        yield Hospital(patients, 8.5, model=REFUSING)
    for model in (FAIR, REFUSING):
        yield Hospital(200, 8.5, model=model + ONE)
    for sd, patients in product((6.0, 8.5), (200, 400, 1000)):
        yield Hospital(patients, sd, model=FAIR + FIVE)
    for model in PLANTED:
        yield Hospital(200, 8.5, model=model)
    for model in PLANTED[:2]:
        yield Hospital(400, 12.0, model=model)


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work; a replicate of a whole gate takes one to three seconds."""
    found = []
    for row in rows():
        planted = row.model in PLANTED
        wanted = REPLICATES[row.patients]
        if row != Hospital(row.patients, row.sd):
            wanted = PLANTED_REPLICATES if planted else min(wanted, OTHERS)
        found += chunks(SUITE, str(row), replicates or wanted, size=50 if planted else 5)
    return found


def run(job: Job) -> Counts:
    """Count the verdicts of the gate and of every family, or what becomes of a planted defect."""
    row = Hospital.parse(job.row)
    protocol = load_protocol(SHIPPED_PROTOCOL).model_copy(update={"seed": job.protocol_seed()})
    modalities = _modalities(row)
    records = images(row.layout, row.patients // len(modalities), modalities)
    behaviour, effects = model_of(row), touched()
    if row.model not in PLANTED:
        effects = told_apart(shipped(protocol), protocol, records)
        records = with_donors(records, records, effects, protocol.catalogue, protocol.seed)
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        data = measured(behaviour, records, effects, protocol, seed)
        with unplanned():
            audits = audit_all(data, effects, protocol)
        counts.update(_of_planted(audits) if row.model in PLANTED else _of_gate(list(audits.values())))
    return dict(counts)


def _modalities(row: Hospital) -> tuple[str, ...]:
    if row.model.endswith(FIVE):
        return KINDS
    return MODALITIES[:1] if row.model.endswith(ONE) else MODALITIES


def model_of(row: Hospital) -> Behaviour:
    """Return who answers."""
    if row.model not in PLANTED:
        return Fair(row.sd, row.scale, refuses=0.02 if row.model.startswith(REFUSING) else 0.0)
    # In the middle of the scale: a jump of 40 points has room both ways.
    fair = Fair(row.sd, row.scale, quality=50.0, spread=2.0)
    hides = 0.02 if row.model.endswith(HIDES) else 0.0
    if row.model.startswith(ON_MARGIN):
        return Biased(fair, _says, shift=5.0, hides=hides)
    if row.model.startswith(ON_CAP):
        others = len(perturbations.placebos()) - 1
        share = share_of_jolted(TAIL["share"], row.sd, Biased.jump, TAIL["beyond"], others)
        return Biased(fair, _says, share=share, hides=hides)
    return Biased(fair, _says, share=float(row.model.removesuffix(MOVED)) / 100)


def _says(question: Question) -> bool:
    return any(perturbation.name == LEVEL.id for perturbation in question.condition)


@lru_cache(maxsize=1)
def _every() -> dict[str, list[Effect]]:
    return {name: make() for name, make in SHIPPED.items()}


def shipped(protocol: Protocol) -> list[Effect]:
    """Return every shipped effect that decides."""
    return [effect for name, some in _every().items() if not protocol.families[name].shown for effect in some]


def touched() -> Sequence[Effect]:
    """Return the effects that ask the moved words; the size of their family is declared, so no other is needed."""
    return [effect for effect in _every()["metadata"] if any(map(_says, effect.questions()))]


def _of_gate(audits: Sequence[Audit]) -> dict[str, int]:
    by_family: dict[str, list[str]] = {}
    for audit in audits:
        by_family.setdefault(audit.family, []).append(audit.verdict)
    found = {f"gate {_joined([audit.verdict for audit in audits])}": 1}
    for family, said in by_family.items():
        found[f"{family}, {_joined(said)}"] = 1
        found[f"{family}, audits"], found[f"{family}, audits PASS"] = len(said), said.count("PASS")
    return found


def _joined(verdicts: Sequence[str]) -> str:
    return next(verdict for verdict in ("FAIL", "INCONCLUSIVE", "PASS") if verdict in verdicts)


def _of_planted(audits: dict[str, Audit]) -> dict[str, int]:
    """The words against the neutral ones carry the defect; against their counterpart too, which is not exact."""
    said = {id_.rpartition("/")[2]: audit.verdict for id_, audit in audits.items()}
    own = said[next(name for name in said if name.endswith("-vs-neutral"))]
    return {"FAIL": int("FAIL" in said.values()), f"vs neutral {own}": 1}
