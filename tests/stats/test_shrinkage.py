"""Groups drawn together: against statsmodels' variance between studies, and nearer to the truth on average."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from auditkit.stats.shrinkage import drawn_together

ESTIMATES = [1.0, 3.5, -2.0, 0.5]
ERRORS = [0.6, 0.8, 0.7, 1.5]


def test_the_part_that_is_moved_is_that_of_the_method_of_moments():
    known = combine_effects(np.array(ESTIMATES), np.square(ERRORS), method_re="dl")
    t2 = known.tau2
    assert t2 > 1
    weights = 1 / (np.square(ERRORS) + t2)
    middle = (weights * ESTIMATES).sum() / weights.sum()
    expected = middle + t2 / (np.square(ERRORS) + t2) * (np.array(ESTIMATES) - middle)
    assert drawn_together(ESTIMATES, ERRORS) == pytest.approx(expected)


def test_groups_no_further_apart_than_chance_are_all_the_same():
    assert np.ptp(drawn_together([0.1, 0.0, -0.1], [1.0, 1.0, 1.0])) == pytest.approx(0.0)


def test_certain_groups_stay_where_they_are():
    assert drawn_together([1.0, 5.0, 9.0], [0.0, 0.0, 0.0]) == pytest.approx([1.0, 5.0, 9.0])
    assert drawn_together([1.0, 50.0, 99.0], [1e-6, 1e-6, 1e-6]) == pytest.approx([1.0, 50.0, 99.0])


@given(st.lists(st.tuples(st.floats(-100, 100), st.floats(0.01, 30)), min_size=3, max_size=11))
def test_nothing_leaves_the_range_of_the_estimates_and_the_order_does_not_matter(groups):
    y, s = np.array(groups).T
    found = drawn_together(y, s)
    assert (found >= y.min() - 1e-9).all()
    assert (found <= y.max() + 1e-9).all()
    assert drawn_together(y[::-1], s[::-1])[::-1] == pytest.approx(found)


def test_nearer_to_the_truth_on_average():
    rng = np.random.default_rng(5)
    truths = rng.normal(0, 1, (400, 4))
    estimates = truths + rng.normal(0, 2, truths.shape)
    drawn = np.array([drawn_together(row, np.full(4, 2.0)) for row in estimates])
    assert np.square(drawn - truths).mean() < 0.6 * np.square(estimates - truths).mean()


@pytest.mark.parametrize(("y", "s"), [([1.0, 2.0], [1.0, 1.0]), ([1.0, 2.0, np.nan], [1.0, 1.0, 1.0])])
def test_what_cannot_be_drawn_together_is_refused(y, s):
    with pytest.raises(ValueError, match=r"needed|finite"):
        drawn_together(y, s)
