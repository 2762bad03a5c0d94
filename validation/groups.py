"""How often a gate on gaps between groups errs: the truth on the margin in one pair, in many, or nowhere.

Not a part of ``python -m validation``, whose document is written as a whole: ``python -m validation.groups`` measures
these rows and prints the table that docs/validation.md has under "Groups of patients".
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np

from auditkit.evidence import Estimate
from auditkit.images.item import Item
from auditkit.judge import gaps
from auditkit.measure.columns import MAIN, REFUSED, SCORED, Column, Measurements
from auditkit.protocol.effects import between, mean, share
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.stats.bootstrap import multiplicities
from auditkit.testing import audit_all, made_up_images
from auditkit.vocabulary import Effect, Question
from validation.jobs import seed
from validation.setting import LAYOUTS, SHIPPED_PROTOCOL, unplanned

if TYPE_CHECKING:
    from numpy.typing import NDArray

REPLICATES, RESAMPLES = 1000, 1000
ON, INSIDE, BEYOND = "on the margin", "no gap", "twice"
SHARED = 0.3
"""Share of the noise's variance, or of the refusals, that the images of a patient have in common."""
DECIDES = {("mean", "gap")}
"""The rows of `auditkit.judge.procedures.TABLE` whose procedures are measured here."""
LEVEL = 50.0
MARGINS = {"points": 5.0, "share": 0.05}


@dataclass(frozen=True, slots=True)
class Row:
    """One situation.

    Attributes
    ----------
    kind : str
        ``sd 6`` and so on: scores with that spread. ``jump``: a share of the patients of a group loses 40 points, which
        is its gap. ``refused``: shares of refused answers.
    how : str
        What is true, in words.
    means : tuple of float
        By group: points above the others, or the share that is refused.
    sizes : tuple of int
        Patients by group.
    layout : str
        Key of `LAYOUTS`.
    truth : str
        Where the pair furthest apart lies.
    hidden : float
        Share of the answers of the highest group that are refused, the highest ones.
    column : str
        ``site``, or two columns of which the groups are the combinations.
    """

    kind: str
    how: str
    means: tuple[float, ...]
    sizes: tuple[int, ...]
    layout: str = "1"
    truth: str = ON
    hidden: float = 0.0
    column: str = "site"

    def __str__(self) -> str:
        sizes = f"{len(self.sizes)} x {self.sizes[0]}" if len(set(self.sizes)) == 1 else ", ".join(map(str, self.sizes))
        return f"| {self.kind} | {self.how} | {self.truth} | {sizes} | {self.layout} |"

    @property
    def unit(self) -> str:
        """Of what is measured."""
        return "share" if self.kind.startswith("refused") else "points"

    @property
    def effect(self) -> Effect:
        """What is judged."""
        return between(self.column, share("refused") if self.unit == "share" else mean(), family="groups")


def one_apart(k: int, by: float) -> tuple[float, ...]:
    """Return k groups of which one lies apart from all others."""
    return (by, *[0.0] * (k - 1))


def ends_apart(k: int, by: float) -> tuple[float, ...]:
    """Return k groups of which two lie apart and the others in the middle of these."""
    return (0.0, by, *[by / 2] * (k - 2))


