"""How often a rank correlation of embedding and score is called above or below a limit on which the truth lies.

Not a part of ``python -m validation``: ``python -m validation.tracking`` measures all rows and prints their table.
Numbers straight into columns, then the judge with a family as a protocol declares it.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from auditkit.judge.judge import Judge
from auditkit.measure.columns import MAIN, REFUSED, SCORED, Column, Measurements
from auditkit.protocol.effects import EMBEDDING
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.tracking import tracks
from auditkit.tasks import DISTANCE
from auditkit.vocabulary import Perturbation, Question
from validation.setting import FAMILY, SHIPPED_PROTOCOL, images

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

DECIDES = {("rank", "number")}
"""The row of `auditkit.judge.procedures.TABLE` whose procedure is measured here."""
REPLICATES, ALPHA = 500, 0.05
LEVELS, ENTRY = (1, 3, 5), "jpeg"
SHARED, WITHIN = 0.5, 0.8
"""Of the variance: between patients, and of what is left between images rather than severities."""
STEPS = {"steps of 5": 5.0, "steps of 25": 25.0}
PATIENTS = (32, 64, 200)
KINDS = {"1": (*STEPS, "few move"), "1-12": (*STEPS, "few move", "by size")}
"""By images of a patient."""
LOST = {"5 % lost, out of order": -1, "5 % lost, in order": 1}
"""Images whose score is refused at every severity: those that speak most against following, or most for it."""
TRAP = "0.1 point"
"""A score that moves by a tenth of a point, in perfect order with the embedding."""
FLOOR, MOVES = 0.3, 5.0
CORRELATION, SPREAD, CLEAN = 0.5, 18.0, 85.0
MANY = 40_000


@dataclass(frozen=True, slots=True)
class Row:
    """One setting; `limit` says which of the two limits the truth lies on."""

    limit: str
    kind: str
    layout: str
    patients: int

    def draw(self, rng: np.random.Generator, patient: Codes, sizes: Codes) -> tuple[Floats, Floats]:
        """Return how far the inside moves and the score after that, of n images at every severity; shape (n, S).

        `patient` and `sizes` are of shape (n,): whose an image is, and how many that patient has.
        """
        n, S = patient.size, len(LEVELS)

        def latent() -> Floats:
            theirs = rng.standard_normal(int(patient.max()) + 1)[patient][:, None]
            own = np.sqrt(WITHIN) * rng.standard_normal((n, 1)) + np.sqrt(1 - WITHIN) * rng.standard_normal((n, S))
            return np.asarray(np.sqrt(SHARED) * theirs + np.sqrt(1 - SHARED) * own)

        inside, other = latent(), latent()
        strength = CORRELATION * (np.minimum(sizes, 4)[:, None] / 4 if self.kind == "by size" else 1.0)
        said = strength * inside + np.sqrt(1 - strength**2) * other
        distance = 0.1 * np.exp(0.4 * inside) * np.array(LEVELS)
        if self.kind == TRAP:
            return distance, CLEAN - 0.1 * distance / distance.max()
        fall = 6.0 * np.array(LEVELS) + SPREAD * said
        if self.kind == "few move":
            fall = np.where(said > 1.0, 30.0, 0.0)
        step = STEPS.get(self.kind, 5.0)
        score = np.clip(np.round((CLEAN - fall) / step) * step, 0.0, 100.0)
        if self.kind in LOST and self.limit:
            in_order = (inside * said).mean(axis=1) * LOST[self.kind]
            score[np.argsort(in_order)[n - round(n / 20) :]] = np.nan
        return distance, score


def rows() -> Iterator[Row]:
    """Yield every setting, the quick ones first."""
    for patients, layout in product(PATIENTS, KINDS):
        yield from (Row("rank", kind, layout, patients) for kind in KINDS[layout])
        yield from (Row("moves", kind, layout, patients) for kind in ("steps of 5", "few move"))
        yield Row("neither", TRAP, layout, patients)
    for patients in PATIENTS[1:]:
        yield from (Row("rank", kind, "1", patients) for kind in LOST)
        yield Row("neither", "steps of 5", "1", patients)


@lru_cache(maxsize=2)
def truth(kind: str, layout: str) -> tuple[float, float]:
    """Return the true correlation and the true mean difference: one image drawn of each of many patients."""
    rng, row = np.random.default_rng(9), Row("", kind, layout, MANY)
    counts = np.array([len(own) for own in _of_patients(layout, 24)])
    sizes = np.resize(counts, MANY)
    inside, score = row.draw(rng, np.arange(MANY), sizes)
    u, v = (rankdata(values, axis=0) / MANY - 0.5 for values in (inside, -score))
    ordered, places = np.sort(score, axis=0), np.arange(MANY)[:, None]
    apart = 2 * ((2 * places - MANY + 1) * ordered).sum(axis=0) / MANY / (MANY - 1)
    return float((u * v).sum() / np.sqrt((u**2).sum() * (v**2).sum())), float(apart.mean())


def _of_patients(layout: str, patients: int) -> list[list[int]]:
    clusters = Measurements(images(layout, patients, ("ct",)), {}).cluster
    return [np.flatnonzero(clusters == patient).tolist() for patient in range(patients)]


def measure(row: Row, replicates: int) -> Counter[str]:
    """Count verdicts."""
    rank, apart = (1.0, 0.0) if row.kind == TRAP else truth(row.kind, row.layout)
    family = {
        "rank": {"at_least": rank, "moves": apart / 3},
        "moves": {"at_least": max(rank - 0.3, 0.01), "moves": apart},
        "neither": {"at_least": FLOOR, "moves": MOVES},
    }[row.limit]
    shipped = load_protocol(SHIPPED_PROTOCOL)
    families = {FAMILY: {"size": 1, **family}}
    protocol = Protocol.model_validate(shipped.model_dump() | {"families": families})
    effect = tracks("vision", ENTRY, LEVELS, value=DISTANCE.name, family=FAMILY)
    records = images(row.layout, row.patients, ("ct",))
    patient = Measurements(records, {}).cluster
    sizes, counts = np.bincount(patient)[patient], Counter[str]()
    rng = np.random.default_rng([1, row.patients, len(row.layout), *map(ord, row.kind + row.limit)])
    inside = Question(EMBEDDING, "vision")
    clean = Column({MAIN: np.full(patient.size, CLEAN)}, np.full(patient.size, SCORED, np.int8))
    for _ in range(replicates):
        distance, score = row.draw(rng, patient, sizes)
        columns = {protocol.resolve(Question()): clean}
        for step, level in enumerate(LEVELS):
            done, outcomes = Perturbation(ENTRY, level), np.full(patient.size, SCORED, np.int8)
            values = {DISTANCE.name: np.minimum(distance[:, step], DISTANCE.high)}
            columns[protocol.resolve(inside.under(done))] = Column(values, outcomes, inside=True)
            columns[protocol.resolve(Question().under(done))] = Column(
                {MAIN: score[:, step]}, np.where(np.isnan(score[:, step]), REFUSED, outcomes).astype(np.int8)
            )
        audit = Judge(protocol, Measurements(records, columns), [effect]).audit(effect, "Does it follow?")
        counts[next(cell.verdict for cell in audit.parts if cell.required)] += 1
    return counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m validation.tracking")
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--patients", type=int, nargs="*", default=PATIENTS)
    parser.add_argument("--layouts", nargs="*", default=[*KINDS])
    parser.add_argument("--kinds", nargs="*", default=[*KINDS["1-12"], *LOST, TRAP])
    parser.add_argument("--limits", nargs="*", default=["rank", "moves", "neither"])
    chosen = parser.parse_args()
    print("| on the limit | kind | images of a patient | patients | correlation | points apart | PASS | FAIL |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows():
        if row.patients not in chosen.patients or row.layout not in chosen.layouts:
            continue
        if row.kind not in chosen.kinds or row.limit not in chosen.limits:
            continue
        counts = measure(row, chosen.replicates)
        true = (1.0, 0.03) if row.kind == TRAP else truth(row.kind, row.layout)
        rates = [f"{counts[verdict] / chosen.replicates:.3f}" for verdict in ("PASS", "FAIL")]
        cells = (row.limit, row.kind, row.layout, row.patients, *(f"{x:.2f}" for x in true), *rates)
        print("|", " | ".join(map(str, cells)), "|", flush=True)


if __name__ == "__main__":
    main()
