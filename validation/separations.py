"""How often the interval of an area between classes lies beyond the true area: few of one class, ties, clusters.

Not a part of ``python -m validation``: ``python -m validation.separations`` measures all rows in a few minutes and
prints their table. No verdict hangs on these areas; the rates are those that a floor at the true area would have.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from auditkit.stats.auroc import auroc, auroc_test

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPLICATES, ALPHA = 1000, 0.05
SHARED = 0.5
"""Correlation between the images of a patient, who has one class."""
PATIENTS, PREVALENCES, LAYOUTS, AREAS = (32, 64, 200), (0.5, 0.1), ("1", "1-4"), (0.6, 0.8, 0.95)
TIES_AT = 0.8


@dataclass(frozen=True, slots=True)
class Row:
    """One setting; `ties` leaves two levels of the chances."""

    patients: int
    prevalence: float
    layout: str
    area: float
    ties: bool

    @property
    def truth(self) -> float:
        """The true area of what is drawn."""
        if not self.ties:
            return self.area
        right = float(ndtr(self._apart / 2))  # on the right side of the middle, in either class
        return right * right + right * (1.0 - right)

    @property
    def _apart(self) -> float:
        return float(np.sqrt(2.0) * ndtri(self.area))

    def draw(self, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.bool_]]:
        """Return the chance, the patient and the class of every image."""
        images = np.ones(self.patients, int) if self.layout == "1" else rng.integers(1, 5, self.patients)
        patient = np.repeat(np.arange(self.patients), images)
        inside = (rng.random(self.patients) < self.prevalence)[patient]
        own, theirs = rng.standard_normal(patient.size), rng.standard_normal(self.patients)[patient]
        value = np.sqrt(SHARED) * theirs + np.sqrt(1 - SHARED) * own + self._apart * inside
        return (value > self._apart / 2).astype(float) if self.ties else value, patient, inside


def rows() -> list[Row]:
    """Return every setting."""
    every = product(PATIENTS, PREVALENCES, LAYOUTS, AREAS, (False, True))
    return [Row(*one) for one in every if not one[-1] or one[3] == TIES_AT]


def measure(row: Row, replicates: int = REPLICATES) -> tuple[float, float]:
    """Return how often the interval lies above the true area, and how often below it."""
    rng, above, below = np.random.default_rng(1), 0, 0
    for _ in range(replicates):
        value, patient, inside = row.draw(rng)
        found = auroc(value[inside], value[~inside], patient[inside], patient[~inside], ALPHA)
        p_pass, p_fail = auroc_test(found, row.truth)
        above, below = above + (p_pass < ALPHA), below + (p_fail < ALPHA)
    return above / replicates, below / replicates


def main() -> None:
    """Print the table."""
    print("| patients | in the class | images of a patient | area | two levels | above | below |")
    print("|---|---|---|---|---|---|---|")
    for row in rows():
        above, below = measure(row)
        cells = (row.patients, row.prevalence, row.layout, row.area, "yes" if row.ties else "", above, below)
        print("|", " | ".join(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in cells), "|", flush=True)


if __name__ == "__main__":
    main()
