"""How often do the gates on two versions err when the new one is worse by exactly the margin? Seeded simulations.

The default run takes the few cells that would show a broken procedure; the slow run measures the table of
docs/baseline.md and prints it: pytest tests/stats/test_version_error_rates.py -m slow -s
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, special

from auditkit.stats.auroc_difference import auroc_difference, auroc_difference_test
from auditkit.stats.reduce import cluster_means
from auditkit.stats.versions import ROUTES, worsening
from tests.stats.test_error_rates import clusters, differences, within

ALPHA = 0.05
MARGIN = 5.0
REPLICATES = 2000


def harm_of(mean: float, harm: str) -> float:
    return {"upwards": mean, "above zero": max(mean, 0.0), "away from zero": abs(mean)}[harm]


def effects(kind: str, rng, codes, replicates: int, means: tuple[float, float], alike: float):
    """Effects of the images in the new and the old version with the given expectations; each (n, replicates)."""
    if kind == "jump":
        # Drops of 25 to 75 points that strike single images, in either version by themselves.
        return tuple(-np.sign(m) * differences(kind, rng, codes, replicates, -abs(m)) for m in means)
    sd = {"fine": 6.0, "wild": 17.5}[kind]
    G, shape = codes.max() + 1, (codes.size, replicates)

    def noise():
        return np.sqrt(0.3) * rng.normal(size=(G, replicates))[codes] + np.sqrt(0.7) * rng.normal(size=shape)

    common = noise()
    latent = (m + sd * (np.sqrt(alike) * common + np.sqrt(1 - alike) * noise()) for m in means)
    # Rounding up or down at random keeps the expectation while the scores stay on a grid of 5.
    return tuple(np.clip(5 * np.floor(x / 5 + rng.random(shape)), -100, 100) for x in latent)


def mean_rates(harm: str, before: float, kind: str, alike: float, G: int, layout: str, replicates: int):
    """Share of replicates that pass and that fail."""
    rng = np.random.default_rng([len(harm), round(abs(before) * 10), len(kind), round(alike * 10), G, len(layout)])
    codes = clusters(G, layout)
    now = harm_of(before, harm) + MARGIN
    found = np.zeros(2)
    # Batches of their own: replicates that share their resamples share the bootstrap's own error.
    for batch in range(10):
        new, old = effects(kind, rng, codes, replicates // 10, (now, before), alike)
        moves = {w: cluster_means(new - w * old, codes) for w in ROUTES[harm]}
        results = worsening(moves, harm, MARGIN, alpha=ALPHA, seed=batch, resamples=1999)
        found += [sum(r.decision == d for r in results) for d in ("inside", "beyond")]
    return found / replicates


def area(shift: float, step: float) -> float:
    """True area of standard normal scores against those `shift` lower, rounded to a grid."""
    if not step:
        return float(special.ndtr(shift / np.sqrt(2)))
    grid = np.arange(-12, 13, step)
    p, q = (np.diff(special.ndtr(np.append(grid - step / 2, grid[-1] + step / 2) + s)) for s in (0.0, shift))
    return float(p @ (np.cumsum(q) - q / 2))


def area_rates(before: float, margin: float, alike: float, step: float, G: int, layout: str, replicates: int):
    rng = np.random.default_rng([round(before * 1000), round(alike * 100), round(step * 10), G, len(layout)])
    shifts = [optimize.brentq(lambda s, a=a: area(s, step) - a, 0, 6) for a in (before - margin, before)]
    codes = clusters(G, layout)
    found = np.zeros(2)
    for _ in range(replicates):
        sides = []
        for shift in ([0.0, 0.0], shifts):
            common = np.sqrt(0.5) * (rng.normal(size=G)[codes] + rng.normal(size=codes.size))
            new = np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=codes.size)
            old = np.sqrt(alike) * common + np.sqrt(1 - alike) * rng.normal(size=codes.size)
            pair = new - shift[0], old - shift[1]
            sides.append([np.round(x / step) for x in pair] if step else pair)
        (clean_new, clean_old), (treated_new, treated_old) = sides
        result = auroc_difference((clean_new, treated_new), (clean_old, treated_old), codes, ALPHA)
        found += [p < ALPHA for p in auroc_difference_test(result, margin)]
    return found / replicates


def share_rates(before: float, margin: float, alike: float, G: int, layout: str, replicates: int):
    """A share of events that rises by the margin; ``alike`` of the events of before stay."""
    rng = np.random.default_rng([round(before * 1000), round(alike * 100), G, len(layout)])
    codes = clusters(G, layout)
    found = np.zeros(2)
    stay = alike
    start = (before + margin - stay * before) / (1 - before)
    for batch in range(10):
        shape = codes.size, replicates // 10
        p = np.full((G, shape[1]), before) if layout == "1" else rng.beta(4 * before, 4 * (1 - before), (G, shape[1]))
        old = rng.random(shape) < p[codes]
        new = np.where(old, rng.random(shape) < stay, rng.random(shape) < start)
        moves = {1: cluster_means(new.astype(float) - old, codes)}
        results = worsening(moves, "upwards", margin, alpha=ALPHA, seed=batch, resamples=999, ends=(0.0, 1.0))
        found += [sum(r.decision == d for r in results) for d in ("inside", "beyond")]
    return found / replicates


@pytest.mark.parametrize(("harm", "before"), [("upwards", 0.0), ("above zero", -8.0), ("away from zero", 0.0)])
def test_a_mean_worse_by_the_margin_seldom_passes(harm, before):
    passed, failed = mean_rates(harm, before, "fine", 0.5, 32, "1-4", 400)
    assert within(passed, 0.06, 400)
    assert within(failed, 0.06, 400)


def test_two_equal_routes_without_their_parts_of_alpha_would_err_twice_as_often():
    """At the margin, from no effect before: either n - o or n + o below it, each at alpha."""
    rng = np.random.default_rng(5)
    new, old = effects("fine", rng, clusters(64, "1"), 1000, (MARGIN, 0.0), 0.0)
    n = len(new)
    either = np.zeros(1000, dtype=bool)
    for w in (1, -1):
        d = new - w * old
        either |= d.mean(axis=0) + 1.67 * d.std(axis=0, ddof=1) / np.sqrt(n) < MARGIN
    assert either.mean() > 0.08


def test_an_area_lower_by_the_margin_seldom_passes():
    passed, failed = area_rates(0.95, 0.10, 0.9, 0.5, 32, "1-4", 300)
    assert within(passed, 0.07, 300)
    assert within(failed, 0.07, 300)


def test_a_share_higher_by_the_margin_seldom_passes():
    passed, failed = share_rates(0.05, 0.10, 0.8, 32, "1", 400)
    assert within(passed, 0.062, 400)
    assert within(failed, 0.062, 400)


@pytest.mark.slow
def test_table_of_means():
    cells = {}
    for harm in ROUTES:
        for before in (0.0,) if harm == "upwards" else (0.0, 8.0, -8.0):
            for kind, alike in (("fine", 0.0), ("fine", 0.9), ("wild", 0.0), ("wild", 0.9), ("jump", 0.0)):
                if kind == "jump" and harm == "upwards":
                    continue  # from 0 to 5 it is the same as above zero
                for G in (32, 128):
                    for layout in ("1", "1-4"):
                        key = harm, before, "jump" if kind == "jump" else "grid"
                        rates = mean_rates(harm, before, kind, alike, G, layout, REPLICATES)
                        cells[key] = np.maximum(cells.get(key, np.zeros(2)), rates)
    print(f"\n{REPLICATES} replicates in each cell; worst over 32 and 128 patients, layouts 1 and 1-4")
    for (harm, before, kind), (passed, failed) in cells.items():
        print(f"| {harm} | {before:+.0f} | {kind} | {passed:.3f} | {failed:.3f} |")
    assert all(
        within(passed, 0.06, REPLICATES) and within(failed, 0.06, REPLICATES) for passed, failed in cells.values()
    )


@pytest.mark.slow
def test_table_of_areas_and_shares():
    print(f"\n{REPLICATES} replicates in each cell; worst over 32 and 128 patients, layouts 1 and 1-4")
    for before, margin in ((0.95, 0.10), (0.80, 0.10), (0.95, 0.05), (0.80, 0.05)):
        for name, alike, step in (("fine", 0.9, 0.0), ("grid", 0.5, 0.5), ("two or three levels", 0.9, 2.0)):
            rates = [area_rates(before, margin, alike, step, G, y, REPLICATES) for G in (32, 128) for y in ("1", "1-4")]
            passed, failed = np.max(rates, axis=0)
            print(f"| area | {before} - {margin} | {name} | {passed:.3f} | {failed:.3f} |")
            assert within(passed, 0.075, REPLICATES)
            assert within(failed, 0.075, REPLICATES)
    for before, margin in ((0.02, 0.05), (0.05, 0.10), (0.20, 0.10)):
        rates = [
            share_rates(before, margin, a, G, y, REPLICATES)
            for a in (0.5, 0.9)
            for G in (32, 128)
            for y in ("1", "1-4")
        ]
        passed, failed = np.max(rates, axis=0)
        print(f"| share | {before} + {margin} | | {passed:.3f} | {failed:.3f} |")
        assert within(passed, 0.065, REPLICATES)
        assert within(failed, 0.065, REPLICATES)
