"""The three-way verdict: agreement of interval, p-values and decision; invariances; the traps."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats.equivalence import EMPTY, SPARSE, UNION, Interval, equivalence
from auditkit.stats.reduce import cluster_means

KINDS = {
    "fine": lambda rng, G: np.round(rng.normal(-2, 6, G) / 5) * 5,
    "skewed": lambda rng, G: np.where(rng.random(G) < 0.3, -rng.uniform(0, 40, G), 0.0),
    "rare": lambda rng, G: np.where(rng.random(G) < 0.05, -80.0, 0.0),
    "constant": lambda rng, G: np.full(G, -3.3),
    "zero": lambda rng, G: np.zeros(G),
}


def unseen_ends(mean: float, G: int, alpha: float = 0.05, reach: float = 100.0) -> tuple[float, float]:
    """As far as patients could move the mean who were not seen, if they are a share 1 - alpha^(1/G) of all."""
    share = 1 - alpha ** (1 / G)
    return mean - share * (mean + reach), mean + share * (reach - mean)


def judge(x, low=-5.0, high=5.0, **options) -> Interval:
    options = {"alpha": 0.05, "resamples": 999, "seed": 3} | options
    return equivalence(np.asarray(x, dtype=float)[:, None], low, high, **options)[0]


def assert_same(a: Interval, b: Interval, tolerance: float = 1e-9) -> None:
    for field in dataclasses.fields(Interval):
        mine, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(mine, float):
            assert mine == pytest.approx(other, abs=tolerance, nan_ok=True), field.name
        else:
            assert mine == other, field.name


def test_interval_is_the_union_of_student_and_bootstrap(rng):
    x = np.round(rng.normal(-2, 30, 64) / 5) * 5  # so wide that patients who were not seen add nothing
    student = stats.ttest_1samp(x, 0).confidence_interval(0.9)
    result = judge(x)
    assert result.rule == UNION
    assert result.low <= student.low + 1e-12
    assert result.high >= student.high - 1e-12
    assert result.low == pytest.approx(student.low, abs=1.5)
    assert result.level == pytest.approx(0.9)


@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_no_interval_is_narrower_than_patients_allow_who_were_not_seen(rng, alpha):
    x = rng.normal(-2, 1.5, 40)
    result = judge(x, alpha=alpha)
    assert result.rule == UNION
    assert (result.low, result.high) == pytest.approx(unseen_ends(x.mean(), 40, alpha), abs=1e-9)
    student = stats.ttest_1samp(x, 0).confidence_interval(1 - 2 * alpha)
    assert result.low < student.low - 1
    assert result.high > student.high + 1


def test_the_range_says_how_far_patients_can_lie_who_were_not_seen(rng):
    x = rng.normal(0, 0.05, 40)
    result = judge(x, -0.2, 0.2, value_range=1.0)
    assert (result.low, result.high) == pytest.approx(unseen_ends(x.mean(), 40, reach=1.0), abs=1e-9)
    assert result.decision == "inside"
    assert judge(x, -0.2, 0.2, value_range=5.0).decision == "open"


def test_p_values_are_students_when_the_bootstrap_agrees():
    """No floor of 1 / (resamples + 1), nor of patients not seen: a family of thousands can still be corrected."""
    x = np.random.default_rng(0).normal(-20, 6, 100)
    result = judge(x, resamples=199)
    assert result.decision == "beyond"
    assert result.p_fail == pytest.approx(stats.ttest_1samp(x, -5, alternative="less").pvalue, rel=1e-9)
    assert result.p_fail < 1e-20
    assert (105 / 120) ** 100 > 1e-6  # that patients who bring -20 to -5 were not seen once


@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(1, 90),
    st.integers(0, 10_000),
    st.floats(0.5, 60),
    st.sampled_from([0.01, 0.025, 0.05, 0.2]),
    st.sampled_from([(1, 1), (np.inf, 1), (1, np.inf)]),
)
@settings(max_examples=100)
def test_decision_interval_and_p_values_never_disagree(kind, G, seed, margin, alpha, sides):
    low, high = -margin * sides[0], margin * sides[1]
    result = judge(KINDS[kind](np.random.default_rng(seed), G), low, high, alpha=alpha, seed=seed)
    beyond = result.high < low or result.low > high
    inside = low < result.low and result.high < high
    assert (result.decision == "beyond") == beyond == (result.p_fail <= alpha)
    assert (result.decision == "inside") == inside == (result.p_pass <= alpha)
    assert result.low <= result.estimate <= result.high
    assert -100 <= result.low < result.high <= 100
    assert 0 <= result.p_pass <= 1
    assert 0 <= result.p_fail <= 1


@pytest.mark.parametrize("kind", ["skewed", "rare", "fine"])
def test_decision_and_p_values_agree_at_every_margin(kind):
    """A sweep through the ends of the interval, where Student and bootstrap of skewed data disagree."""
    x = KINDS[kind](np.random.default_rng(12), 60)
    assert judge(x).rule == (SPARSE if kind == "rare" else UNION)
    margins = np.linspace(0.05, 25, 500)
    sweep = np.repeat(x[:, None], 500, axis=1)
    for margin, r in zip(
        margins, equivalence(sweep, -margins, margins, alpha=0.05, seed=2, resamples=999), strict=True
    ):
        assert (r.decision == "inside") == (r.p_pass <= 0.05), margin
        assert (r.decision == "beyond") == (r.p_fail <= 0.05), margin


@given(st.sampled_from(sorted(KINDS)), st.integers(12, 60), st.integers(0, 1000))
@settings(max_examples=40)
def test_changing_the_sign_mirrors_everything(kind, G, seed):
    x = KINDS[kind](np.random.default_rng(seed), G)
    a, b = judge(x, -4, 6), judge(-x, -6, 4)
    assert (b.low, b.high) == pytest.approx((-a.high, -a.low), abs=1e-7)
    assert (b.p_pass, b.p_fail) == pytest.approx((a.p_pass, a.p_fail), abs=1e-7)
    assert b.decision == a.decision


@given(st.floats(-20, 20), st.integers(0, 1000))
@settings(max_examples=40)
def test_shifting_data_and_margins_together_changes_nothing_where_the_range_is_far(shift, seed):
    x = np.clip(np.random.default_rng(seed).normal(0, 45, 120), -79, 79)
    a, b = judge(x), judge(x + shift, -5 + shift, 5 + shift)
    assert (b.low - shift, b.high - shift) == pytest.approx((a.low, a.high), abs=1e-7)
    assert (b.decision, min(b.p_pass, 0.05)) == (a.decision, pytest.approx(min(a.p_pass, 0.05)))


@given(st.sampled_from(sorted(KINDS)), st.integers(24, 90), st.integers(0, 1000), st.floats(0.5, 30), st.floats(0, 30))
@settings(max_examples=60)
def test_a_wider_margin_never_turns_inside_into_anything_else(kind, G, seed, margin, more):
    x = KINDS[kind](np.random.default_rng(seed), G)
    narrow, wide = judge(x, -margin, margin), judge(x, -margin - more, margin + more)
    assert wide.p_pass <= narrow.p_pass + 1e-9
    assert wide.p_fail >= narrow.p_fail - 1e-9
    assert narrow.decision != "inside" or wide.decision == "inside"


def test_a_condition_does_not_depend_on_its_company():
    rng = np.random.default_rng(5)
    columns = [KINDS[kind](rng, 70) for kind in KINDS for _ in range(28)]
    means = np.column_stack(columns)
    means[rng.random(means.shape) < 0.02] = np.nan
    together = equivalence(means, -5, 5, alpha=0.05, seed=1, resamples=999)
    for c in (0, 30, 60, 100, 139):
        assert repr(judge(means[:, c], seed=1)) == repr(together[c])


def test_margins_per_condition(rng):
    means = rng.normal(0, 6, (50, 3))
    low, high = np.array([-1.0, -5.0, -np.inf]), np.array([1.0, 5.0, 3.0])
    for c, result in enumerate(equivalence(means, low, high, alpha=0.05, seed=1, resamples=999)):
        assert_same(result, judge(means[:, c], low[c], high[c], seed=1))


def test_missing_clusters_count_for_nothing_in_the_t_part(rng):
    x = rng.normal(0, 6, 40)
    with_holes = np.append(x, np.full(25, np.nan))
    a, b = judge(x), judge(with_holes)
    assert (a.estimate, a.se, a.n_clusters) == (pytest.approx(b.estimate), pytest.approx(b.se), b.n_clusters)


def test_order_of_the_clusters_matters_only_through_the_draws(rng):
    x = KINDS["skewed"](np.random.default_rng(2), 60)
    a, b = judge(x, resamples=9999), judge(x[::-1], resamples=9999)
    assert (a.low, a.high) == pytest.approx((b.low, b.high), abs=0.25 * a.se)
    assert judge(KINDS["rare"](rng, 60)[::-1]).estimate == pytest.approx(judge(KINDS["rare"](rng, 60)).estimate, abs=10)


@pytest.mark.parametrize("constant", [0.0, -3.3, 4.9])
def test_zero_variance_is_never_certainty(constant):
    """statsmodels' paired TOST gives p = 0 here."""
    result = judge(np.full(30, constant))
    assert (result.decision, result.rule) == ("open", SPARSE)
    assert result.p_pass > 0.05
    assert (result.low, result.high) == pytest.approx(unseen_ends(constant, 30), abs=1e-9)


