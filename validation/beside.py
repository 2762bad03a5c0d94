"""What suites share that are measured beside ``python -m validation``: labelled patients, a table, and a command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from auditkit.images.item import Item
from auditkit.tasks.truth import COLUMN_OF
from validation.jobs import Counts, Job, Ledger, to_stderr, work
from validation.rates import Rate, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

TASK, ANSWERS = "pneumonia.present", ("yes", "no")
MARGIN, INSIDE, BEYOND = "on the margin", "inside", "beyond"
PLANTED_ROW = "planted"
FOUND, BLAMED = "found", "others blamed"
SHARED = 0.5
"""Correlation between the images of a patient, of the number that decides an answer."""
ON_MARGIN = 0.05
"""What neither a PASS nor a FAIL must exceed there."""


def uniform(rng: np.random.Generator, patients: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return numbers uniform on 0 to 1 that images of a patient have partly in common; shape (n,)."""
    own = rng.standard_normal(len(patients))
    theirs = rng.standard_normal(int(patients.max()) + 1)[patients]
    return np.asarray(ndtr(np.sqrt(SHARED) * theirs + np.sqrt(1 - SHARED) * own))


def with_truth(records: Sequence[Item], ill: NDArray[np.bool_]) -> tuple[Item, ...]:
    """Return the images with the right answer to `TASK`."""
    truths = [{COLUMN_OF + TASK: "yes" if sick else "no"} for sick in ill.tolist()]
    return tuple(replace(record, attributes=truth) for record, truth in zip(records, truths, strict=True))


def verdict_rates(
    results: dict[str, Counts],
    title: str,
    keys: tuple[str, ...],
    claims: Sequence[str] = (FOUND, BLAMED),
    wrong_pass: Sequence[str] = (),
) -> Table:
    """Return the rates of every row, whose name begins with gate and truth.

    Parameters
    ----------
    results : dict of str to Counts
        By row.
    title : str
    keys : tuple of str
        Of the parts of a row's name.
    claims : sequence of str
        What is counted of planted models.
    wrong_pass : sequence of str
        Further truths with which a PASS is wrong.
    """
    found = []
    for row, counts in results.items():
        key, n = tuple(row.split("|")), counts["replicates"]
        name, where = key[:2]
        if name == PLANTED_ROW:
            found += [Rate(key, claim, counts.get(claim, 0) / n, n, None, False) for claim in claims]
            continue
        for verdict in ("PASS", "FAIL"):
            wrong = where == MARGIN or (where, verdict) in ((INSIDE, "FAIL"), (BEYOND, "PASS"))
            wrong |= where in wrong_pass and verdict == "PASS"
            nominal = ON_MARGIN if wrong else None
            found.append(Rate(key, verdict, counts.get(verdict, 0) / n, n, nominal, wrong))
    return Table(title, keys, found)


def command(
    suite: str,
    jobs: Callable[[int | None], list[Job]],
    table: Callable[[dict[str, Counts]], Table],
    results: Path,
    arguments: Sequence[str],
) -> int:
    """Measure what is not measured yet, and print the table."""
    parser = argparse.ArgumentParser(prog=f"python -m validation.{suite}")
    parser.add_argument("--only", action="append", default=[], help="part of a row's name; may be repeated")
    parser.add_argument("--replicates", type=int, help="replicates of every row, instead of those planned")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    chosen = [job for job in jobs(given.replicates) if not given.only or any(part in job.row for part in given.only)]
    ledger = Ledger(results)
    failed = work(chosen, ledger, given.workers, to_stderr)
    print(table({row: counts for (_, row), counts in ledger.add_up(chosen).items()}).markdown())
    for job, said in failed.items():
        print(f"FAILED {job.id}: {said}", file=sys.stderr)
    return 2 if failed else 0
