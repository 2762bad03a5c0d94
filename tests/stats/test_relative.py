"""Relative margins against Fieller's closed form, scipy's t tests on the contrasts, and a brute-force inversion."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats import bounded
from auditkit.stats.equivalence import EMPTY, FEW, SPARSE, UNION, equivalence
from auditkit.stats.relative import NO_BASE, NO_INTERVAL, Relative, relative_margin

KINDS = ("fine", "skewed", "jumps", "equal", "unchanged", "low", "constant")


def scores(kind: str, rng: np.random.Generator, G: int, loss: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Treated and control scores of G patients whose expectations have the ratio 1 - loss."""
    control = 100 * rng.beta(6, 4, G)
    keep = 1 - loss
    if kind == "fine":  # on a grid of 5, rounded at random so that the expectation stays
        control, treated = (
            5 * np.floor(np.clip(x, 0, 99.9) / 5 + rng.random(G))
            for x in (control, keep * control + 20 * (rng.beta(4, 4, G) - 0.5) * (control > 15))
        )
        return treated, control
    if kind == "skewed":
        return control * (1 - 2 * loss * rng.beta(0.5, 0.5, G)), control
    if kind == "jumps":
        return control * (rng.random(G) > loss), control
    if kind == "equal":  # few distinct values: the bound is quick
        return np.where(rng.random(G) > loss, 60.0, 0.0), np.full(G, 60.0)
    if kind == "unchanged":
        return control.copy(), control
    if kind == "low":
        control = np.where(rng.random(G) < 0.1, 30.0, 0.0)
        return rng.permutation(control), control
    return np.full(G, 40.0), np.full(G, 41.0)


def judge(treated, control, low=-0.1, high=0.1, clusters=None, **options) -> Relative:
    options = {"alpha": 0.05, "resamples": 999, "seed": 3} | options
    return relative_margin(
        treated, control, np.arange(len(treated)) if clusters is None else clusters, low, high, **options
    )


def fieller(treated, control, alpha: float) -> tuple[float, float]:
    """The closed form for paired normal data: the roots of a quadratic in the ratio."""
    n, t = len(treated), stats.t.ppf(1 - alpha, len(treated) - 1)
    (a, c), (_, b) = np.cov(treated, control) / n
    m, m0 = np.mean(treated), np.mean(control)
    g = t * t * b / m0**2
    assert g < 1
    ratio = m / m0
    reach = t / m0 * math.sqrt(a - 2 * ratio * c + ratio**2 * b - g * (a - c * c / b))
    return (ratio - g * c / b - reach) / (1 - g) - 1, (ratio - g * c / b + reach) / (1 - g) - 1


def test_the_interval_holds_fiellers_and_is_fiellers_where_the_bootstrap_agrees():
    equal = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        control = rng.normal(60, 8, 40)
        treated = 0.97 * control + rng.normal(0, 5, 40)
        result, (low, high) = judge(treated, control, seed=seed), fieller(treated, control, 0.05)
        assert result.rule == UNION
        assert result.low <= low + 1e-7
        assert result.high >= high - 1e-7
        assert (result.low, result.high) == pytest.approx((low, high), abs=0.01)
        equal += (abs(result.low - low) < 1e-7) + (abs(result.high - high) < 1e-7)
    assert equal >= 10


def test_p_values_are_those_of_two_one_sided_t_tests_on_the_contrasts():
    treated, control = scores("fine", np.random.default_rng(2), 120, loss=0.02)
    result = judge(treated, control)
    above = stats.ttest_1samp(treated - 0.9 * control, 0, alternative="greater").pvalue
    below = stats.ttest_1samp(treated - 1.1 * control, 0, alternative="less").pvalue
    assert result.decision == "inside"
    assert result.p_pass == pytest.approx(max(above, below), rel=1e-6)
    worse = judge(0.7 * treated, control)
    beyond = stats.ttest_1samp(0.7 * treated - 0.9 * control, 0, alternative="less").pvalue
    assert (worse.decision, worse.p_fail) == ("beyond", pytest.approx(beyond, rel=1e-6))


