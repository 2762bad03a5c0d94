"""How often do simultaneous intervals miss, and how often are equal models told apart? Seeded simulations.

The default run takes the few cases that would show a broken procedure; the slow run measures the tables of
docs/compare.md and prints them: pytest tests/records/compare/test_error_rates.py -m slow -s
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from auditkit.images.item import Item
from auditkit.measure.columns import Column, Measurements
from auditkit.records.compare.area import area_of
from auditkit.records.compare.correlation import pooled
from auditkit.records.compare.estimates import direction_p
from auditkit.records.compare.joint import Settings, Tails, joint_intervals
from auditkit.records.compare.values import AreaEffect, Counts
from auditkit.stats.reduce import cluster_means
from auditkit.vocabulary import Condition, Perturbation
from tests.judge.build import SCORE

ALPHA = 0.05
SETTINGS = Settings(alpha=ALPHA, resamples=2000, seed=0, min_clusters=24, min_informative=10)
LAYOUTS = {"1": (1,), "1-4": (1, 1, 2, 4)}


def clusters(G: int, layout: str) -> np.ndarray:
    return np.repeat(np.arange(G), np.resize(LAYOUTS[layout], G))


def within(rate: float, promised: float, replicates: int) -> bool:
    return rate <= promised + 3 * math.sqrt(promised * (1 - promised) / replicates)


def draws(
    kind: str, rng: np.random.Generator, codes: np.ndarray, means: np.ndarray, reach: float = 100.0
) -> np.ndarray:
    """Changes of the score in M models with exactly the given expectations, correlated over models and patients."""
    n, M, G = codes.size, means.size, codes.max() + 1
    if kind == "scores":
        shared = rng.normal(0, 6, (n, 1))  # what all models see in an image
        patient = rng.normal(0, 5, (G, M))[codes]
        latent = means + shared + patient + rng.normal(0, 6, (n, M))
        return np.clip(5 * np.floor(latent / 5 + rng.random((n, M))), -reach, reach)
    # Jumps of 25 to 75 in few images, skewed: the mean is 50 times the share.
    struck = rng.random((n, M)) < means / 50
    return np.where(struck, rng.uniform(25, 75, (n, M)), 0.0)


def mean_misses(
    kind: str, G: int, layout: str, means: np.ndarray, replicates: int, reach: float = 100.0, **other: int
) -> dict[str, float]:
    """Share of replicates in which any model's, or any pair's, interval misses its truth on one side."""
    rng = np.random.default_rng([sum(map(ord, kind + layout)), G, means.size, replicates])
    codes, pairs = clusters(G, layout), list(combinations(range(means.size), 2))
    gaps = np.array([means[a] - means[b] for a, b in pairs])
    missed = {"models": np.zeros(2), "pairs": np.zeros(2), "told apart": np.zeros(1)}
    for replicate in range(replicates):
        settings = replace(SETTINGS, seed=replicate, **other)
        values = draws(kind, rng, codes, means, reach)
        for name, columns, truth, furthest in (
            ("models", values, means, reach),
            ("pairs", np.stack([values[:, a] - values[:, b] for a, b in pairs], axis=1), gaps, 2 * reach),
        ):
            joint = joint_intervals(cluster_means(columns, codes), furthest, settings)
            low, high = (np.array([getattr(i, end) for i in joint.intervals]) for end in ("low", "high"))
            missed[name] += [(low > truth + 1e-9).any(), (high < truth - 1e-9).any()]
            if name == "pairs" and not gaps.any():
                p = [joint.tails.adjusted(direction_p(i)) for i in joint.intervals]
                missed["told apart"] += min(p) <= ALPHA
    return {name: float(count.max()) / replicates for name, count in missed.items()}


def false_differences(audits: int, M: int, G: int, replicates: int) -> float:
    """Share of replicates in which any of several audits tells any two of M equal models apart."""
    rng = np.random.default_rng([audits, M, G])
    codes, pairs = clusters(G, "1-4"), list(combinations(range(M), 2))
    wrong = 0
    for replicate in range(replicates):
        settings, joints = replace(SETTINGS, seed=replicate), []
        common = rng.normal(0, 4, (codes.max() + 1, M))[codes]  # a model's own habits with a patient, in every audit
        for _ in range(audits):
            values = common + draws("scores", rng, codes, np.zeros(M))
            columns = np.stack([values[:, a] - values[:, b] for a, b in pairs], axis=1)
            joints.append(joint_intervals(cluster_means(columns, codes), 400.0, settings))
        family = Tails.joined(joint.tails for joint in joints)
        wrong += min(family.adjusted(direction_p(i)) for joint in joints for i in joint.intervals) <= ALPHA
    return wrong / replicates


def area_misses(G: int, fall: float, M: int, replicates: int) -> dict[str, float]:
    """The same for areas: M models of one truth, whose scores share what the image is."""
    rng = np.random.default_rng([G, round(fall), M])
    codes, sd = clusters(G, "1-4"), math.sqrt(64 + 36 + 36)
    truth = 0.5 * math.erfc(-fall / sd / 2)
    none = tuple(Counts(0, 0, 0, 0) for _ in range(M))
    missed = {"models": np.zeros(2), "pairs": np.zeros(2)}
    for replicate in range(replicates):
        settings = replace(SETTINGS, seed=replicate)
        patient, image = rng.normal(0, 8, (codes.max() + 1, 1))[codes], rng.normal(0, 6, (codes.size, 1))
        scores = []
        for _ in range(M):
            scores.append(
                (
                    (60 + patient + image + rng.normal(0, 6, (codes.size, 1)))[:, 0],
                    60 - fall + patient + image + rng.normal(0, 6, (codes.size, 1)),
                )
            )
        effect = AreaEffect("", "AUROC", none, tuple(scores), codes)
        values, offset, reach = effect.alone()
        own = effect.estimates(joint_intervals(values, reach, settings), offset, settings)
        missed["models"] += [any(e.low > truth for e in own), any(e.high < truth for e in own)]
        gaps, reach = effect.pairs()
        joint = joint_intervals(gaps, reach, settings)
        between = [gap.estimate for gap in effect.gaps(joint, settings)]
        missed["pairs"] += [any(e.low > 0 for e in between), any(e.high < 0 for e in between)]
    return {name: float(count.max()) / replicates for name, count in missed.items()}


def correlated(
    rng: np.random.Generator, sizes: dict[str, int], layout: str, rho: float, grid: float
) -> tuple[Measurements, Measurements, list[Condition]]:
    """Two models that see the same quality with errors of their own, and both fall with severity."""
    conditions: list[Condition] = [(), *((Perturbation(name, s),) for name in ("blur", "noise") for s in (1, 3, 5))]
    records = []
    for modality, G in sizes.items():
        for i, patient in enumerate(clusters(G, layout)):
            records.append(Item(f"{modality}{i}", f"{modality}-{patient}", modality, (), True, ""))
    _, codes = np.unique([r.cluster for r in records], return_inverse=True)
    n = len(records)
    # Quality and each model's errors both have a part of the patient, one of the image and one of the picture.
    parts = [rng.normal(0, 1, (codes.max() + 1, 3))[codes], rng.normal(0, 1, (n, 3))]
    columns: list[dict] = [{}, {}]
    for condition in conditions:
        own = (parts[0] + parts[1] + rng.normal(0, 1, (n, 3))) / math.sqrt(3)
        for model in range(2):
            score = math.sqrt(rho) * own[:, 0] + math.sqrt(1 - rho) * own[:, 1 + model]
            score = score - sum(perturbation.level for perturbation in condition)
            score = score if not grid else grid * np.round(score / grid)
            columns[model][replace(SCORE, condition=condition)] = Column({"": score}, np.zeros(n, dtype=np.int8))
    a, b = (Measurements(records, c, {}) for c in columns)
    return a, b, conditions


def coefficient(seed: int, sizes: dict[str, int], layout: str, rho: float, grid: float):
    a, b, conditions = correlated(np.random.default_rng(seed), sizes, layout, rho, grid)
    return pooled(a, b, conditions, SCORE)["all", "all"]


def correlation_misses(
    sizes: dict[str, int], layout: str, rho: float, replicates: int, truth: float, grid: float = 0.0
) -> tuple[float, float, float]:
    """Shares of replicates whose interval lies above and below the truth, and the mean estimate."""
    found = np.zeros(3)
    for replicate in range(replicates):
        p = coefficient(replicate, sizes, layout, rho, grid)
        z = p.patients[:, None]
        [i] = joint_intervals(z, float(np.nanmax(np.abs(z))), replace(SETTINGS, seed=replicate)).intervals
        found += [np.tanh(i.low) > truth, np.tanh(i.high) < truth, p.value]
    return tuple(found / replicates)


def spearman(rho: float) -> float:
    """Of a bivariate normal distribution with Pearson's coefficient rho."""
    return 6 / math.pi * math.asin(rho / 2)


