"""Bounds that hold at every time at once."""

import math

import numpy as np
import pytest

from auditkit.stats.anytime import STAKE, bounds


def capital(x, m, alpha):
    """The same capital step by step, as the paper writes it."""
    total, seen = 1.0, []
    for i, value in enumerate(x, 1):
        means = [(0.5 + sum(seen[: j + 1])) / (j + 2) for j in range(len(seen))]
        variance = (0.25 + sum((s - mu) ** 2 for s, mu in zip(seen, means, strict=True))) / (len(seen) + 1)
        stake = min(math.sqrt(2 * math.log(1 / alpha) / (variance * i * math.log(i + 1))), STAKE / m)
        total *= 1 + stake * (value - m)
        seen.append(value)
    return total


def test_at_the_bounds_the_capital_has_just_reached_one_in_alpha():
    x = np.random.default_rng(1).beta(8, 4, 60)
    low, high = bounds(x, 0.0, 1.0, 0.05)
    assert capital(x.tolist(), low, 0.05) == pytest.approx(20, rel=1e-6)
    assert capital((1 - x).tolist(), 1 - high, 0.05) == pytest.approx(20, rel=1e-6)
    assert 0 < low < x.mean() < high < 1


def test_a_bet_uses_nothing_of_its_own_value():
    x = np.random.default_rng(2).uniform(size=30)
    for last in (0.0, 0.5, 1.0):
        changed = np.append(x[:-1], last)
        before = capital(x[:-1].tolist(), 0.4, 0.05)
        gain = capital(changed.tolist(), 0.4, 0.05) / before - 1
        slope = (capital([*x[:-1], 1.0], 0.4, 0.05) - capital([*x[:-1], 0.0], 0.4, 0.05)) / before
        assert gain == pytest.approx(slope * (last - 0.4), abs=1e-9)


def test_the_expected_capital_is_one_where_the_mean_is_what_was_bet_against():
    """All sequences of five coins, each weighed by its probability."""
    p, expected = 0.3, 0.0
    for code in range(32):
        x = [float(code >> bit & 1) for bit in range(5)]
        ones = sum(x)
        expected += p**ones * (1 - p) ** (5 - ones) * capital(x, p, 0.05)
    assert expected == pytest.approx(1.0)


def test_the_range_is_put_back():
    x = np.random.default_rng(3).normal(2.0, 7.0, 200).clip(-100, 100)
    low, high = bounds(x, -100.0, 100.0, 0.05)
    one = bounds((x + 100) / 200, 0.0, 1.0, 0.05)
    assert (low, high) == pytest.approx((200 * one[0] - 100, 200 * one[1] - 100))
    mirrored = bounds(-x, -100.0, 100.0, 0.05)
    assert mirrored == pytest.approx((-high, -low))


def test_nothing_and_the_ends():
    assert bounds(np.array([]), -1.0, 1.0, 0.05) == (-1.0, 1.0)
    low, high = bounds(np.ones(100), 0.0, 1.0, 0.05)
    assert high == 1.0
    assert 0.9 < low < 1.0
    low, high = bounds(np.zeros(100), 0.0, 1.0, 0.05)
    assert low == 0.0
    assert 0.0 < high < 0.1


def test_more_patients_narrow_it_and_a_smaller_error_widens_it():
    x = np.random.default_rng(4).normal(0.5, 0.05, 800).clip(0, 1)
    widths = [np.subtract(*bounds(x[:n], 0.0, 1.0, 0.05)[::-1]) for n in (25, 100, 400, 800)]
    assert widths == sorted(widths, reverse=True)
    assert np.subtract(*bounds(x, 0.0, 1.0, 0.01)[::-1]) > widths[-1]


def test_a_true_mean_is_hardly_ever_left_out_at_any_time():
    """300 sequences of 24 looks; that more than 10 % err, of 5 % allowed, has a probability of 0.0004."""
    rng, wrong = np.random.default_rng(5), 0
    for _ in range(300):
        x = np.where(rng.random(480) < 0.1, 1.0, 0.0)
        wrong += any(bounds(x[:n], 0.0, 1.0, 0.05)[0] > 0.1 for n in range(20, 481, 20))
    assert wrong <= 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([0.5], 1.0, 0.0, 0.05), "low < high"),
        (([0.5], 0.0, 1.0, 0.0), "alpha"),
        (([1.5], 0.0, 1.0, 0.05), "within 0 to 1"),
        (([math.nan], 0.0, 1.0, 0.05), "finite"),
        (([[0.5]], 0.0, 1.0, 0.05), "one row"),
    ],
)
def test_what_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        bounds(np.array(arguments[0]), *arguments[1:])
