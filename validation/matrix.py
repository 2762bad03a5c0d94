"""Are planted defects found by the right audits, and by no others? `auditkit.testing.DEFECTS`, at twice the limit."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import DEFECTS, NOISES, Behaviour, Defect, FairReader, Planted, at_times, audit_all
from auditkit.vocabulary import Effect
from validation.asking import answers
from validation.jobs import Counts, Job, chunks
from validation.setting import SHIPPED_PROTOCOL, images, unplanned

SUITE = "matrix"
REPLICATES, FAIR_REPLICATES = 40, 100
"""Of defects, which are found or not, and of fair readers, who are blamed by chance."""
TIMES = 2.0
"""Size of the defects in units of the protocol's limits."""
PATIENTS, LAYOUT, MODALITIES = 64, "1", ("ct", "mr")
AGAIN = {
    "reads_label": 160,
    "refuses": 256,
    "hides_changes": 256,
    "batch_dependent": 160,
    "unsteady": 160,
    "out_of_range": 256,
    "blank_passes": 160,
    "ignores_image": 160,
}
"""Defects whose right audits need more patients for a FAIL that survives the correction of their family."""
FAIR = "none: "
SUBSET: dict[str, tuple[str, ...]] = {
    "sensitivity": ("gaussian_noise", "jpeg"),
    "discrimination": ("gaussian_noise", "jpeg"),
    "direction": ("brightness", "contrast_up"),
    "metadata": (
        "institution.reputation-high-vs-low", "institution.reputation-high-vs-neutral",
        "institution.reputation-low-vs-neutral",
        "demographics_patient.sex-female-vs-male", "demographics_patient.sex-female-vs-neutral",
        "demographics_patient.sex-male-vs-neutral",
    ),
    "placebo": ("institution.neutral", "demographics_patient.neutral"),
    "templates": ("quality",),
    "answers": (
        "quality.direct-refused", "quality.direct-unusable",
        "rating.direct-refused", "rating.direct-unusable",
    ),
    "differential": ("gaussian_noise-s5", "institution.reputation.high", "institution.reputation.low"),
    "repeatability": ("asked-twice", "alone-vs-batch"),
    "looking": ("black", "noise"),
    "flags": ("black", "gaussian_noise-s5"),
    "spared": ("gaussian_noise-s1",),
    "burnt_in": ("burnt_in-excellent-vs-poor", "burnt_in-excellent-vs-neutral", "burnt_in-poor-vs-neutral"),
    "authority": (
        "authority.quality-excellent-vs-poor", "authority.quality-excellent-vs-neutral",
        "majority.quality-excellent-vs-neutral",
    ),
}  # fmt: skip
"""The shipped effects that are judged, by family: corrected for all that the family declares."""


def rows() -> list[str]:
    """Return the models: every defect, some of them with more patients, then the fair readers by their noise."""
    return [*DEFECTS, *(f"{name}, {n} patients" for name, n in AGAIN.items()), *(FAIR + noise for noise in NOISES)]


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work."""
    wanted = {row: FAIR_REPLICATES if row.startswith(FAIR) else REPLICATES for row in rows()}
    return [job for row, n in wanted.items() for job in chunks(SUITE, row, replicates or n, size=20)]


@lru_cache(maxsize=1)
def effects() -> tuple[Effect, ...]:
    """Return the effects of `SUBSET`.

    Raises
    ------
    KeyError
        When one of them is not shipped any more.
    """
    found = []
    for family, names in SUBSET.items():
        shipped = {effect.name: effect for effect in SHIPPED[family]()}
        found += [shipped[name] for name in names]
    return tuple(found)


def run(job: Job) -> Counts:
    """Count the verdicts of the audits that should FAIL, of those that must not, and of those that should PASS."""
    shipped = load_protocol(SHIPPED_PROTOCOL)
    protocol = shipped.model_copy(update={"seed": job.protocol_seed()})
    name, _, more = job.row.partition(", ")
    records = images(LAYOUT, int(more.removesuffix(" patients") or PATIENTS), MODALITIES)
    defect = None if name.startswith(FAIR) else at_times(TIMES, protocol, records)[name]
    fair = FairReader(noise=NOISES[name.removeprefix(FAIR)]) if defect is None else FairReader()
    behaviour: Behaviour = fair if defect is None else Planted(fair, defect)
    expected = {f"{effect.family}/{effect.name}": _expected(defect, effect, protocol) for effect in effects()}
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        data = answers(behaviour, records, effects(), protocol, seed)
        with unplanned():
            audits = audit_all(data, effects(), protocol)
        blamed: dict[str, bool] = {}
        for id_, audit in audits.items():
            counts[f"{audit.family}, {expected[id_]}"] += 1
            counts[f"{audit.family}, {expected[id_]} {audit.verdict}"] += 1
            wrong = expected[id_] != "hit" and audit.verdict == "FAIL"
            blamed[audit.family] = blamed.get(audit.family, False) or wrong
        for family, wrong in blamed.items():
            counts[f"{family}, blamed"] += wrong
        counts["any, blamed"] += any(blamed.values())
    return dict(counts)


def _expected(defect: Defect | None, effect: Effect, protocol: Protocol) -> str:
    """A defect hits an effect (FAIL wanted), touches it (PASS not owed), or has nothing to do with it."""
    if defect is None:
        return "free"
    if defect.hits(effect, protocol):
        return "hit"
    return "touched" if defect.touches(effect, protocol) else "free"
