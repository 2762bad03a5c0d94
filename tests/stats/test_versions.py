"""Means of two versions: against scipy's t test, at the margins of every harm, and where little is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats.equivalence import EMPTY, FEW, SPARSE, UNION
from auditkit.stats.versions import ROUTES, worsening

OPTIONS = {"alpha": 0.05, "seed": 3, "resamples": 999}
HARMS = list(ROUTES)


def moves(new, old, harm):
    new, old = (np.asarray(side, dtype=float).reshape(len(side), -1) for side in (new, old))
    return {w: new - w * old for w in ROUTES[harm]}


def compare(new, old, harm, margin=5.0, **options):
    return worsening(moves(new, old, harm), harm, margin, **(OPTIONS | options))[0]


def effect(mean: float, n: int = 64, sd: float = 6.0, seed: int = 0) -> np.ndarray:
    """Values with exactly this mean."""
    values = np.random.default_rng(seed).normal(0, sd, n)
    return values - values.mean() + mean


@pytest.mark.parametrize(
    ("harm", "before", "now", "worse", "decision"),
    [
        ("upwards", -16, -16, 0, "inside"),
        ("upwards", -16, -4, 12, "beyond"),
        ("upwards", -4, -16, -12, "inside"),
        ("above zero", -10, -1, 0, "inside"),  # a rise that ends below zero harms nobody
        ("above zero", 0, 12, 12, "beyond"),
        ("above zero", 12, 12, 0, "inside"),
        ("above zero", 12, 0, -12, "inside"),
        ("above zero", -10, 12, 12, "beyond"),
        ("away from zero", 0, 12, 12, "beyond"),
        ("away from zero", 0, -12, 12, "beyond"),
        ("away from zero", 20, 1, -19, "inside"),  # repaired
        ("away from zero", -20, 12, -8, "inside"),  # to the other side, and nearer to zero
        ("away from zero", 12, -12, 0, "inside"),
        ("away from zero", 12, -24, 12, "beyond"),
        ("away from zero", 30, 30, 0, "inside"),
    ],
)
def test_what_counts_as_worse(harm, before, now, worse, decision):
    result = compare(effect(now, seed=1), effect(before, seed=2), harm)
    assert result.estimate == pytest.approx(worse, abs=1e-9)
    assert result.decision == decision
    assert result.low <= result.estimate <= result.high


@pytest.mark.parametrize("harm", HARMS[1:])
def test_below_zero_matters_only_where_it_harms(harm):
    result = compare(effect(-12, seed=1), effect(0, seed=2), harm)
    assert result.decision == ("beyond" if harm == "away from zero" else "inside")


def test_upwards_is_students_test_of_the_differences():
    new, old = effect(-11, 100, 4, 1), effect(-15, 100, 4, 2)
    result = compare(new, old, "upwards", margin=6.0)
    assert result.rule == UNION
    expected = stats.ttest_1samp(new - old, 6.0, alternative="less").pvalue
    assert result.p_pass == pytest.approx(expected, rel=1e-9)
    assert result.sd == pytest.approx(np.std(new - old, ddof=1))


@given(
    st.sampled_from(HARMS), st.integers(24, 60), st.floats(-20, 20), st.floats(-20, 20), st.floats(0.5, 20),
    st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_decision_interval_and_p_values_agree(harm, n, now, before, sd, seed):
    rng = np.random.default_rng(seed)
    new, old = np.clip(np.round(rng.normal([now, before], sd, (n, 2)) / 5) * 5, -100, 100).T
    result = compare(new, old, harm)
    assert result.low <= result.estimate + 1e-9
    assert result.estimate <= result.high + 1e-9
    if min(abs(result.low - 5), abs(result.high - 5)) > 1e-6:
        assert (result.decision == "inside") == (result.high < 5) == (result.p_pass <= 0.05)
        assert (result.decision == "beyond") == (result.low > 5) == (result.p_fail <= 0.05)


@given(st.integers(0, 20), st.floats(-15, 15), st.floats(-15, 15))
@settings(max_examples=25, deadline=None)
def test_away_from_zero_has_no_sides(seed, now, before):
    """Turning both versions' effects round changes nothing, and so does turning one of them."""
    new, old = effect(now, 40, 8, seed), effect(before, 40, 8, seed + 1)
    one, other = compare(new, old, "away from zero"), compare(-new, -old, "away from zero")
    assert other.estimate == pytest.approx(one.estimate)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.6)  # the bootstrap's tails


def test_effects_that_never_move_are_bounded_by_the_new_effect_itself():
    """The bounds of the notes: 32 patients, nothing seen in either version."""
    zeros = np.zeros(32)
    result = compare(zeros, zeros, "away from zero", margin=12.0)
    assert (result.decision, result.rule) == ("inside", SPARSE)
    assert result.high == pytest.approx(100 * (1 - 0.04 ** (1 / 32)))
    assert result.high == pytest.approx(9.6, abs=0.05)
    change_alone = compare(zeros, zeros, "upwards", margin=12.0)
    assert change_alone.decision == "open"
    assert change_alone.high == pytest.approx(200 * (1 - 0.05 ** (1 / 32)))


def test_too_few_patients_pass_nothing():
    result = compare(effect(0, 23, 1), effect(0, 23, 1, 5), "away from zero")
    assert (result.decision, result.rule, result.p_pass) == ("open", FEW, 1.0)
    assert compare(effect(40, 23, 1), effect(0, 23, 1, 5), "away from zero").decision == "beyond"


def test_new_scores_without_old_ones_pass_nothing():
    """The new effect is known well; but with five patients in common it has not been compared."""
    old = np.where(np.arange(64) < 5, 0.0, np.nan)
    result = compare(effect(0, 64, 1), old, "away from zero")
    assert (result.n_clusters, result.decision, result.p_pass) == (5, "open", 1.0)


def test_without_any_pair_there_is_nothing():
    nothing = np.full(30, np.nan)
    result = compare(nothing, nothing, "above zero")
    assert (result.n_clusters, result.rule, result.decision, result.p_pass, result.p_fail) == (0, EMPTY, "open", 1, 1)
    assert np.isnan(result.estimate)


def test_a_column_does_not_depend_on_its_company():
    new = np.stack([effect(0, seed=1), effect(8, seed=2), effect(0, sd=20, seed=3)], axis=1)
    old = np.stack([effect(0, seed=4), effect(1, seed=5), effect(0, sd=20, seed=6)], axis=1)
    together = worsening(moves(new, old, "away from zero"), "away from zero", 5.0, **OPTIONS)
    for c, result in enumerate(together):
        assert compare(new[:, c], old[:, c], "away from zero") == result


def test_the_parts_of_alpha_are_all_of_it():
    for routes in ROUTES.values():
        assert sum(routes.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare(np.zeros(4), np.zeros(4), "upwards", margin=0.0), "above 0; got 0"),
        (lambda: worsening({1: np.zeros((4, 1))}, "above zero", 5.0, **OPTIONS), r"missing: \[0\]"),
        (lambda: compare(np.full(4, 250.0), np.zeros(4), "upwards"), "beyond value_range"),
    ],
)
def test_what_makes_no_sense_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
