"""Gaps between groups against Welch, Games-Howell and a written-out bootstrap; what keeps a gap from being claimed."""

import dataclasses
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats import bounded
from auditkit.stats.bootstrap import group_seed, multiplicities
from auditkit.stats.equivalence import EMPTY, Interval
from auditkit.stats.multiplicity import holm
from auditkit.stats.pairs import FEW, SPARSE, WELCH, Comparison
from auditkit.stats.subgroups import SubgroupGap, all_pairs, subgroup_gap

KINDS = {
    "fine": lambda rng, n: np.round(rng.normal(-2, 6, n) / 5) * 5,
    "wild": lambda rng, n: np.clip(rng.normal(3, 17.5, n), -100, 100),
    "jump": lambda rng, n: np.where(rng.random(n) < 0.3, -rng.uniform(25, 75, n), 15.0),
    "rare": lambda rng, n: np.where(rng.random(n) < 0.05, -80.0, 0.0),
    "constant": lambda rng, n: np.full(n, 3.3),
}


def gap(samples: dict[str, np.ndarray], margin: float = 5.0, **options) -> SubgroupGap:
    """One image per patient."""
    values = np.concatenate(list(samples.values()))
    groups = np.repeat(list(samples), [len(x) for x in samples.values()])
    drawn = {name: options.pop(name, default) for name, default in (("seed", 3), ("resamples", 499), ("ends", None))}
    return subgroup_gap(
        values, groups, np.arange(values.size), Comparison(margin, **({"alpha": 0.05} | options)), **drawn
    )


SEEN = {"unseen_alpha": 1.0}
"""No room for patients who were not seen, where a test is about the spread."""


def only(result: SubgroupGap) -> Interval:
    (pair,) = result.pairs
    return pair.interval