def test_all_zero_passes_from_59_clusters_on():
    assert judge(np.zeros(58)).decision == "open"
    passed = judge(np.zeros(59))
    assert (passed.decision, passed.n_informative, passed.rule) == ("inside", 0, SPARSE)
    assert passed.p_pass == pytest.approx(0.95**59, abs=1e-9)


def test_a_constant_far_beyond_the_margin_fails_with_the_bounds_own_p():
    result = judge(np.full(40, -60.0))
    assert result.decision == "beyond"
    # All at -60 and one imagined at +100: the mean reaches -5 when the imagined one weighs 55 / 160 or more.
    assert result.p_fail == pytest.approx(stats.beta.sf(55 / 160, 1, 40), abs=1e-9)


def test_nine_informative_clusters_use_the_bound_and_ten_do_not():
    x = np.zeros(64)
    x[:9] = np.linspace(-9, -1, 9)
    assert (judge(x).rule, judge(x).n_informative) == (SPARSE, 9)
    nine = judge(x)
    x[9] = 1.0
    ten = judge(x)
    assert (ten.rule, ten.n_informative) == (UNION, 10)
    # One patient more who says something does not make the answer much more certain than it was.
    assert ten.high - ten.low > 0.8 * (nine.high - nine.low)


def test_informative_clusters_are_counted_per_condition():
    rng = np.random.default_rng(4)
    means = rng.choice([0.0, 0.0, 0.0, 2.5, -40.0, 100.0], (30, 50), p=[0.3, 0.2, 0.2, 0.2, 0.05, 0.05])
    means[:, 40:] += 1e-12  # equal up to rounding
    means[rng.random(means.shape) < 0.3] = np.nan
    means[:, :3] = np.nan
    means[0, 2] = 7.0
    for x, result in zip(
        np.round(means.T, 6), equivalence(np.clip(means, -100, 100), -5, 5, alpha=0.05, seed=0), strict=True
    ):
        numbers = Counter(x[~np.isnan(x)].tolist())
        shared = max(numbers.values(), default=0)
        assert result.n_informative == min(numbers.total() - numbers[0.0], numbers.total() - shared + (shared > 0))


