"""Levels against published constants, the multivariate normal of scipy, and simulated Brownian motion."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats import sequential
from auditkit.stats.multiplicity import holm
from auditkit.stats.sequential import nominal_levels, sequential_p, spent

BOTH = ("pocock", "obrien_fleming")
FOUR = (0.25, 0.5, 0.75, 1.0)
spendings = st.sampled_from(BOTH)
looks = st.sampled_from([(1.0,), (0.35,), (0.5, 1.0), (0.1, 0.95), FOUR, (0.05, 0.1, 0.15, 0.8, 1.0), (0.3, 0.32, 0.7)])


@pytest.mark.parametrize(
    ("fractions", "alpha", "spending", "z"),
    [
        # Lan and DeMets, four equal looks, one-sided 0.025 (as in the manuals of the usual trial software).
        (FOUR, 0.025, "obrien_fleming", (4.333, 2.963, 2.359, 2.014)),
        (FOUR, 0.025, "pocock", (2.368, 2.368, 2.358, 2.350)),
        # Five equal looks, one-sided 0.025: Lan-DeMets O'Brien-Fleming type.
        ((0.2, 0.4, 0.6, 0.8, 1.0), 0.025, "obrien_fleming", (4.877, 3.357, 2.680, 2.290, 2.031)),
        ((0.2, 0.4, 0.6, 0.8, 1.0), 0.025, "pocock", (2.438, 2.427, 2.410, 2.397, 2.386)),
        # Two equal looks.
        ((0.5, 1.0), 0.025, "obrien_fleming", (2.963, 1.969)),
    ],
)
def test_published_constants(fractions, alpha, spending, z):
    np.testing.assert_allclose(stats.norm.isf(nominal_levels(fractions, alpha, spending)), z, atol=6e-4)


def crossing(fractions, levels):
    """P(cross at one of the looks), from the multivariate normal with correlations sqrt(t_i / t_j)."""
    t = np.asarray(fractions)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    z = stats.norm.isf(levels)
    kept = np.isfinite(z) & (z < 37)
    return 1 - stats.multivariate_normal.cdf(
        z[kept], cov=correlation[np.ix_(kept, kept)], abseps=1e-9, releps=1e-9, maxpts=200_000, rng=1
    )


@pytest.mark.parametrize("spending", BOTH)
@pytest.mark.parametrize("alpha", [0.025, 0.3])
@pytest.mark.parametrize("fractions", [FOUR, (0.1, 0.9), (0.4, 0.45, 1.0), (0.5, 0.502, 0.9)])
def test_the_looks_together_err_with_what_is_spent(fractions, alpha, spending):
    """Equality of the last cumulative probability at every number of looks."""
    levels = nominal_levels(fractions, alpha, spending)
    for k in {2, len(fractions)}:
        expected = spent(fractions[k - 1], alpha, spending)
        assert crossing(fractions[:k], levels[:k]) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("spending", BOTH)
def test_simulated_patients_err_with_alpha(spending):
    """Means of 40, 80, 120 and 160 patients, ordinary z test at each look: 200,000 trials, standard error 0.0005."""
    rng = np.random.default_rng(7)
    sums = np.cumsum(rng.standard_normal((4, 200_000)) * math.sqrt(40), axis=0)
    p = stats.norm.sf(sums / np.sqrt([[40], [80], [120], [160]]))
    levels = np.array(nominal_levels(FOUR, 0.05, spending))[:, None]
    assert (p <= levels).any(axis=0).mean() == pytest.approx(0.05, abs=0.0015)
    assert (p <= 0.05).any(axis=0).mean() > 0.115  # what looking without correction would do
    for alpha in (0.01, 0.05, 0.2):
        claimed = (sequential_p(p, FOUR, spending, 0.05) <= alpha).mean()
        assert claimed == pytest.approx(alpha, abs=3 * math.sqrt(alpha / 200_000))


@pytest.mark.parametrize("spending", BOTH)
def test_error_spent_at_the_ends_and_in_the_middle(spending):
    assert (spent(0, 0.05, spending), spent(1, 0.05, spending)) == (0, 0.05)
    values = [spent(t, 0.05, spending) for t in np.linspace(0, 1, 50)]
    assert (np.diff(values) > 0).sum() >= 47  # far from 0, where 2 - 2 Phi(z) underflows
    assert values == sorted(values)


def test_error_spent_by_half_time():
    assert spent(0.5, 0.05, "pocock") == pytest.approx(0.05 * math.log(1 + (math.e - 1) / 2))
    assert spent(0.5, 0.05, "obrien_fleming") == pytest.approx(2 * stats.norm.sf(stats.norm.isf(0.025) * math.sqrt(2)))


@given(looks, spendings, st.floats(1e-4, 0.25), st.floats(1.01, 1.2))
@settings(max_examples=30)
def test_levels_rise_with_alpha_and_do_not_look_ahead(fractions, spending, alpha, factor):
    levels = nominal_levels(fractions, alpha, spending)
    assert all(b >= a for a, b in zip(levels, nominal_levels(fractions, alpha * factor, spending), strict=True))
    for k in range(1, len(fractions)):
        assert nominal_levels(fractions[:k], alpha, spending) == pytest.approx(levels[:k], rel=1e-7)
    assert levels[0] == pytest.approx(spent(fractions[0], alpha, spending), rel=1e-12)
    assert max(levels) <= alpha + 1e-12
    # The union bound: the levels together allow for at least what is spent.
    assert sum(levels) >= spent(fractions[-1], alpha, spending) * (1 - 1e-7)


@given(
    looks,
    spendings,
    st.sampled_from([0.025, 0.05]),
    st.lists(st.floats(0, 0.12), min_size=5, max_size=5),
)
@settings(max_examples=60)
def test_at_the_protocols_alpha_the_p_value_is_the_decision(fractions, spending, alpha, drawn):
    levels = nominal_levels(fractions, alpha, spending)
    on_the_level = [list(levels), [math.nextafter(level, 1) for level in levels]]
    p = np.array([drawn[: len(levels)], *on_the_level]).T
    adjusted = sequential_p(p, fractions, spending, alpha)
    by_hand = ((p <= np.array(levels)[:, None]) & (np.array(levels)[:, None] > 0)).any(axis=0)
    assert ((adjusted <= alpha) == by_hand).all()


@given(looks, spendings, st.lists(st.floats(0, 1), min_size=5, max_size=5), st.integers(0, 4), st.floats(0, 1))
@settings(max_examples=60)
def test_smaller_p_values_and_more_looks_never_raise_it(fractions, spending, drawn, at, share):
    p = np.array(drawn[: len(fractions)])[:, None]
    adjusted = sequential_p(p, fractions, spending, 0.05)
    smaller = p.copy()
    smaller[at % len(p)] *= share
    assert sequential_p(smaller, fractions, spending, 0.05) <= adjusted + 1e-12
    if len(p) > 1:
        assert adjusted <= sequential_p(p[:-1], fractions[:-1], spending, 0.05) * (1 + 1e-6) + 1e-12
    # Looking costs: a claim after several looks never has a smaller p-value than its smallest.
    assert adjusted >= min(p.min(), sequential.SMALLEST) - 1e-15
    assert adjusted >= p.min() * (1 - 1e-4) or p.min() < 1e-11


@pytest.mark.parametrize("spending", BOTH)
@pytest.mark.parametrize("alpha", [3e-11, 2e-6, 0.0017, 0.013, 0.11, 0.29])
def test_it_is_the_alpha_whose_level_was_met(spending, alpha):
    """Definition: p equal to the level of some alpha, at any one look, gives that alpha."""
    levels = nominal_levels(FOUR, alpha, spending)
    p = np.where(np.eye(4, dtype=bool), levels, 1.0)
    np.testing.assert_allclose(sequential_p(p, FOUR, spending, 0.05), alpha, rtol=1e-4)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), spendings)
def test_one_look_at_everybody_changes_nothing(p, spending):
    assert sequential_p([p], (1.0,), spending, 0.05).tolist() == p


def test_missing_p_values_count_as_one():
    p = [[np.nan, np.nan, 0.001], [0.001, np.nan, np.nan]]
    adjusted = sequential_p(p, (0.5, 1.0), "pocock", 0.05)
    assert adjusted[1] == 1
    assert adjusted.tolist() == sequential_p(np.nan_to_num(p, nan=1.0), (0.5, 1.0), "pocock", 0.05).tolist()
    assert sequential_p([[np.nan]], (1,), "pocock", 0.05).tolist() == [1]
    assert sequential_p(np.empty((2, 0)), (0.5, 1), "pocock", 0.05).shape == (0,)


def test_a_look_too_early_to_claim_anything_claims_nothing():
    """At 0.2 % of the patients O'Brien and Fleming's boundary is 43 standard deviations: below any p-value."""
    assert nominal_levels((0.002, 1.0), 0.05, "obrien_fleming")[0] == 0
    assert sequential_p([[0.0], [0.9]], (0.002, 1.0), "obrien_fleming", 0.05)[0] > 0.1
    assert sequential_p([[0.0], [0.04]], (0.002, 1.0), "obrien_fleming", 0.05)[0] == pytest.approx(0.04, rel=1e-3)


@pytest.mark.parametrize("spending", BOTH)
def test_family_error_with_holm_over_two_looks(spending):
    """Ten true null hypotheses, correlated: the chance of any claim stays at 0.05 (4,000 families, se 0.0035)."""
    rng = np.random.default_rng(3)
    shared = 0.5 * rng.standard_normal((2, 4000, 1))
    steps = shared + math.sqrt(0.75) * rng.standard_normal((2, 4000, 10))
    z = np.stack([steps[0], (steps[0] + steps[1]) / math.sqrt(2)])
    p = sequential_p(stats.norm.sf(z).reshape(2, -1), (0.5, 1.0), spending, 0.05).reshape(4000, 10)
    any_claim = np.mean([(holm(row, 10) <= 0.05).any() for row in p])
    assert 0.02 < any_claim < 0.05 + 3 * 0.0035


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nominal_levels((0.5, 0.5), 0.05, "pocock"), "rise strictly"),
        (lambda: nominal_levels((), 0.05, "pocock"), "rise strictly"),
        (lambda: nominal_levels((0.5, 1.2), 0.05, "pocock"), "up to 1"),
        (lambda: nominal_levels((0.0, 1.0), 0.05, "pocock"), "above 0"),
        (lambda: nominal_levels((0.5, math.nan), 0.05, "pocock"), "rise strictly"),
        (lambda: nominal_levels((0.9, 0.9005), 0.05, "pocock"), "leave one out"),
        (lambda: nominal_levels((0.5, 1.0), 0.0, "pocock"), "alpha is the one-sided error"),
        (lambda: nominal_levels((0.5, 1.0), 0.05, "haybittle"), "pocock, obrien_fleming; got 'haybittle'"),
        (lambda: spent(1.1, 0.05, "pocock"), "between 0 and 1"),
        (lambda: sequential_p([0.1, 0.2], (0.5, 1.0), "pocock", 0.05), r"shape \(2, C\)"),
        (lambda: sequential_p([[0.1]], (0.5, 1.0), "pocock", 0.05), r"shape \(2, C\)"),
        (lambda: sequential_p([[1.1]], (1.0,), "pocock", 0.05), "between 0 and 1"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