def test_intervals_of_five_models_hold_together():
    # With changes of 40 points at most, what was seen bounds the means, and not the patients who were not.
    found = mean_misses("scores", 64, "1-4", np.array([-5.0, -2, 0, 1, 4]), 80, reach=40.0)
    assert within(found["models"], ALPHA, 80), found
    assert within(found["pairs"], ALPHA, 80), found
    # A single interval's level would miss in five models far more often: the band must not be that of one.
    assert found["models"] > 0


def test_equal_models_are_seldom_told_apart_in_any_audit():
    assert within(false_differences(audits=4, M=3, G=48, replicates=60), 2 * ALPHA, 60)


def test_models_that_differ_are_told_apart():
    """The guard must not be so strict that nothing is ever found: 5 points at a standard error of about 1.

    With differences of up to 200 points it takes 122 patients to show that one of 5 is none.
    """
    rng, codes = np.random.default_rng(3), clusters(160, "1")
    told = 0
    for replicate in range(40):
        values = draws("scores", rng, codes, np.array([0.0, 0.0, 5.0]))
        columns = np.stack([values[:, 0] - values[:, 2], values[:, 1] - values[:, 2]], axis=1)
        joint = joint_intervals(cluster_means(columns, codes), 200.0, replace(SETTINGS, seed=replicate))
        told += all(joint.tails.adjusted(direction_p(i)) <= ALPHA and i.high < 0 for i in joint.intervals)
    assert told >= 32