def test_sparse_conditions_are_judged_beside_usual_ones(rng):
    means = np.column_stack([KINDS[kind](rng, 70) for kind in ("fine", "rare", "zero", "skewed")])
    together = equivalence(means, -5, 5, alpha=0.05, seed=1, resamples=999)
    assert [result.rule for result in together] == [UNION, SPARSE, SPARSE, UNION]
    for c, result in enumerate(together):
        assert_same(judge(means[:, c], seed=1), result)


def test_a_shared_shift_with_rare_jumps_is_as_sparse_as_rare_jumps_alone():
    x = np.full(64, -2.0)
    x[:4] = -60
    assert (judge(x).rule, judge(x).n_informative) == (SPARSE, 5)


def test_one_patient_with_32_slices_is_one_cluster(rng):
    values = np.append(np.full(32, -40.0), rng.normal(0, 3, 39))[:, None]
    result = equivalence(
        cluster_means(values, np.append(np.zeros(32, dtype=int), np.arange(1, 40))), -5, 5, alpha=0.05, seed=0
    )[0]
    assert result.n_clusters == 40
    assert result.estimate == pytest.approx(values[32:].sum() / 40 - 1.0)


@pytest.mark.parametrize(("margin", "alpha", "least"), [(5, 0.05, 59), (10, 0.05, 29), (5, 0.025, 72), (10, 0.025, 36)])
@pytest.mark.parametrize("sd", [0.0, 0.4])
def test_few_clusters_pass_only_where_those_not_seen_cannot_cross_the_margin(margin, alpha, least, sd):
    def shown(G):
        x = sd * np.random.default_rng(1).standard_normal(G)
        return judge(x - x.mean(), -margin, margin, alpha=alpha).decision

    assert (shown(least - 1), shown(least)) == ("open", "inside")


