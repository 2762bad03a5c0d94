"""How often a claim about groups falls with the truth on the margin, and away from it."""

import math
from collections import Counter

import numpy as np
import pytest

from tests.stats.test_subgroups import gap


def rates(replicates: int, kinds: tuple[str, ...], sizes: tuple[int, ...], shift: float) -> Counter:
    """How often each decision falls when the first group's true mean is lower by ``shift`` than all others'."""
    rng = np.random.default_rng([sum(map(ord, "".join(kinds))), *sizes])
    draws = {
        "fine": lambda n: 5 * np.floor(rng.normal(0, 6, n) / 5 + rng.random(n)),
        "wild": lambda n: np.clip(5 * np.floor(rng.normal(0, 17.5, n) / 5 + rng.random(n)), -90, 90),
        "jump": lambda n: np.where(rng.random(n) < 0.2, -rng.uniform(25, 75, n), 0.0) + 10,
        "rare": lambda n: np.where(rng.random(n) < 0.06, -80.0, 0.0) + 4.8,
    }
    found = Counter()
    for seed in range(replicates):
        x = {f"g{at}": draws[kind](n) for at, (kind, n) in enumerate(zip(kinds, sizes, strict=True))}
        x["g0"] = x["g0"] - shift
        found[gap(x, seed=seed, resamples=199).decision] += 1 / replicates
    return found


def within(rate: float, promised: float, replicates: int) -> bool:
    return rate <= promised + 3 * math.sqrt(promised * (1 - promised) / replicates)


@pytest.mark.parametrize(("kinds", "sizes"), [(("fine", "fine"), (32, 32)), (("jump", "wild"), (100, 40))])
def test_errors_at_the_margin(kinds, sizes):
    found = rates(400, kinds, sizes, 5.0)
    assert within(max(found["inside"], found["beyond"]), 0.055, 400), found


def test_power_away_from_the_margin():
    assert rates(60, ("fine", "fine"), (96, 96), 0.0)["inside"] > 0.9
    assert rates(60, ("fine", "fine", "fine"), (64, 64, 64), 13.0)["beyond"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kinds", "sizes"),
    [
        (("fine", "fine"), (24, 24)),
        (("fine", "wild"), (32, 32)),
        (("wild", "fine"), (128, 24)),
        (("jump", "fine"), (128, 32)),
        (("jump", "jump"), (100, 200)),
        (("rare", "fine"), (192, 64)),
        (("fine",) * 6, (64,) * 6),
    ],
)
def test_errors_at_the_margin_in_more_layouts(kinds, sizes):
    found = rates(1000, kinds, sizes, 5.0)
    print(kinds, sizes, found)
    assert within(max(found["inside"], found["beyond"]), 0.055, 1000), found
