"""What the rates of histories are counted from."""

import numpy as np
import pytest

from validation import monitoring


@pytest.mark.parametrize("kind", monitoring.KINDS)
@pytest.mark.parametrize("mean", [0.0, 5.0, 10.0])
def test_values_have_the_mean_they_are_meant_to_have(kind, mean):
    values = monitoring.KINDS[kind](np.random.default_rng(1), np.full(40_000, mean))
    assert np.abs(values).max() <= 100
    assert values.mean() == pytest.approx(mean, abs=4 * values.std() / 200 + 1e-12)


def test_every_month_has_patients():
    assert {len(sizes) for sizes in monitoring.SIZES.values()} == {monitoring.MONTHS}
    assert min(n for sizes in monitoring.SIZES.values() for n in sizes) > 0


def test_what_is_plainly_beyond_is_told_and_what_is_not_there_is_not():
    rng = np.random.default_rng(2)
    sizes = monitoring.SIZES["30 each"]
    assert 1 <= monitoring.told(monitoring.grid, sizes, (20.0, 20.0), rng) <= 6
    assert monitoring.told(monitoring.grid, sizes, (0.0, 0.0), rng) == 0


def test_tables_have_a_row_for_every_setting():
    rows = monitoring.bands(1)
    assert len(rows) == 2 + len(monitoring.SIZES) * len(monitoring.KINDS) * len(monitoring.TRUTHS)
    assert len({row.count("|") for row in rows}) == 1
