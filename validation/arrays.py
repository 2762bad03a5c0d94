"""Ratios, kappas and shares of the variance by themselves: arrays straight into the function, the truth on the limit.

What an effect and its answers add to these is what they add to any other; how far the procedures err is measured here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from auditkit.stats.agreement import agreement
from auditkit.stats.components import components
from auditkit.stats.ratio import Ratio, ratio_of_sums, ratio_to_fixed
from auditkit.stats.reduce import cluster_means
from validation.jobs import Counts, Job, chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

SUITE = "arrays"
REPLICATES = 1_000
PATIENTS = (24, 32, 64, 96, 200)
LAYOUTS = {"1": (1,), "1-4": (1, 1, 2, 4)}
ALPHA, RESAMPLES = 0.05, 2_000
LIMIT = 1.2
"""Ratio on which the truth lies."""
WORDINGS = np.array([-1.2, -0.3, 0.0, 0.4, 1.1])
"""Where the wordings lie, in units that a kind says."""
STEP = 5.0

DECIDES = {(statistic, "number") for statistic in ("ratio", "shortfall ratio", "agreement")}
"""The rows of `auditkit.judge.procedures.TABLE` whose procedures are measured here."""
RATIOS = ("errors", "few errors", "rare", "relative", "relative to little", "fixed")
GRADES: dict[str, tuple[tuple[float, ...], float]] = {
    "five grades": ((-0.9, -0.3, 0.3, 0.9), 0.6),
    "agree well": ((-0.9, -0.3, 0.3, 0.9), 0.93),
    "mostly one grade": ((0.6, 1.2, 1.9), 0.75),
    "two grades": ((0.0,), 0.7),
}
"""Cuts of a normal variable into grades, and its correlation between the ratings."""
APART = {"apart": 0.05, "apart, two grades": 0.05}
"""Share of the patients whose two ratings are the ends of the scale; all others agree."""
SPREADS: dict[str, tuple[float, float, float]] = {
    "no difference": (0.0, 5.0, 3.0),
    "small": (1.0, 5.0, 3.0),
    "middling": (3.0, 5.0, 3.0),
    "large": (15.0, 5.0, 3.0),
    "drops": (1.0, 5.0, 2.0),
}
"""Standard deviations of the wordings' means, of the images, and of an answer beside these."""
DROP = 60.0, 0.05
"""Of the kind "drops": by how much one wording falls, and in which share of the images."""


def jobs(replicates: int | None = None) -> list[Job]:
    """Return the work."""
    kinds = [("ratio", kind) for kind in RATIOS]
    kinds += [("kappa", kind) for kind in (*GRADES, *APART)] + [("share", kind) for kind in SPREADS]
    rows = [
        f"{what}|{kind}|{layout}|{n}" for what, kind in kinds for layout in LAYOUTS for n in PATIENTS
        if layout == "1-4" or what == "share" or n == 64
    ]  # fmt: skip
    return [job for row in rows for job in chunks(SUITE, row, replicates or REPLICATES)]


def run(job: Job) -> Counts:
    """Count what is called below and above the truth, and what is left undetermined."""
    what, kind, layout, patients = job.row.split("|")
    codes = np.repeat(np.arange(int(patients)), np.resize(LAYOUTS[layout], int(patients)))
    counted: dict[str, Callable[[str, Codes, np.random.Generator, int], Counts]] = {
        "ratio": _ratio, "kappa": _kappa, "share": _share
    }  # fmt: skip
    counts: Counter[str] = Counter(replicates=job.replicates)
    for seed in job.seeds():
        counts.update(counted[what](kind, codes, np.random.default_rng(seed), job.protocol_seed()))
    return dict(counts)


def _ratio(kind: str, codes: Codes, rng: np.random.Generator, seed: int) -> Counts:
    found = ratio(kind, codes, rng, seed)
    return {
        "false PASS": found.decision == "inside",
        "false FAIL": found.decision == "beyond",
        "undetermined": bool(found.reason),
    }


def ratio(kind: str, codes: Codes, rng: np.random.Generator, seed: int) -> Ratio:
    """Return the ratio of errors whose true value is `LIMIT`, for images drawn of these patients.

    An end of its interval lies beyond the truth just where the limit is excluded, so the ends are not looked for.
    """
    if kind == "rare":
        new, reference = _rare(codes, rng)
    else:
        rates = {
            "errors": (0.1, 0.2, 0.3), "few errors": (0.03,), "fixed": (0.1, 0.2, 0.3),
            "relative": (0.3, 0.1), "relative to little": (0.28, 0.25),
        }[kind]  # fmt: skip
        old = np.array(rates)
        # Relative to the clean image the excess over the clean errors is in the ratio, and not the errors themselves.
        now = np.array([0.15 + LIMIT * (old[0] - old[1]), 0.15]) if kind.startswith("relative") else LIMIT * old
        new, reference = _errors(now, old, codes, rng)
    if kind == "fixed":
        return ratio_to_fixed(new, old, LIMIT, new_ends=(0, 1), alpha=ALPHA, seed=seed, resamples=RESAMPLES)
    least = 0.0
    if kind.startswith("relative"):
        new, reference, least = new[:, 0] - new[:, 1], reference[:, 0] - reference[:, 1], -1.0
    return ratio_of_sums(
        new,
        reference,
        LIMIT,
        new_ends=(least, 1),
        reference_ends=(least, 1),
        alpha=ALPHA,
        seed=seed,
        resamples=RESAMPLES,
        interval=False,
    )