@pytest.mark.parametrize(("kind", "G"), [("fine", 30), ("skewed", 64), ("jumps", 150)])
def test_the_interval_holds_just_the_ratios_that_the_core_does_not_exclude(kind, G):
    """Brute force: 120 ratios, each contrast written out and given to the core."""
    treated, control = scores(kind, np.random.default_rng(G), G)
    result = judge(treated, control)
    assert result.rule == UNION
    ratios = np.linspace(0.7, 1.15, 120)
    columns = np.column_stack([treated - k * control for k in ratios])
    for k, r in zip(
        ratios, equivalence(columns, 0.0, np.inf, alpha=0.05, seed=3, resamples=999, value_range=120.0), strict=True
    ):
        assert (r.low <= 0 <= r.high) == (result.low <= k - 1 <= result.high), k


def test_sparse_changes_use_the_bound_with_the_range_of_the_contrast():
    """Treated - k control lies between -100 k and 100, no matter where 0 is."""
    treated, control = scores("jumps", np.random.default_rng(5), 64, loss=0.05)
    result = judge(treated, control)
    assert result.rule == SPARSE
    assert result.n_informative < 10
    for k in np.linspace(0.75, 1.2, 40):
        x = treated - k * control
        kept = bounded.mean_lower(x, -100 * k, 0.05) <= 0 <= bounded.mean_upper(x, 100.0, 0.05)
        assert kept == (result.low <= k - 1 <= result.high), k


def test_no_change_at_all_is_not_certainty():
    """Student would pass 24 patients: their contrast varies as the control scores do, which says nothing of changes."""
    control = np.full(51, 60.0)
    assert judge(control, control).decision == "open"
    passed = judge(np.full(52, 60.0), np.full(52, 60.0))
    assert (passed.decision, passed.rule, passed.n_informative) == ("inside", SPARSE, 0)
    assert passed.p_pass == pytest.approx((1 - 6 / 106) ** 52, abs=1e-8)
    varied, _ = scores("unchanged", np.random.default_rng(0), 30)
    assert stats.ttest_1samp(0.1 * varied, 0, alternative="greater").pvalue < 1e-9
    assert judge(varied, varied).decision == "open"


@pytest.mark.parametrize("change", [lambda c: 0.97 * c, lambda c: np.maximum(c - 2, 0)])
def test_a_common_factor_or_shift_with_rare_jumps_is_as_sparse_as_the_jumps(change):
    control = scores("unchanged", np.random.default_rng(1), 40)[1]
    treated = change(control)
    treated[:3] = 0
    assert judge(treated, control).rule == SPARSE
    assert judge(treated, control).n_informative == 4


