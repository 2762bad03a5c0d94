"""Monotone steps against scipy's t tests and statsmodels' Holm on the same data, and against one step at a time."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from auditkit.stats.equivalence import EMPTY, FEW, SPARSE, UNION, equivalence
from auditkit.stats.multiplicity import all_of
from auditkit.stats.reduce import cluster_means
from auditkit.stats.steps import Steps, monotone_steps

P = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.05]))


def ladder(rng: np.random.Generator, n: int, steps, sd: float = 6.0) -> np.ndarray:
    """Scores at len(steps) + 1 severities with these expected changes, 0-100 never reached."""
    level = 50 + np.concatenate([[0.0], np.cumsum(steps)])
    return level + rng.normal(0, 5, n)[:, None] + rng.normal(0, sd / math.sqrt(2), (n, level.size)).clip(-25, 25)


def judge(scores, tolerance=2.0, clusters=None, **options) -> Steps:
    options = {"alpha": 0.05, "resamples": 999, "seed": 3} | options
    return monotone_steps(scores, np.arange(len(scores)) if clusters is None else clusters, tolerance, **options)


def test_a_falling_score_passes_with_the_largest_p_of_its_steps():
    y = ladder(np.random.default_rng(0), 60, [-4, -3, -5, -4, -2])
    result = judge(y)
    p = [stats.ttest_1samp(d, 2.0, alternative="less").pvalue for d in np.diff(y, axis=1).T]
    assert result.decision == "inside"
    assert result.p_pass == pytest.approx(max(p), rel=1e-9)
    assert [s.estimate for s in result.steps] == pytest.approx(np.diff(y, axis=1).mean(axis=0))
    assert {s.rule for s in result.steps} == {UNION}


def test_a_climb_fails_with_the_smallest_p_after_holm():
    y = ladder(np.random.default_rng(1), 80, [-4, 9, 6, -4, 11])
    result = judge(y)
    p = [stats.ttest_1samp(d, 2.0, alternative="greater").pvalue for d in np.diff(y, axis=1).T]
    expected = multipletests(p, method="holm")[1]
    rejected = expected <= 0.05
    assert rejected.sum() == 3
    assert np.array(result.p_fail_adjusted)[rejected] == pytest.approx(expected[rejected], rel=1e-9)
    assert result.decision == "beyond"
    assert result.p_fail == pytest.approx(expected.min(), rel=1e-9)
    assert [s.decision == "beyond" for s in result.steps] == rejected.tolist()


def test_one_step_beyond_that_holm_does_not_confirm_is_open():
    """The bait: a step whose own p-value lies between 0.05 / 5 and 0.05."""
    y = ladder(np.random.default_rng(3), 60, [-8, -8, 0, -8, -8])
    change = np.diff(y, axis=1)[:, 2]
    raised = stats.t.ppf(1 - 0.03, 59) * stats.sem(change) + 2.0 - change.mean()
    y[:, 3:] += raised
    result = judge(y)
    assert [s.decision for s in result.steps] == ["inside", "inside", "beyond", "inside", "inside"]
    assert result.steps[2].p_fail == pytest.approx(0.03, rel=1e-6)
    assert result.p_fail == pytest.approx(0.15, rel=1e-6)
    assert result.decision == "open"


def test_four_clear_falls_do_not_hide_a_flat_step_that_is_poorly_known():
    result = judge(ladder(np.random.default_rng(4), 30, [-9, -9, 0.5, -9, -9]))
    assert [s.decision for s in result.steps].count("inside") == 4
    assert result.decision == "open"
    assert result.p_pass == result.steps[2].p_pass > 0.05


@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 1000), st.floats(-3, 6))
@settings(max_examples=25, deadline=None)
def test_each_step_is_what_the_core_says_of_it_alone(G, S, seed, tolerance):
    rng = np.random.default_rng(seed)
    y = np.where(rng.random((2 * G, S + 1)) < 0.15, np.nan, np.round(rng.uniform(0, 100, (2 * G, S + 1)), -1))
    codes = rng.integers(0, G, 2 * G)
    result = judge(y, tolerance, clusters=codes)
    assert len(result.steps) == S
    for k, step in enumerate(result.steps):
        change = (y[:, k + 1] - y[:, k])[:, None]
        alone = equivalence(cluster_means(change, codes), -np.inf, tolerance, alpha=0.05, seed=3, resamples=999)[0]
        assert (step.decision, step.rule, step.n_clusters) == (alone.decision, alone.rule, alone.n_clusters)
        assert (step.low, step.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
        assert (step.p_pass, step.p_fail) == pytest.approx((alone.p_pass, alone.p_fail), abs=1e-9)
    passed = all(s.high < tolerance and s.n_clusters >= 24 for s in result.steps)
    assert (result.decision == "inside") == passed == (result.p_pass <= 0.05)
    assert (result.decision == "beyond") == (result.p_fail <= 0.05)


@given(st.lists(st.tuples(P, P), min_size=1, max_size=6))
@settings(max_examples=12, deadline=None)  # statsmodels takes 55 ms a call
def test_joining_equals_statsmodels_holm_and_the_largest_p(questions):
    p_pass, p_fail = zip(*questions, strict=True)
    decisions = ["beyond" if q <= 0.05 else "inside" if p <= 0.05 else "open" for p, q in questions]
    joint = all_of(decisions, p_pass, p_fail, 0.05)
    expected = multipletests(p_fail, method="holm")[1]
    assert joint.p_fail_adjusted == pytest.approx(tuple(expected))
    assert joint.p_fail == pytest.approx(expected.min())
    assert joint.p_pass == max(p_pass)
    assert (joint.decision == "inside") == (set(decisions) == {"inside"})
    assert (joint.decision == "beyond") == (expected.min() <= 0.05)


def test_gaps_cost_only_the_steps_they_touch():
    y = ladder(np.random.default_rng(5), 50, [-5, -5, -5])
    y[:20, 1] = np.nan
    result = judge(y)
    assert [s.n_clusters for s in result.steps] == [30, 30, 50]
    assert result.steps[1].estimate == pytest.approx((y[20:, 2] - y[20:, 1]).mean())
    y[:, 3] = np.nan
    nothing = judge(y)
    assert nothing.steps[2].rule == EMPTY
    assert (nothing.decision, nothing.p_pass) == ("open", 1)


def test_the_patient_is_the_unit():
    """32 slices of one patient climb by 30; 40 patients with one image fall."""
    y = ladder(np.random.default_rng(6), 72, [-6, -6])
    y[:32, 1] = y[:32, 0] + 30
    result = judge(y, clusters=np.append(np.zeros(32, dtype=int), np.arange(1, 41)))
    falls = (y[32:, 1] - y[32:, 0]).sum()
    assert result.steps[0].n_clusters == 41
    assert result.steps[0].estimate == pytest.approx((falls + 30) / 41)


def test_a_score_that_never_moves_needs_patients_enough():
    """All steps 0 exactly: 2 points of 100 take 149 patients, since (1 - 0.02 / 1.00)^n must come below 0.05."""
    assert judge(np.full((148, 6), 70.0)).decision == "open"
    still = judge(np.full((149, 6), 70.0))
    assert (still.decision, still.steps[0].rule) == ("inside", SPARSE)
    assert still.p_pass == pytest.approx(0.98**149, abs=1e-8)


def test_too_few_patients_may_fail_but_not_pass():
    falling = judge(ladder(np.random.default_rng(7), 20, [-9, -9]))
    assert (falling.decision, falling.p_pass, falling.steps[0].rule) == ("open", 1, FEW)
    assert judge(ladder(np.random.default_rng(7), 20, [-9, 20])).decision == "beyond"


def test_steps_within_the_tolerance_can_add_up_to_a_climb():
    """What the notes warn of: 1 point each, 5 in all, and every step passes a tolerance of 2."""
    y = ladder(np.random.default_rng(8), 400, [1.0] * 5, sd=4.0)
    assert judge(y).decision == "inside"
    assert (y[:, 5] - y[:, 0]).mean() == pytest.approx(5, abs=1)


@pytest.mark.parametrize(
    ("scores", "options", "words"),
    [
        (np.zeros((5, 1)), {}, "S >= 2"),
        (np.zeros(5), {}, r"got \(5,\)"),
        (np.full((5, 2), np.inf), {}, "infinite"),
        (np.zeros((5, 3)), {"tolerance": np.nan}, "low < high"),
        (np.zeros((5, 3)), {"tolerance": np.inf}, "one finite"),
        (np.full((5, 3), [0.0, 101.0, 0.0]), {}, "beyond value_range=100"),
        (np.zeros((5, 3)), {"clusters": np.arange(4)}, "one code per row"),
    ],
)
def test_unusable_input_is_named(scores, options, words):
    with pytest.raises(ValueError, match=words):
        judge(scores, **options)


def error_rates(n: int, steps, replicates: int, resamples: int) -> tuple[float, float]:
    inside = beyond = 0
    for replicate in range(replicates):
        y = ladder(np.random.default_rng([replicate, n]), n, steps)
        result = judge(y, seed=replicate, resamples=resamples)
        inside += result.decision == "inside"
        beyond += result.decision == "beyond"
    return inside / replicates, beyond / replicates


# One step at the tolerance is the worst case for a pass, all at the tolerance for a fail.
LADDERS = ([-8, -8, 2, -8, -8], [2, 2, 2, 2, 2])


@pytest.mark.parametrize("steps", LADDERS, ids=["one", "all"])
def test_steps_at_the_tolerance_pass_and_fail_no_more_often_than_promised(steps):
    inside, beyond = error_rates(32, steps, 300, 399)
    assert max(inside, beyond) <= 0.06 + 3 * math.sqrt(0.06 * 0.94 / 300)


@pytest.mark.slow
def test_table_of_error_rates():
    print("\ntolerance 2, steps of sd 6, 2,000 replicates, 999 resamples: PASS, FAIL")
    for steps in (*LADDERS, [0] * 5, [-4, 6, -4, -4, -4], [-4] * 5):
        for n in (32, 64, 128):
            inside, beyond = error_rates(n, steps, 2000, 999)
            print(f"{steps!s:24} n={n:<4} {inside:.3f} {beyond:.3f}")
            if max(steps) >= 2:
                assert inside <= 0.06 + 3 * math.sqrt(0.06 * 0.94 / 2000)
            if max(steps) <= 2:
                assert beyond <= 0.06 + 3 * math.sqrt(0.06 * 0.94 / 2000)
