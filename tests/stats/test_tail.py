"""Jumps beyond noise: exact where values are 0 and 1, at the cap by simulation, and what keeps it from an answer."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from auditkit.stats.equivalence import EMPTY
from auditkit.stats.tail import RULE, excess_of_jumps


def jumps(up: int, n: int, down: int = 0) -> np.ndarray:
    """Excess of n patients with one image: some jump, and some do so by noise alone."""
    return np.concatenate([np.ones(up), -np.ones(down), np.zeros(n - up - down)])


@pytest.mark.parametrize(("k", "n"), [(0, 64), (3, 64), (40, 64), (64, 64)])
def test_upper_end_without_noise_is_clopper_and_pearsons(k, n):
    result = excess_of_jumps(jumps(k, n), 0.10, 0.05)
    assert result.high == pytest.approx(proportion_confint(k, n, 0.10, method="beta")[1], abs=1e-7)
    assert (result.estimate, result.n_clusters, result.n_informative, result.rule) == (k / n, n, k, RULE)


@pytest.mark.parametrize("k", [0, 5, 30, 60])
def test_lower_end_of_jumps_and_their_mirror_is_clopper_and_pearsons(k):
    """Values of -1 and 1 are shares of a range from -1 to 1 on either side: nothing between has to be imagined."""
    n = 60
    result = excess_of_jumps(jumps(k, n, n - k), 0.10, 0.05)
    low, high = (2 * end - 1 for end in proportion_confint(k, n, 0.10, method="beta"))
    assert (result.low, result.high) == pytest.approx((low, high), abs=1e-7)
    share = (1 + 0.10) / 2
    assert result.p_pass == pytest.approx(stats.binom.cdf(k, n, share), abs=1e-7)
    assert result.p_fail == pytest.approx(stats.binom.sf(k - 1, n, share), abs=1e-7)


def test_the_lower_end_leaves_room_for_noise():
    """A patient who was not seen may jump by noise alone: -1, not 0."""
    result = excess_of_jumps(jumps(20, 20), 0.10, 0.05)
    assert result.low == pytest.approx(2 * 0.05 ** (1 / 20) - 1)
    assert result.low < proportion_confint(20, 20, 0.10, method="beta")[0]


@pytest.mark.parametrize(("events", "needed"), [(0, 29), (1, 46), (2, 61)])
def test_smallest_numbers_of_patients_that_can_pass(events, needed):
    assert excess_of_jumps(jumps(events, needed), 0.10, 0.05).decision == "inside"
    assert excess_of_jumps(jumps(events, needed - 1), 0.10, 0.05).decision == "open"


def test_noise_as_frequent_as_jumps_is_no_excess():
    """A third of the patients jump, and as many by noise: that 64 patients cannot tell, many can."""
    few, many = (excess_of_jumps(jumps(n // 3, n, n // 3), 0.10, 0.05) for n in (64, 400))
    assert few.estimate == many.estimate == 0
    assert (few.decision, many.decision) == ("open", "inside")
    sd = math.sqrt(2 * (400 // 3) / 400)
    assert many.high == pytest.approx(stats.norm.ppf(0.95) * sd / 20, abs=0.006)  # in large samples the mean's own


@given(
    st.integers(0, 40), st.integers(0, 20), st.integers(1, 60), st.floats(0.02, 0.9),
    st.sampled_from([0.01, 0.025, 0.05]), st.integers(1, 4),
)  # fmt: skip
@settings(max_examples=80)
def test_decision_interval_and_p_values_agree(up, down, rest, cap, alpha, images):
    x = np.random.default_rng(up).permutation(jumps(up, up + down + rest, down))
    x = x[: x.size // images * images].reshape(-1, images).mean(axis=1)
    result = excess_of_jumps(x, cap, alpha)
    if not x.size:
        assert result.decision == "open"
        return
    assert -1 <= result.low <= result.estimate <= result.high <= 1
    assert result.p_over == result.p_fail
    if min(abs(result.high - cap), abs(result.low - cap)) > 1e-7:
        assert (result.decision == "inside") == (result.high < cap) == (result.p_pass <= alpha)
        assert (result.decision == "beyond") == (result.low > cap) == (result.p_fail <= alpha)


def excesses(kind: str, G: int, cap: float, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """Patients whose mean excess is the cap, (replicates, G)."""
    shape = replicates, G
    if kind == "none by noise":  # one image, no other scatters
        return (rng.random(shape) < cap).astype(float)
    if kind == "as many by noise":  # a model that is anything but steady
        return (rng.random(shape) < 0.3 + cap) * 1.0 - (rng.random(shape) < 0.3)
    if kind == "five sentences, three images":  # shares of a patient's answers, noise seen five times
        images = (rng.random((*shape, 3, 5)) < 0.05 + cap).mean(axis=3) - (rng.random((*shape, 3, 5)) < 0.05).mean(
            axis=3
        )
        return images.mean(axis=2)
    whole = rng.random(shape) < cap / 0.9  # all answers of a few patients jump, nine in ten beyond noise
    return np.where(whole, 0.9, 0.0)


@pytest.mark.parametrize("G", [32, 64])
@pytest.mark.parametrize("kind", ["none by noise", "as many by noise", "five sentences, three images", "few patients"])
def test_at_the_cap_it_errs_as_seldom_as_it_says(kind, G):
    found = [excess_of_jumps(x, 0.10, 0.05).decision for x in excesses(kind, G, 0.10, 400, np.random.default_rng(G))]
    bound = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)
    assert np.mean([decision == "inside" for decision in found]) <= bound
    assert np.mean([decision == "beyond" for decision in found]) <= bound


@pytest.mark.slow
def test_table_of_the_tail():
    print("\nexcess of jumps on the cap of 0.10, 2,000 replicates: false PASS, false FAIL")
    for kind in ("none by noise", "as many by noise", "five sentences, three images", "few patients"):
        for G in (24, 32, 64, 128):
            x = excesses(kind, G, 0.10, 2000, np.random.default_rng(G + 1))
            found = [excess_of_jumps(row, 0.10, 0.05).decision for row in x]
            rates = [np.mean([one == decision for one in found]) for decision in ("inside", "beyond")]
            print(f"{kind:28} G={G:<4} {rates[0]:.3f} {rates[1]:.3f}")
            assert max(rates) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


def test_it_has_power_where_there_is_no_excess_and_where_it_is_large():
    rng = np.random.default_rng(1)
    none, large = (
        [excess_of_jumps(x, 0.10, 0.05).decision for x in excesses("as many by noise", 300, excess, 100, rng)]
        for excess in (0.0, 0.3)
    )
    assert none.count("inside") > 80
    assert large.count("beyond") > 95


def test_patients_without_a_value_are_left_out():
    x = jumps(3, 64)
    assert excess_of_jumps(np.append(x, np.full(9, np.nan)), 0.1, 0.05) == excess_of_jumps(x, 0.1, 0.05)


def test_no_patients_settle_nothing():
    for x in (np.empty(0), np.full(3, np.nan)):
        result = excess_of_jumps(x, 0.1, 0.05)
        assert (result.decision, result.low, result.high, result.rule) == ("open", -1.0, 1.0, EMPTY)
        assert (result.p_pass, result.p_fail) == (1, 1)
    one = excess_of_jumps(np.zeros(1), 0.1, 0.05)
    assert (one.decision, one.high) == ("open", pytest.approx(0.95))
    assert np.isnan(one.se)


@pytest.mark.parametrize(
    ("x", "cap", "alpha", "words"),
    [
        (np.array([[0.0]]), 0.1, 0.05, "one excess per patient"),
        (np.array([1.0]), 10.0, 0.05, "share between 0 and 1"),
        (np.array([1.0]), 0.1, 0.9, "error per side"),
        (np.array([1.5]), 0.1, 0.05, "beyond the stated range 1"),
    ],
)
def test_unusable_input_is_named(x, cap, alpha, words):
    with pytest.raises(ValueError, match=words):
        excess_of_jumps(x, cap, alpha)