@given(
    st.sampled_from(KINDS), st.integers(1, 70), st.integers(0, 10_000), st.sampled_from([0.025, 0.05]),
    st.sampled_from([(-0.1, 0.1), (-0.3, 0.05), (-np.inf, 0.1), (-0.2, np.inf), (0.05, 0.5)]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_decision_interval_and_p_values_never_disagree(kind, G, seed, alpha, margins):
    low, high = margins
    result = judge(*scores(kind, np.random.default_rng(seed), G), low, high, alpha=alpha, seed=seed)
    assert -1 <= result.low <= result.high
    if result.rule in (NO_BASE, NO_INTERVAL):
        assert (result.decision, result.p_pass, result.p_fail) == ("open", 1, 1)
        assert (result.low, result.high) == (-1, np.inf)
        return
    assert result.control_low > 0
    assert result.low <= result.estimate <= result.high < np.inf
    inside = low < result.low and result.high < high and G >= 24
    assert (result.decision == "inside") == inside == (result.p_pass <= alpha)
    beyond = result.high < low or result.low > high
    assert (result.decision == "beyond") == beyond == (result.p_fail <= alpha)


@given(st.sampled_from(["fine", "skewed", "unchanged"]), st.integers(12, 60), st.integers(0, 1000))
@settings(max_examples=12, deadline=None)
def test_exchanging_treated_and_control_inverts_the_ratios(kind, G, seed):
    treated, control = scores(kind, np.random.default_rng(seed), G)
    a, b = judge(treated, control, -0.2, 0.25), judge(control, treated, -0.2, 0.25)
    assert (1 / (1 + b.high), 1 / (1 + b.low)) == pytest.approx((1 + a.low, 1 + a.high), abs=1e-6)
    assert (b.decision, b.p_pass) == (a.decision, pytest.approx(a.p_pass, abs=1e-7))


def test_another_unit_changes_nothing():
    treated, control = scores("skewed", np.random.default_rng(3), 50)
    a, b = judge(treated, control), judge(treated / 20, control / 20, score_range=5.0)
    assert (b.low, b.high, b.p_pass) == pytest.approx((a.low, a.high, a.p_pass), abs=1e-7)
    assert b.control_low == pytest.approx(a.control_low / 20)


def test_one_control_score_near_zero_does_not_carry_the_answer():
    """The mean of ratios is +163 %, because of one patient with 0.1 points against 10."""
    control = np.append(np.full(59, 60.0), 0.1) + np.append(np.linspace(-9, 9, 59), 0)
    treated = np.append(control[:-1] + np.tile([-1.0, 1.0], 30)[:59], 10.0)
    assert np.mean(treated / control) - 1 > 1.6
    result = judge(treated, control)
    assert result.estimate == pytest.approx(treated.sum() / control.sum() - 1)
    assert result.decision == "inside"


def test_patients_weigh_the_same_and_pairs_are_complete_within_the_image():
    rng = np.random.default_rng(6)
    clusters = np.append(np.zeros(32, dtype=int), np.arange(1, 40))
    control = rng.uniform(40, 80, 71)
    treated = 0.95 * control + rng.normal(0, 4, 71)
    treated[:32] = 0.2 * control[:32]
    treated[5], control[40] = np.nan, np.nan  # one slice of the large patient; patient 9 has no other image
    keep = np.arange(32) != 5
    s = np.append(treated[:32][keep].mean(), np.delete(treated[32:], 8))
    s0 = np.append(control[:32][keep].mean(), np.delete(control[32:], 8))
    result = judge(treated, control, clusters=clusters)
    assert result.n_clusters == 39
    assert result.estimate == pytest.approx(s.mean() / s0.mean() - 1)
    alone = judge(s, s0)
    assert (result.low, result.high, result.p_pass) == pytest.approx((alone.low, alone.high, alone.p_pass), abs=1e-9)


def test_a_control_near_zero_supports_no_claim():
    """Fieller's g above 1: Student's bound of the control mean is below 0, and every large ratio stays possible."""
    rng = np.random.default_rng(8)
    control = np.where(rng.random(40) < 0.08, rng.uniform(0, 40, 40), 0.0)
    treated = rng.uniform(0, 1, 40)
    assert stats.ttest_1samp(control, 0).confidence_interval(0.9).low < 0.5
    result = judge(treated, control)
    assert (result.decision, result.rule, result.p_pass, result.p_fail) == ("open", NO_BASE, 1, 1)
    assert (result.low, result.high, result.control_low) == (-1, np.inf, 0)
    assert result.control_mean == pytest.approx(control.mean())
    nothing = judge(treated, np.zeros(40))
    assert (nothing.rule, math.isnan(nothing.estimate)) == (NO_BASE, True)


def test_pieces_are_no_interval():
    """Seven patients of extremes, the sparse rule switched off: no resampled control is bounded away from 0."""
    treated = [100.0, 100, 5, 100, 100, 100, 100]
    control = [100.0, 50, 0, 50, 50, 0, 100]
    rules = {judge(treated, control, seed=seed, min_informative=0).rule for seed in range(40)}
    assert rules <= {NO_INTERVAL, NO_BASE, FEW, UNION}
    assert NO_INTERVAL in rules


def test_a_treated_mean_that_may_be_zero_is_bounded_by_a_total_loss():
    rng = np.random.default_rng(4)
    treated = np.where(np.arange(40) < 11, rng.uniform(0, 3, 40), 0.0)
    result = judge(treated, rng.uniform(50, 80, 40))
    assert result.decision == "beyond"
    assert -1 <= result.low < result.high < -0.95


def test_too_few_patients_may_fail_but_not_pass():
    treated, control = scores("fine", np.random.default_rng(1), 20, loss=0.0)
    few = judge(treated, control, -0.5, 0.5)
    assert (few.decision, few.rule, few.p_pass) == ("open", FEW, 1)
    bad = judge(0.3 * treated, control)
    assert (bad.decision, bad.rule) == ("beyond", UNION)


def test_no_data():
    empty = judge([np.nan, 50.0], [50.0, np.nan])
    assert (empty.rule, empty.n_clusters, empty.decision) == (EMPTY, 0, "open")
    assert (empty.low, empty.high, empty.p_pass, empty.p_fail) == (-1, np.inf, 1, 1)
    assert judge([], [], clusters=np.empty(0, dtype=int)).rule == EMPTY


@pytest.mark.parametrize(
    ("treated", "control", "options", "words"),
    [
        ([1.0, 2.0], [1.0], {}, "same images"),
        ([1.0, 101.0], [1.0, 2.0], {}, "score_range=100, got 1 to 101"),
        ([1.0, -1.0], [1.0, 2.0], {}, "starts at 0"),
        ([1.0], [1.0], {"low": -1.0}, "-1 < low < high"),
        ([1.0], [1.0], {"low": 0.2}, "-1 < low < high"),
        ([1.0], [1.0], {"low": -np.inf, "high": np.inf}, "one of them finite"),
        ([1.0], [1.0], {"high": np.nan}, "-1 < low < high"),
        ([1.0], [1.0], {"alpha": 0.6}, "error per side"),
    ],
)
def test_unusable_input_is_named(treated, control, options, words):
    with pytest.raises(ValueError, match=words):
        judge(treated, control, **options)


def error_rates(kind: str, G: int, replicates: int, resamples: int) -> tuple[float, float]:
    """How often a true loss of 10 % passes and fails margins of +-10 %."""
    inside = beyond = 0
    for replicate in range(replicates):
        rng = np.random.default_rng([replicate, G, KINDS.index(kind)])
        result = judge(*scores(kind, rng, G), seed=replicate, resamples=resamples)
        inside += result.decision == "inside"
        beyond += result.decision == "beyond"
    return inside / replicates, beyond / replicates


def test_a_loss_on_the_margin_passes_and_fails_no_more_often_than_promised():
    assert max(error_rates("fine", 32, 120, 199)) <= 0.065 + 3 * math.sqrt(0.065 * 0.935 / 120)


@pytest.mark.parametrize("G", [24, 100])
def test_rare_total_losses_on_the_margin_err_below_alpha_exactly(G):
    """Each patient scores 60 or, with probability 0.1, 0: a sum over the number of losses, no simulation.

    24 patients show no loss in 8 % of the audits; an interval of no width would pass them.
    """
    chance, control = stats.binom(G, 0.1), np.full(G, 60.0)
    likely = [k for k in range(G) if chance.pmf(k) > 1e-6]
    found = {k: judge(np.where(np.arange(G) < k, 0.0, 60.0), control).decision for k in likely}
    for decision in ("inside", "beyond"):
        assert sum(chance.pmf(k) for k in likely if found[k] == decision) <= 0.05
    assert (found[0] == "inside") == ((1 - 6 / 106) ** G <= 0.05)


@pytest.mark.slow
def test_table_of_error_rates():
    print("\nloss of 10 %, margins +-10 %, 999 resamples: replicates, false PASS, false FAIL")
    for kind, replicates in (("fine", 1000), ("skewed", 1000), ("equal", 1000), ("jumps", 200)):
        for G in (24, 32, 64, 128):
            rates = error_rates(kind, G, replicates, 999)
            print(f"{kind:7} G={G:<4} {replicates:5} {rates[0]:.3f} {rates[1]:.3f}")
            assert max(rates) <= 0.065 + 3 * math.sqrt(0.065 * 0.935 / replicates)