def _errors(now: Floats, old: Floats, codes: Codes, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Errors (0 or 1) at these rates, patients' means: images of a patient, and both models, err together in part."""
    patient, image = rng.standard_normal((codes.max() + 1, 1))[codes], rng.standard_normal((codes.size, 1))
    sides = []
    for rates in (now, old):
        own = rng.standard_normal((codes.size, rates.size))
        latent = np.sqrt(0.3) * patient + np.sqrt(0.4) * image + np.sqrt(0.3) * own
        sides.append(cluster_means(latent < stats.norm.ppf(rates), codes))
    return sides[0], sides[1]


def _rare(codes: Codes, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Errors that hardly scatter about 0.2, but in one patient of twenty the model errs in everything."""
    hit = rng.random(codes.max() + 1) < 0.05
    noise = rng.normal(0, 0.02, (2, hit.size))
    # 0.05 + 0.95 r = LIMIT * 0.2 with the others' r.
    return np.where(hit, 1.0, (LIMIT * 0.2 - 0.05) / 0.95 + noise[0]), 0.2 + noise[1]


def _kappa(kind: str, codes: Codes, rng: np.random.Generator, seed: int) -> Counts:
    first, second, top = ratings(kind, codes, rng)
    truth = true_kappa(kind)
    found = agreement(first, second, codes, truth, ends=(0, top), alpha=ALPHA, seed=seed, resamples=RESAMPLES)
    return {
        "false PASS": found.p_above <= ALPHA,
        "false FAIL": found.p_below <= ALPHA,
        "undetermined": bool(found.reason),
    }


def ratings(kind: str, codes: Codes, rng: np.random.Generator) -> tuple[Floats, Floats, int]:
    """Return two ratings of the images of these patients, and the highest grade."""
    if kind in APART:
        top = 1 if "two" in kind else 4
        grade = rng.integers(0, top + 1, codes.size).astype(np.float64)
        hit = (rng.random(codes.max() + 1) < APART[kind])[codes]
        return np.where(hit, 0.0, grade), np.where(hit, float(top), grade), top
    cuts, correlation = GRADES[kind]
    patient, image = rng.standard_normal(codes.max() + 1)[codes], rng.standard_normal(codes.size)
    own = rng.standard_normal((2, codes.size))
    common = np.sqrt(correlation / 2) * (patient + image)
    sides = np.searchsorted(cuts, common + np.sqrt(1 - correlation) * own).astype(np.float64)
    return sides[0], sides[1], len(cuts)


@lru_cache(maxsize=16)
def true_kappa(kind: str) -> float:
    """Return the kappa of all patients, of which the exact probabilities of two grades are known."""
    if kind in APART:
        s = APART[kind]
        grades = np.linspace(0.0, 1.0, 2 if "two" in kind else 5)
        mean, square = grades.mean(), (grades**2).mean()
        first, second = (1 - s) * mean, (1 - s) * mean + s
        chance = 2 * (1 - s) * square + s - 2 * first * second
        return float(1 - s / chance)
    cuts, correlation = GRADES[kind]
    edges = np.array([-9.0, *cuts, 9.0])
    below = np.array(
        [
            [stats.multivariate_normal.cdf([a, b], cov=[[1, correlation], [correlation, 1]]) for b in edges]
            for a in edges
        ]
    )
    table = np.diff(np.diff(below, axis=0), axis=1)
    apart = np.subtract.outer(np.arange(len(table)), np.arange(len(table))) ** 2
    chance = np.outer(table.sum(axis=1), table.sum(axis=0))
    return float(1 - (apart * table).sum() / (apart * chance).sum())


def _share(kind: str, codes: Codes, rng: np.random.Generator, seed: int) -> Counts:
    found = components(scores(kind, codes, rng), codes, alpha=ALPHA)
    wording, interaction = true_shares(kind)
    counts: Counts = {"no interval": bool(found.reason)}
    for name, share, truth in (("wording", found.wording, wording), ("interaction", found.interaction, interaction)):
        counts |= {f"{name}: misses below": share.high < truth, f"{name}: misses above": share.low > truth}
    return counts


def scores(kind: str, codes: Codes, rng: np.random.Generator) -> Floats:
    """Return the scores of the images of these patients under every wording, whole steps of 5 points."""
    spread, between, noise = SPREADS[kind]
    G, shape = codes.max() + 1, (codes.size, WORDINGS.size)
    image = between * np.sqrt(0.5) * (rng.standard_normal((G, 1))[codes] + rng.standard_normal((codes.size, 1)))
    rest = noise * (
        np.sqrt(0.3) * rng.standard_normal((G, shape[1]))[codes] + np.sqrt(0.7) * rng.standard_normal(shape)
    )
    latent = 50 + spread * WORDINGS / WORDINGS.std(ddof=1) + image + rest
    if kind == "drops":
        latent[:, 0] -= np.where(rng.random(codes.size) < DROP[1], DROP[0], 0.0)
    # Rounding up or down by chance keeps the mean and adds a sixth of the squared step to the variance.
    return np.asarray(STEP * np.floor(latent / STEP + rng.random(shape)))


def true_shares(kind: str) -> tuple[float, float]:
    """Return the shares of wording and interaction, over all patients and these wordings."""
    spread, between, noise = SPREADS[kind]
    means, rest = spread * WORDINGS / WORDINGS.std(ddof=1), noise**2 + STEP**2 / 6
    if kind == "drops":
        means = means - DROP[0] * DROP[1] * (np.arange(means.size) == 0)
        # What strikes one of k wordings adds its variance / k, and as much less to the images than it seems to.
        rest += DROP[0] ** 2 * DROP[1] * (1 - DROP[1]) / means.size
    wording = float(means.var(ddof=1))
    total = between**2 + wording + rest
    return wording / total, rest / total