def test_few_clusters_fail_from_where_those_not_seen_cannot_bring_them_back(rng):
    """At -30 a share of 25 / 130 of all patients at +100 makes the mean -5: 15 patients exclude it, 14 do not."""
    x = rng.normal(0, 2, 20)
    fifteen, fourteen = (judge(x[:G] - x[:G].mean() - 30) for G in (15, 14))
    assert (105 / 130) ** 15 < 0.05 < (105 / 130) ** 14
    assert (fifteen.decision, fourteen.decision) == ("beyond", "open")
    assert fourteen.p_fail == pytest.approx((105 / 130) ** 14)
    # What is named of many is decided by the spread that was seen.
    expected = stats.ttest_1samp(x[:15] - x[:15].mean() - 30, -5, alternative="less").pvalue
    assert fifteen.p_fail == pytest.approx(expected, rel=1e-9)


def test_single_cluster_and_no_data():
    single = judge([-3.0])
    assert (single.decision, single.rule, single.n_clusters) == ("open", SPARSE, 1)
    assert np.isnan(single.se)
    assert single.high > 80
    empty = judge([np.nan, np.nan])
    assert (empty.decision, empty.rule, empty.low, empty.high) == ("open", EMPTY, -100, 100)
    assert (empty.p_pass, empty.p_fail) == (1, 1)
    assert equivalence(np.empty((5, 0)), -5, 5, alpha=0.05, seed=0) == []
    assert judge([]).rule == EMPTY


def test_bytes_are_a_seed_and_equal_seeds_give_equal_results(rng):
    x = 8 * KINDS["fine"](rng, 50).clip(-12, 12)
    assert judge(x, seed=b"metadata/hospital") == judge(x, seed=b"metadata/hospital")
    assert judge(x, seed=b"metadata/hospital") != judge(x, seed=b"metadata/device")


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (np.zeros(5), {"low": 5, "high": -5}, "low < high"),
        (np.zeros(5), {"low": -np.inf, "high": np.inf}, "one finite"),
        (np.zeros(5), {"low": np.nan}, "low < high"),
        (np.zeros(5), {"alpha": 0.5}, "error per side"),
        (np.full(5, 101.0), {}, "beyond value_range=100"),
        (np.zeros(5), {"low": np.zeros(2)}, "one per condition"),
    ],
)
def test_unusable_input_is_named(x, options, words):
    with pytest.raises(ValueError, match=words):
        judge(x, **options)


def test_one_dimensional_input_is_explained():
    with pytest.raises(ValueError, match=r"means\[:, None\]"):
        equivalence(np.zeros(5), -5, 5, alpha=0.05, seed=0)
