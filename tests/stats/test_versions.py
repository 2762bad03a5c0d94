"""Means of two versions: against scipy's t test, at the margins of every harm, and where little is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.stats.equivalence import EMPTY, SPARSE, UNION
from auditkit.stats.versions import ROUTES, worsening

OPTIONS = {"alpha": 0.05, "seed": 3, "resamples": 999}
HARMS = list(ROUTES)


def moves(new, old, harm):
    new, old = (np.asarray(side, dtype=float).reshape(len(side), -1) for side in (new, old))
    return {w: new - w * old for w in ROUTES[harm]}


def compare(new, old, harm, margin=5.0, **options):
    return worsening(moves(new, old, harm), harm, margin, **(OPTIONS | options))[0]


def effect(mean: float, n: int = 260, sd: float = 6.0, seed: int = 0) -> np.ndarray:
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
        ("away from zero", 12, -27, 15, "beyond"),
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
    new, old = effect(-11, 200, 4, 1), effect(-15, 200, 4, 2)
    result = compare(new, old, "upwards", margin=8.0)
    assert result.rule == UNION
    expected = stats.ttest_1samp(new - old, 8.0, alternative="less").pvalue
    assert result.p_pass == pytest.approx(expected, rel=1e-9)
    assert result.sd == pytest.approx(np.std(new - old, ddof=1))


@given(
    st.sampled_from(HARMS), st.integers(24, 60), st.floats(-20, 20), st.floats(-20, 20), st.floats(0.5, 20),
    st.integers(0, 9),
)  # fmt: skip
@settings(max_examples=60)
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
@settings(max_examples=25)
def test_away_from_zero_has_no_sides(seed, now, before):
    """Turning both versions' effects round changes nothing, and so does turning one of them."""
    new, old = effect(now, 40, 8, seed), effect(before, 40, 8, seed + 1)
    one, other = compare(new, old, "away from zero"), compare(-new, -old, "away from zero")
    assert other.estimate == pytest.approx(one.estimate)
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.6)  # the bootstrap's tails


@pytest.mark.parametrize(
    ("harm", "before", "now", "part"),
    [("above zero", 12, 12, 0.2), ("away from zero", 30, 30, 0.15), ("away from zero", 12, -12, 0.05)],
)
def test_an_old_effect_that_stays_takes_patients_for_its_part_of_alpha(harm, before, now, part):
    """Only new - w old, from -200 to 200, is small here, and it is held to that part."""
    least = math.ceil(math.log(part * 0.05) / math.log(1 - 5 / 200))
    assert [
        compare(effect(now, n, 0.05, 1), effect(before, n, 0.05, 2), harm).decision for n in (least - 1, least)
    ] == [
        "open",
        "inside",
    ]


@pytest.mark.parametrize("harm", HARMS)
def test_p_values_of_the_harmful_sides(harm):
    """Worse by more than the margin takes the largest and the smallest w; of two sides the likelier is the p-value."""
    new, old = effect(12, 400, 24, 1), effect(3, 400, 18, 2)
    result = compare(new, old, harm)
    sides = (1, -1) if harm == "away from zero" else (1,)
    extremes = (max(ROUTES[harm]), min(ROUTES[harm]))
    expected = [
        max(stats.ttest_1samp(sign * (new - w * old), 5.0, alternative="greater").pvalue for w in extremes)
        for sign in sides
    ]
    assert len(result.p_sides) == len(sides)
    assert result.p_sides[0] == pytest.approx(expected[0], rel=1e-9)
    assert result.p_sides[0] < 0.05
    assert all(p >= q for p, q in zip(result.p_sides[1:], expected[1:], strict=True))
    assert result.p_fail == min(result.p_sides)


def test_what_a_side_can_be_is_said_of_every_route():
    result = compare(
        effect(0, sd=2, seed=1), effect(0, sd=2, seed=2), "away from zero", ends=(-10.0, 100.0), margin=60.0
    )
    assert [[(route.old, route.ends) for route in side] for side in result.sides] == [
        [(1, (-110.0, 110.0)), (0, (-10.0, 100.0)), (-1, (-20.0, 200.0))],
        [(1, (-110.0, 110.0)), (0, (-100.0, 10.0)), (-1, (-200.0, 20.0))],
    ]