def normal(seed: int, *sizes: int, sd: float = 6.0, mean: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {chr(97 + at): rng.normal(mean, sd, size) for at, size in enumerate(sizes)}


def looped(x: dict[str, np.ndarray], B: int, seed: int) -> np.ndarray:
    """The two-sample t statistic of every resample, groups a and b, the resamples written out one by one."""
    draws = {name: multiplicities(group_seed(seed, name), B, len(values)) for name, values in x.items()}
    out = []
    for b in range(B):
        resampled = {name: np.repeat(values, draws[name][b].astype(int)) for name, values in x.items()}
        shift = {name: resampled[name].mean() - x[name].mean() for name in x}
        se = math.hypot(*(stats.sem(values) for values in resampled.values()))
        out.append((shift["a"] - shift["b"]) / se)
    return np.sort(out)


@pytest.mark.parametrize(("sizes", "scale"), [((40, 40), 1.0), ((30, 90), 3.0)])
def test_interval_is_the_union_of_welch_and_a_bootstrap_written_out(sizes, scale):
    x = normal(1, *sizes)
    x["b"] = 2 - scale * np.abs(x["b"])
    welch = stats.ttest_ind(x["a"], x["b"], equal_var=False)
    ends = welch.confidence_interval(0.9)
    t = looped(x, 399, seed=3)
    difference = x["a"].mean() - x["b"].mean()
    se = math.hypot(stats.sem(x["a"]), stats.sem(x["b"]))
    result = only(gap(x, resamples=399, **SEEN))
    assert result.rule == WELCH
    assert (result.estimate, result.se) == (pytest.approx(difference), pytest.approx(se))
    assert result.low == pytest.approx(min(ends.low, difference - t[379] * se), abs=1e-9)
    assert result.high == pytest.approx(max(ends.high, difference - t[19] * se), abs=1e-9)
    assert (result.n_clusters, result.n_informative) == (sum(sizes), min(sizes) - 1)


def test_p_values_are_welchs_when_the_bootstrap_agrees():
    x = normal(2, 40, 70)
    inside, shifted = only(gap(x, 20.0, **SEEN)), {"a": x["a"] - 30, "b": x["b"]}
    tests = [stats.ttest_ind(x["a"] + 20, x["b"], equal_var=False, alternative="greater").pvalue]
    tests.append(stats.ttest_ind(x["a"] - 20, x["b"], equal_var=False, alternative="less").pvalue)
    assert inside.p_pass == pytest.approx(max(tests), rel=1e-9)
    assert inside.p_pass < 1e-9  # no floor of 1 / (resamples + 1)
    beyond = stats.ttest_ind(shifted["a"] + 20, x["b"], equal_var=False, alternative="less").pvalue
    assert only(gap(shifted, 20.0, **SEEN)).p_fail == pytest.approx(beyond, rel=1e-9)


def test_where_the_bootstrap_disagrees_its_p_value_counts():
    """A sweep of the margin through the ends of the interval of skewed data, where Welch alone would claim."""
    rng = np.random.default_rng(4)
    x = {"a": KINDS["jump"](rng, 50), "b": KINDS["fine"](rng, 50)}
    t = looped(x, 499, seed=3)
    difference, se = x["a"].mean() - x["b"].mean(), math.hypot(stats.sem(x["a"]), stats.sem(x["b"]))
    overruled = 0
    for margin in np.linspace(0.5, 25, 120):
        r = only(gap(x, margin, **SEEN))
        assert (r.decision == "inside") == (r.p_pass <= 0.05), margin
        assert (r.decision == "beyond") == (r.p_fail <= 0.05), margin
        p_bootstrap = (1 + (t >= (difference + margin) / se).sum()) / 500
        p_welch = stats.ttest_ind(x["a"] + margin, x["b"], equal_var=False, alternative="greater").pvalue
        if p_welch <= 0.05 < p_bootstrap:
            overruled += 1
            assert r.p_pass >= p_bootstrap - 1e-12
    assert overruled > 0


def test_a_pairs_own_interval_lies_within_games_and_howells_simultaneous_one():
    x = normal(6, 40, 60, 80)
    theirs = stats.tukey_hsd(*x.values(), equal_var=False).confidence_interval(0.9)
    for (i, j), pair in zip(combinations(range(3), 2), gap(x, resamples=1999, **SEEN).pairs, strict=True):
        assert theirs.low[i, j] < pair.interval.low < pair.interval.high < theirs.high[i, j]
        assert pair.interval.high - pair.interval.low > 0.7 * (theirs.high[i, j] - theirs.low[i, j])


@given(
    st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(KINDS))),
    st.tuples(st.integers(1, 70), st.integers(1, 70)),
    st.integers(0, 10_000),
    st.floats(0.5, 30),
    st.sampled_from([0.025, 0.05]),
)
@settings(max_examples=60)
def test_decision_interval_and_p_values_never_disagree(kinds, sizes, seed, margin, alpha):
    rng = np.random.default_rng(seed)
    x = {name: KINDS[kind](rng, n) for name, kind, n in zip("ab", kinds, sizes, strict=True)}
    r = only(gap(x, margin, alpha=alpha, seed=seed, resamples=199))
    beyond, inside = r.high < -margin or r.low > margin, -margin < r.low and r.high < margin
    assert (r.decision == "beyond") == beyond == (r.p_fail <= alpha)
    assert (r.decision == "inside") == (inside and min(sizes) >= 24) == (r.p_pass <= alpha)
    assert -200 <= r.low <= r.estimate <= r.high <= 200
    mirrored = only(gap({name: -values for name, values in x.items()}, margin, alpha=alpha, seed=seed, resamples=199))
    assert (-mirrored.high, -mirrored.low) == pytest.approx((r.low, r.high), abs=1e-7)
    assert (mirrored.p_pass, mirrored.p_fail) == pytest.approx((r.p_pass, r.p_fail), abs=1e-7)


def test_a_pair_depends_neither_on_other_groups_nor_on_a_common_shift():
    many, options = normal(7, 30, 40, 30, 50, 30), {"resamples": 199, "seed": b"digest"} | SEEN
    together = {(pair.first, pair.second): pair.interval for pair in gap(many, **options).pairs}
    assert len(together) == 10
    alone = only(gap({"b": many["b"], "d": many["d"]}, **options))
    assert together["b", "d"] == alone
    shifted = only(gap({"b": many["b"] + 40, "d": many["d"] + 40}, **options))
    assert (shifted.low, shifted.high, shifted.p_pass) == pytest.approx((alone.low, alone.high, alone.p_pass))


