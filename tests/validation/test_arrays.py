"""What is measured by itself: the made-up patients have the truth that they are said to have."""

import numpy as np
import pytest

from auditkit.stats.components import components
from auditkit.stats.reduce import cluster_means
from validation import arrays
from validation.arrays import APART, GRADES, LIMIT, SPREADS
from validation.jobs import Job
from validation.tables import tables_of

CODES = np.repeat(np.arange(4_000), np.resize((1, 1, 2, 4), 4_000))


@pytest.mark.parametrize("kind", [*GRADES, *APART])
def test_the_floor_is_the_kappa_of_many_patients(kind):
    first, second, top = arrays.ratings(kind, CODES, np.random.default_rng(1))
    assert {first.min(), first.max(), second.min(), second.max()} <= {0.0, float(top)}
    d, a, b = (cluster_means(x[:, None], CODES).mean() for x in ((first - second) ** 2, first, second))
    squares = sum(cluster_means(x[:, None] ** 2, CODES).mean() for x in (first, second))
    assert 1 - d / (squares - 2 * a * b) == pytest.approx(arrays.true_kappa(kind), abs=0.04)


@pytest.mark.parametrize("kind", list(SPREADS))
def test_the_shares_are_those_of_many_patients(kind):
    found = components(arrays.scores(kind, CODES, np.random.default_rng(2)), CODES, alpha=0.05)
    wording, interaction = arrays.true_shares(kind)
    assert found.wording.estimate == pytest.approx(wording, abs=0.02)
    assert found.interaction.estimate == pytest.approx(interaction, abs=0.02)


@pytest.mark.parametrize("kind", ["errors", "rare", "relative", "fixed"])
def test_the_ratio_of_many_patients_is_the_limit(kind):
    found = arrays.ratio(kind, CODES[CODES < 800], np.random.default_rng(3), 1)
    assert found.estimate == pytest.approx(LIMIT, abs=0.15)


def test_counts_become_rates():
    rows = ("ratio|errors|1-4|24", "kappa|two grades|1-4|24", "share|small|1|24")
    counts = {("arrays", row): arrays.run(Job("arrays", row, 0, 3)) for row in rows}
    tables = tables_of(counts)
    assert [len(table.rates) for table in tables] == [3, 3, 5]
    assert all(rate.nominal is None for table in tables for rate in table.rates if rate.claim.startswith(("un", "no")))