def halves_apart(k: int, by: float) -> tuple[float, ...]:
    """Return k groups in two halves that lie apart."""
    return (*[by] * (k // 2), *[0.0] * (k - k // 2))


def rows() -> Iterator[Row]:
    """Yield every row."""
    m = MARGINS["points"]
    for kind, n in (("sd 6", 24), ("sd 6", 64), ("sd 12", 128), ("sd 12", 300), ("fives", 64)):
        yield Row(kind, "two groups", (m, 0.0), (n, n))
    for n in (32, 64, 200):
        yield Row("jump", "some patients of one group lose 40", (0.0, -m), (n, n))
        yield Row("jump", "some patients of one scanner of five lose 40", (-m, 0, 0, 0, 0), (n,) * 5)
    for k in (5, 10):
        for n in (64, 128):
            yield Row("sd 6", "one against all others", one_apart(k, m), (n,) * k)
            yield Row("sd 6", "the ends only", ends_apart(k, m), (n,) * k)
        yield Row("sd 12", "one against all others", one_apart(k, m), (128,) * k)
        yield Row("sd 6", "two halves", halves_apart(k, m), (64,) * k)
    for layout in ("1-4", "1 or 12"):
        yield Row("sd 12", "two groups", (m, 0.0), (150, 150), layout)
        yield Row("sd 12", "the small one apart", (m, 0.0, 0.0), (40, 100, 400), layout)
        yield Row("sd 12", "the large one apart", (0.0, 0.0, m), (40, 100, 400), layout)
    yield Row("sd 6 and 18", "the small one apart and spread", (m, 0.0, 0.0), (40, 100, 400))
    yield Row("sd 6 and 18", "the small one apart and spread", (-m, 0.0), (128, 128))
    yield Row("sd 6", "a level of 24", (m, 0.0), (24, 200))
    yield Row("sd 6", "a level of 12", (m, 0.0, 0.0), (12, 200, 200))
    yield Row("sd 6", "three levels of 6", (m, 0, m, 0, m), (6, 200, 6, 200, 6))
    yield Row("sd 6", "opposite in two columns", (m / 2, -m / 2, -m / 2, m / 2), (100,) * 4, "1", ON, 0.0, "sex*site")
    yield Row("sd 6", "5 % of the highest refused", (m, 0.0), (128, 128), "1", ON, 0.05)
    yield Row("sd 6", "5 % of the highest refused", one_apart(5, m), (128,) * 5, "1", ON, 0.05)
    for low in (0.0, 0.01, 0.03, 0.05):
        for n in (64, 100, 200, 400):
            yield Row("refused", f"{low:.0%} and {low + 0.05:.0%}", (low, low + 0.05), (n, n))
    for layout in ("1", "1-4"):
        yield Row("refused", "1 % and 6 %", (0.06, 0.01), (40, 400), layout)
        yield Row("refused", "1 % and 6 %", (0.06, 0.01), (400, 80), layout)
        yield Row("refused", "one of five 6 %, others 1 %", (0.06, 0.01, 0.01, 0.01, 0.01), (200,) * 5, layout)
        yield Row("refused", "one of ten 7 %, others 2 %", (0.07, *[0.02] * 9), (150,) * 10, layout)
        yield Row("refused", "3 % and 8 %", (0.03, 0.08), (200, 200), layout)
    yield Row("refused", "90 % and 95 %", (0.90, 0.95), (200, 200))
    yield Row("refused", "20 % and 25 %", (0.20, 0.25), (400, 400), "1-4")
    for k, n in ((2, 64), (2, 128), (5, 64), (5, 128), (10, 128)):
        yield Row("sd 6", "all alike", (0.0,) * k, (n,) * k, "1", INSIDE)
        yield Row("sd 12", "all alike", (0.0,) * k, (2 * n,) * k, "1", INSIDE)
    for k, n in ((2, 100), (2, 200), (5, 200), (10, 200)):
        yield Row("refused", "2 % everywhere", (0.02,) * k, (n,) * k, "1", INSIDE)
    yield Row("sd 6", "one against all others", one_apart(10, 2 * m), (64,) * 10, "1", BEYOND)
    yield Row("sd 12", "one against all others", one_apart(5, 2 * m), (128,) * 5, "1", BEYOND)
    yield Row("sd 6", "opposite in two columns", (m, -m, -m, m), (100,) * 4, "1", BEYOND, 0.0, "sex*site")
    yield Row("refused", "one of five 12 %, others 2 %", (0.12, 0.02, 0.02, 0.02, 0.02), (200,) * 5, "1", BEYOND)


@lru_cache(maxsize=4)
def items(row: Row) -> tuple[tuple[Item, ...], NDArray[np.int64], NDArray[np.int64]]:
    """Return the images of a row, the group and the patient of each."""
    records = made_up_images({"ct": sum(row.sizes)}, LAYOUTS[row.layout])
    numbers = np.array([int(record.name.split("-")[1]) for record in records])
    # Patients are dealt to the groups in turn, so that every group has patients of every number of images.
    order = np.random.default_rng(7).permutation(np.repeat(np.arange(len(row.sizes)), row.sizes))
    group = order[numbers]
    known = []
    for record, of in zip(records, group.tolist(), strict=True):
        levels = {"site": f"s{of}"} if row.column == "site" else {"sex": "FM"[of // 2], "site": "ab"[of % 2]}
        known.append(replace(record, attributes=levels))
    return tuple(known), group, numbers


def drawn(row: Row, at: int) -> Measurements:
    """Return the answers of one data set."""
    records, group, patient = items(row)
    rng = np.random.default_rng(at)
    of_group = np.asarray(row.means)[group]
    n, G = group.size, int(patient.max()) + 1
    if row.unit == "share":
        shared = (rng.random(G) < SHARED)[patient] if row.layout != "1" else np.zeros(n, dtype=bool)
        hit = np.where(shared, rng.random(G)[patient], rng.random(n)) < of_group
        return _measured(records, np.where(hit, np.nan, LEVEL))
    noise = np.sqrt(SHARED) * rng.standard_normal(G)[patient] + np.sqrt(1 - SHARED) * rng.standard_normal(n)
    if row.kind == "jump":
        scores = LEVEL + 2.0 * noise - 40.0 * ((rng.random(G)[patient] * 40.0) < -of_group)
    elif row.kind == "sd 6 and 18":
        scores = LEVEL + np.where(group == 0, 18.0, 6.0) * noise + of_group
    else:
        scores = LEVEL + (float(row.kind.removeprefix("sd ")) if row.kind != "fives" else 6.0) * noise + of_group
    if row.kind == "fives":
        scores = 5.0 * np.floor(scores / 5.0 + rng.random(n))
    if row.hidden:
        own = np.flatnonzero(group == int(np.argmax(row.means)))
        scores[own[np.argsort(-scores[own])[: round(row.hidden * own.size)]]] = np.nan
    return _measured(records, np.clip(scores, 0.0, 100.0))


def _measured(records: Sequence[Item], scores: NDArray[np.float64]) -> Measurements:
    outcomes = np.where(np.isnan(scores), REFUSED, SCORED).astype(np.int8)
    return Measurements(records, {Question("quality", "direct"): Column({MAIN: scores}, outcomes)})


@contextmanager
def decisions_only() -> Iterator[None]:
    """Leave out the numbers of each level by itself, which decide nothing, and draw equal resamples once."""
    with (
        mock.patch.object(gaps, "_estimate", return_value=Estimate()),
        mock.patch("auditkit.stats.pairs.multiplicities", _kept),
    ):
        yield


_kept = lru_cache(maxsize=64)(multiplicities)


def measured(row: Row, replicates: int) -> Counter[str]:
    """Count the verdicts of a row."""
    shipped = load_protocol(SHIPPED_PROTOCOL)
    content = shipped.model_dump() | {"families": {"groups": {"size": 1, "within": MARGINS[row.unit]}}}
    content["statistics"]["resamples"] = RESAMPLES
    counts: Counter[str] = Counter()
    for replicate in range(replicates):
        if replicate % 50 == 0:
            resampling = seed("groups", str(row), "protocol", str(replicate))
            protocol = Protocol.model_validate(content | {"seed": resampling})
        with unplanned(), decisions_only():
            [audit] = audit_all(drawn(row, seed("groups", str(row), str(replicate))), [row.effect], protocol).values()
        counts[audit.verdict] += 1
    return counts


def main(arguments: Sequence[str]) -> None:
    """Measure all rows, or every so many for a look, and print them."""
    parser = argparse.ArgumentParser(prog="python -m validation.groups", description=__doc__)
    parser.add_argument("--replicates", type=int, default=REPLICATES)
    parser.add_argument("--only", default="", help="rows in whose text this is")
    parser.add_argument("--part", default="0/1", help="every so many rows from one on: 0/2, 1/2")
    given = parser.parse_args(arguments)
    first, step = map(int, given.part.split("/"))
    print("| kind | how | truth | patients | images of each | data sets | PASS | FAIL |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for row in [row for row in rows() if given.only in str(row)][first::step]:
        counts = measured(row, given.replicates)
        passed, failed = (counts[verdict] / given.replicates for verdict in ("PASS", "FAIL"))
        print(f"{row} {given.replicates} | {passed:.3f} | {failed:.3f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