def test_groups_of_one_size_draw_different_patients_in_every_block():
    x = np.random.default_rng(8).normal(0, 6, 40)
    se = math.sqrt(2) * stats.sem(x)
    twins = only(gap({"a": x, "b": x.copy()}, resamples=4999, **SEEN))
    # Resampled together the two means would never differ, and the bootstrap interval would have no width.
    assert twins.high > 1.5 * se
    seeds = [group_seed(3, name, start) for name in "ab" for start in (0, 1024)]
    assert len({multiplicities(seed, 5, 40).tobytes() for seed in seeds}) == 4


def test_images_are_reduced_to_patients_first():
    rng = np.random.default_rng(9)
    codes = np.repeat(np.arange(60), rng.integers(1, 5, 60))
    values = rng.normal(0, 6, 60)[codes] + rng.normal(0, 3, codes.size)
    repeated = np.flatnonzero(codes[1:] == codes[:-1]) + 1
    values[repeated[::3]] = np.nan
    values[codes == 59] = np.nan
    sex = np.where(codes < 28, "F", "M")
    result = subgroup_gap(values, sex, 3 * codes + 1, Comparison(5, 0.05), seed=1, resamples=199)
    means = np.array([np.nanmean(values[codes == g]) for g in range(59)])
    assert only(result) == only(gap({"F": means[:28], "M": means[28:]}, seed=1, resamples=199))
    assert [(g.name, g.n_clusters) for g in result.groups] == [("F", 28), ("M", 31)]
    assert result.groups[0].mean == pytest.approx(means[:28].mean())


def test_constant_groups_are_bounded_by_their_numbers():
    """All equal: each mean is bounded at alpha by one imagined value at the end of the range."""
    r = only(gap({"a": np.zeros(60), "b": np.zeros(90)}))
    ends = [100 * (1 - 0.05 ** (1 / n)) for n in (60, 90)]
    assert r.high == pytest.approx(math.hypot(*ends), abs=1e-6)
    assert (r.rule, r.decision, r.n_informative) == (SPARSE, "open", 0)
    assert r.high == pytest.approx(-r.low)
    enough = next(n for n in range(24, 400) if math.sqrt(2) * 100 * (1 - 0.05 ** (1 / n)) < 5)
    decisions = [gap({"a": np.zeros(n), "b": np.zeros(n)}).decision for n in (enough - 1, enough)]
    assert decisions == ["open", "inside"]


def test_groups_without_an_event_need_as_many_patients_as_one_group_by_itself():
    """Refusals of 0 in either: the other's limit alone counts, 59 patients for 5 points (0.95^59 = 0.0485)."""
    for n, decision in ((58, "open"), (59, "inside")):
        none = np.full(n, -0.5)
        assert gap({"a": none, "b": none}, 0.05, value_range=0.5).decision == decision


def test_sparse_interval_of_two_proportions_is_newcombes_with_exact_limits():
    a, b = np.repeat([0.5, -0.5], [4, 76]), np.repeat([0.5, -0.5], [1, 119])
    r = only(gap({"a": a, "b": b}, 0.05, value_range=0.5))
    exact = [stats.binomtest(k, n).proportion_ci(0.9, "exact") for k, n in ((4, 80), (1, 120))]
    p, q = 4 / 80, 1 / 120
    assert r.rule == SPARSE
    assert r.low == pytest.approx(p - q - math.hypot(p - exact[0].low, exact[1].high - q))
    assert r.high == pytest.approx(p - q + math.hypot(exact[0].high - p, q - exact[1].low))


def test_sparse_p_value_is_the_smallest_alpha_that_excludes_the_margin_rounded_up():
    a = np.append(np.zeros(87), [-80, -40, -10])
    b = KINDS["jump"](np.random.default_rng(10), 60) - 25
    r = only(gap({"a": a, "b": b}, 6.0))
    assert r.rule == SPARSE

    def low(alpha):
        down = a.mean() - bounded.mean_lower(a, -100, alpha)
        return a.mean() - b.mean() - math.hypot(down, bounded.mean_upper(b, 100, alpha) - b.mean())

    assert r.low == pytest.approx(low(0.05), abs=1e-6)
    assert 1e-6 < r.p_fail < 0.1
    assert low(r.p_fail) > 6
    assert low(r.p_fail / 1.021) <= 6