def test_areas_of_equal_models():
    found = area_misses(48, 12.0, 3, 80)
    assert within(found["models"], ALPHA, 80), found
    assert within(found["pairs"], ALPHA, 80), found


def test_the_interval_of_a_correlation_covers_it():
    above, below, mean = correlation_misses({"ct": 32, "xray": 32}, "1", 0.6, 120, spearman(0.6))
    assert within(above, ALPHA, 120)
    assert within(below, ALPHA, 120)
    assert mean == pytest.approx(spearman(0.6), abs=0.02)


def test_the_area_is_the_mean_over_patients():
    rng, codes = np.random.default_rng(0), clusters(40, "1-4")
    clean, treated = rng.integers(0, 9, codes.size) * 1.0, rng.integers(0, 6, (codes.size, 2)) * 1.0
    treated[3] = np.nan
    area = area_of(clean, treated, codes)
    assert np.nanmean(area.patients) == pytest.approx(area.interval(ALPHA).estimate, abs=1e-12)


@pytest.mark.slow
def test_the_tables_of_the_docs():
    replicates, lines = 1000, []
    flat, steps = np.zeros(5), np.array([-5.0, -2, 0, 1, 4])
    for kind, G, layout, means in (
        ("scores", 24, "1", steps), ("scores", 24, "1-4", flat), ("scores", 48, "1-4", flat),
        ("scores", 48, "1-4", steps), ("scores", 128, "1-4", steps), ("scores", 48, "1-4", np.zeros(8)),
        ("jumps", 48, "1", np.full(5, 5.0)), ("jumps", 48, "1-4", np.full(5, 2.0)),
        ("jumps", 128, "1", np.full(5, 2.0)),
    ):  # fmt: skip
        found = mean_misses(kind, G, layout, means, replicates)
        lines.append(("means", kind, G, layout, means.size, "differ" if np.ptp(means) else "equal", found))
        assert within(found["models"], 0.06, replicates), lines[-1]
        assert within(found["pairs"], 0.06, replicates), lines[-1]
    for G, fall, M in ((32, 12.0, 5), (64, 12.0, 5), (64, 24.0, 5), (128, 30.0, 3)):
        found = area_misses(G, fall, M, 500)
        lines.append(("areas", G, fall, M, found))
        assert within(max(found.values()), 0.06, 500), lines[-1]
    for audits, M, G in ((10, 2, 48), (10, 4, 48), (30, 5, 64)):
        rate = false_differences(audits, M, G, 400)
        lines.append(("false differences", audits, M, G, rate))
        assert within(rate, 2 * ALPHA, 400), lines[-1]
    for sizes, layout, rho, grid in (
        ({"ct": 32, "xray": 32}, "1", 0.0, 0.0), ({"ct": 32, "xray": 32}, "1", 0.6, 0.0),
        ({"ct": 24, "xray": 24}, "1-4", 0.6, 0.0), ({"ct": 32}, "1", 0.9, 0.0),
        ({"ct": 64, "xray": 32, "mr": 32}, "1-4", 0.8, 0.0), ({"ct": 32, "xray": 32}, "1-4", 0.6, 1.0),
    ):  # fmt: skip
        truth = spearman(rho)
        if grid:  # no formula: what 40 large data sets have
            truth = float(np.mean([coefficient(10**6 + k, {"ct": 290}, "1", rho, grid).value for k in range(40)]))
        above, below, mean = correlation_misses(sizes, layout, rho, 1000, truth, grid)
        lines.append(("correlation", sizes, layout, rho, grid, round(truth, 3), above, below, round(mean, 3)))
        assert within(max(above, below), 0.065, 1000), lines[-1]
    print("\n" + "\n".join(map(str, lines)))
