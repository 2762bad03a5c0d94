"""Holm against statsmodels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from auditkit.stats.multiplicity import holm

P = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.01, 1.0])), min_size=1, max_size=20)


@given(P, st.integers(0, 30))
@settings(max_examples=12)  # statsmodels takes 55 ms a call
def test_equals_statsmodels_with_the_members_not_run_at_one(p, not_run):
    expected = multipletests(p + [1.0] * not_run, method="holm")[1][: len(p)]
    np.testing.assert_allclose(holm(p, len(p) + not_run), expected, atol=1e-12)


@given(P, st.integers(1, 30))
def test_running_a_subset_never_makes_a_result_significant(p, dropped):
    whole = holm(p, len(p) + dropped)
    for keep in range(1, len(p)):
        assert (holm(p[:keep], len(p) + dropped) >= whole[:keep] - 1e-12).all()


def test_nan_counts_as_one():
    assert holm([0.001, 0.02, np.nan], 3).tolist() == pytest.approx([0.003, 0.04, 1.0])
    assert holm([np.nan, np.nan], 2).tolist() == [1, 1]


def test_empty_family():
    assert holm([], 0).size == 0


@pytest.mark.parametrize(
    ("p", "size", "words"),
    [([0.1, 0.2], 1, "declare all"), ([-0.1], 1, "between 0 and 1"), ([[0.1]], 1, "one-dimensional")],
)
def test_unusable_input_is_named(p, size, words):
    with pytest.raises(ValueError, match=words):
        holm(p, size)