def test_patients_who_were_not_seen_leave_room_beside_any_spread():
    """Scores that hardly vary, 24 of each: 1 - 0.05^(1/24) of either group could be at the end of the range."""
    x = normal(13, 24, 30, sd=0.5)
    r = only(gap(x))
    hidden = [1 - 0.05 ** (1 / n) for n in (24, 30)]
    means = x["a"].mean(), x["b"].mean()
    up = max(hidden[0] * (100 - means[0]), hidden[1] * (100 + means[1]))
    assert (r.rule, r.high) == (WELCH, pytest.approx(means[0] - means[1] + up))
    later = only(gap(x, up + 1, unseen_alpha=0.001))
    assert later.high > r.high + 1
    # The smallest alpha at which so many unseen patients are excluded.
    wide = only(gap(x, 20.0))
    distance = 20 - (means[0] - means[1])
    p = max((1 - distance / (100 - means[0])) ** 24, (1 - distance / (100 + means[1])) ** 30)
    assert (p <= 0.05) == (wide.decision == "inside")


def test_missing_values_are_put_where_they_speak_against_the_claim():
    x = normal(14, 120, 120, sd=4)
    whole = gap(x, 5.0)
    assert whole.decision == "inside"
    lost = {"a": np.where(np.arange(120) < 12, np.nan, x["a"]), "b": x["b"]}

    def ends_of(samples):
        values = np.concatenate(list(samples.values()))
        return tuple(np.where(np.isnan(values), end, values) for end in (-25.0, 25.0))

    filled = gap(lost, 5.0, ends=ends_of(lost))
    (pair,) = filled.pairs
    assert (pair.interval.decision, pair.decision, filled.decision) == ("inside", "open", "open")
    low, high = (only(gap({"a": end[:120], "b": x["b"]}, 5.0)) for end in ends_of(lost))
    assert pair.filled == (low, high)
    assert (pair.p_pass, filled.p_pass) == (max(low.p_pass, high.p_pass),) * 2
    for by, harmless in ((9.0, "open"), (18.0, "beyond")):
        apart = {"a": lost["a"] + by, "b": x["b"]}
        assert gap(apart, 5.0, value_range=40.0).decision == "beyond"
        assert gap(apart, 5.0, ends=ends_of(apart), value_range=40.0).decision == harmless


def test_narrower_range_of_values_sharpens_the_sparse_case():
    scores = np.full(60, 70.0)
    wide = only(gap({"a": scores, "b": scores}))
    narrow = only(gap({"a": scores - 50, "b": scores - 50}, value_range=50.0))
    assert (wide.decision, narrow.decision) == ("open", "inside")


def test_a_small_group_is_listed_and_keeps_the_whole_from_inside():
    x = normal(11, 100, 100, 20, sd=1)
    result = gap(x)
    assert (result.decision, result.p_pass, result.too_small) == ("open", 1.0, ("c",))
    assert [pair.interval.decision for pair in result.pairs] == ["inside", "open", "open"]
    assert [pair.interval.rule for pair in result.pairs] == [WELCH, FEW, FEW]
    assert gap(x, min_clusters=20, value_range=30.0).decision == "inside"
    apart = gap(x | {"c": x["c"] - 27}, value_range=30.0)
    assert (apart.decision, apart.pairs[1].interval.rule, apart.too_small) == ("beyond", WELCH, ("c",))


def test_a_group_without_any_value_or_with_one_patient_stays_in_the_comparison():
    result = gap(normal(12, 40, 40) | {"c": np.full(30, np.nan), "d": np.array([3.0])}, 30.0)
    assert (result.decision, result.too_small) == ("open", ("c", "d"))
    assert len(result.pairs) == 6
    by_names = {pair.first + pair.second: pair.interval for pair in result.pairs}
    assert by_names["ab"].decision == "inside"
    assert (by_names["ac"].rule, by_names["ac"].p_pass, by_names["ac"].p_fail) == (EMPTY, 1, 1)
    assert math.isnan(by_names["cd"].estimate)
    assert (by_names["bd"].decision, by_names["bd"].rule) == ("open", FEW)
    assert math.isnan(result.groups[2].mean)
    assert not math.isnan(result.largest.interval.estimate)
    for x in (normal(0, 40, 1), normal(0, 1, 40)):
        assert only(gap(x, min_informative=0)).high > 50