def shares(up: int, down: int, both: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Events of the new and of the old version: in the new alone, in the old alone, in both."""
    at = np.arange(n)
    return (at < up) | (at >= n - both), ((at >= up) & (at < up + down)) | (at >= n - both)


@pytest.mark.parametrize(("up", "down", "both", "n"), [(0, 0, 0, 40), (3, 0, 5, 64), (0, 9, 2, 50), (40, 0, 0, 40)])
def test_a_share_is_bounded_by_its_range(up, down, both, n):
    """Between -1 and 1, and with one side alone exactly as often as Clopper and Pearson say."""
    new, old = shares(up, down, both, n)
    result = compare(new, old, "upwards", margin=0.1, ends=(0.0, 1.0), min_informative=n + 1)
    assert result.rule == SPARSE
    assert result.estimate == pytest.approx((up - down) / n)
    assert -1 <= result.low <= result.estimate <= result.high <= 1
    if not down:
        assert result.high == pytest.approx(stats.beta.ppf(0.95, up + 1, n - up) if up < n else 1.0, abs=1e-7)
    if not up:
        lower = stats.beta.ppf(0.95, down + 1, n - down) if down < n else 1.0
        assert result.low == pytest.approx(-lower, abs=1e-7)


@pytest.mark.parametrize(("margin", "least"), [(0.10, 29), (0.05, 59), (0.20, 14)])
def test_a_share_that_stayed_passes_from_these_patients_on(margin, least):
    """Of a difference of two shares the unseen may be 1: (1 - margin)^n is their chance to be missed."""
    for n in (least - 1, least):
        result = compare(np.zeros(n), np.zeros(n), "upwards", margin=margin, ends=(0.0, 1.0))
        assert (result.decision == "inside") == (result.p_pass <= 0.05) == (n == least)


@given(
    st.integers(0, 30), st.integers(0, 30), st.integers(0, 30), st.integers(1, 60), st.integers(1, 3), st.integers(0, 9)
)
@settings(max_examples=60)
def test_decision_interval_and_p_values_of_shares_agree(up, down, both, rest, images, seed):
    sides = shares(up, down, both, up + down + both + rest)
    order = np.random.default_rng(seed).permutation(len(sides[0]))
    whole = len(order) // images * images
    if not whole:
        return
    new, old = (side[order][:whole].reshape(-1, images).mean(axis=1) for side in sides)
    result = compare(new, old, "upwards", margin=0.1, ends=(0.0, 1.0))
    assert -1 <= result.low <= result.estimate + 1e-12
    assert result.estimate - 1e-12 <= result.high <= 1
    if min(abs(result.low - 0.1), abs(result.high - 0.1)) > 1e-9:
        assert (result.decision == "inside") == (result.high < 0.1) == (result.p_pass <= 0.05)
        assert (result.decision == "beyond") == (result.low > 0.1) == (result.p_fail <= 0.05)
    turned = compare(1 - old, 1 - new, "upwards", margin=0.1, ends=(0.0, 1.0))  # what is not an event
    assert (turned.estimate, turned.decision) == (pytest.approx(result.estimate), result.decision)


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


@pytest.mark.parametrize(
    ("harm", "part", "reach"), [("upwards", 1.0, 200), ("above zero", 0.8, 100), ("away from zero", 0.8, 100)]
)
def test_fewest_patients_who_pass_where_hardly_anything_varies(harm, part, reach):
    """Two effects of about 0: new - old spans twice the range, the new effect alone has 0.8 of alpha."""
    least = math.ceil(math.log(part * 0.05) / math.log(1 - 5 / reach))
    assert least == {"upwards": 119, "above zero": 63, "away from zero": 63}[harm]
    for G in (least - 1, least):
        result = compare(effect(0, G, 0.05, 1), effect(0, G, 0.05, 5), harm)
        assert result.rule == UNION
        assert (result.decision == "inside") == (result.p_pass <= 0.05) == (least == G)


def test_few_patients_may_fail():
    assert compare(effect(40, 23, 1), effect(0, 23, 1, 5), "away from zero").decision == "beyond"


def test_new_scores_without_old_ones_pass_nothing():
    """The new effect is known well; but with five patients in common it has not been compared."""
    old = np.where(np.arange(64) < 5, 0.0, np.nan)
    result = compare(effect(0, 64, 1), old, "away from zero")
    assert (result.n_clusters, result.decision) == (5, "open")
    five = compare(effect(0, 64, 1)[:5], old[:5], "away from zero")
    assert (result.low, result.high, result.p_pass) == pytest.approx((five.low, five.high, five.p_pass))


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