INTERVAL = Interval(0.0, -2.0, 2.0, 0.9, 1.0, 80, 70, 0.01, 0.9, "inside", WELCH)
BEYOND = dataclasses.replace(INTERVAL, estimate=9.0, low=6, high=12, p_pass=1.0, p_fail=0.03, decision="beyond")


def test_one_pair_beyond_needs_holm_and_all_pairs_inside_need_nothing():
    names = ("x", "y", "z")
    inside = all_pairs(names, [INTERVAL, dataclasses.replace(INTERVAL, p_pass=0.049), INTERVAL], [()] * 3, 0.05)
    assert (inside.decision, inside.p_pass) == ("inside", 0.049)
    unconfirmed = all_pairs(names, [INTERVAL, BEYOND, INTERVAL], [()] * 3, 0.05)
    assert (unconfirmed.decision, unconfirmed.p_fail_holm) == ("open", pytest.approx(0.09))
    assert unconfirmed.largest.interval is BEYOND
    sure = dataclasses.replace(BEYOND, p_fail=0.016)
    confirmed = all_pairs(names, [INTERVAL, sure, BEYOND], [()] * 3, 0.05)
    assert confirmed.decision == "beyond"
    expected = holm([INTERVAL.p_fail, 0.016, 0.03], 3)
    assert [pair.p_fail_holm for pair in confirmed.pairs] == pytest.approx(expected.tolist())
    assert [(pair.first, pair.second) for pair in confirmed.pairs] == [("x", "y"), ("x", "z"), ("y", "z")]


def test_the_largest_gap_of_equal_groups_is_large_and_decides_nothing():
    """Ten equal groups of 32, sd 12: the expected range of ten normals is 3.08 standard errors, 6.5 points."""
    largest, decisions = [], []
    for seed in range(40):
        result = gap(normal(seed, *[32] * 10, sd=12), resamples=199)
        largest.append(abs(result.largest.interval.estimate))
        decisions.append(result.decision)
    expected = 12 / math.sqrt(32) * 3.0775
    assert np.mean(largest) == pytest.approx(expected, abs=3 * np.std(largest) / math.sqrt(40))
    assert np.mean(np.array(largest) > 5) > 0.5
    assert set(decisions) == {"open"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clusters": [0, 1, 1, 2]}, r"cluster 1 is in groups \['F', 'M'\]"),
        ({"groups": ["F", "F", None, "M"]}, "image 2 has no group"),
        ({"groups": ["F", "F", float("nan"), "M"]}, "image 2 has no group"),
        ({"groups": ["F"] * 4}, r"at least two groups, got \['F'\]"),
        ({"groups": ["F", "M"]}, r"groups must have shape \(4,\)"),
        ({"values": [[1.0]]}, r"values must have shape \(n,\)"),
        ({"values": [0, 0, 0, 120]}, "beyond value_range=100"),
        ({"clusters": [0, 1, 2]}, "clusters must have shape"),
        ({"resamples": 10}, "resamples = 10"),
    ],
)
def test_unusable_input_is_named(change, words):
    good = {"values": [1.0, 2, 3, 4], "groups": ["F", "F", "M", "M"], "clusters": [0, 1, 2, 3]}
    with pytest.raises(ValueError, match=words):
        subgroup_gap(**(good | {"how": Comparison(5.0, 0.05), "seed": 0} | change))


@pytest.mark.parametrize(
    ("margin", "alpha", "words"),
    [(0.0, 0.05, "margin is the largest gap"), (math.inf, 0.05, "margin is the largest"), (5.0, 0.5, "error per side")],
)
def test_unusable_margins_and_errors_are_named(margin, alpha, words):
    with pytest.raises(ValueError, match=words):
        Comparison(margin, alpha)


def test_groups_may_be_numbers():
    values, codes = np.random.default_rng(0).normal(0, 5, 60), np.arange(60)
    sites = codes % 2
    by_number = subgroup_gap(values, sites, codes, Comparison(5, 0.05), seed=0, resamples=99)
    by_name = subgroup_gap(values, sites.astype(str), codes, Comparison(5, 0.05), seed=0, resamples=99)
    assert by_number == by_name
    assert [group.name for group in by_number.groups] == ["0", "1"]
