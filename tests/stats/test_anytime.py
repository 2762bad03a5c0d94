"""Bounds that hold at every time at once."""

import math

import numpy as np
import pytest

from auditkit.stats.anytime import STAKE, bounds, first_beyond, log_capital


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


def test_the_capital_against_a_limit_is_the_bound_read_the_other_way():
    x = np.random.default_rng(6).beta(6, 4, 200)
    for limit in (0.3, 0.5, 0.55, 0.6, 0.9):
        log = log_capital(x, 0.0, 1.0, limit, 0.05)
        assert log[-1] == pytest.approx(math.log(capital(x.tolist(), limit, 0.05)))
        for n in (10, 50, 200):
            assert (log[n - 1] > math.log(20)) == (bounds(x[:n], 0.0, 1.0, 0.05)[0] > limit)


def test_a_change_is_told_by_the_values_since_it_and_not_by_all():
    rng = np.random.default_rng(7)
    x = np.concatenate([rng.normal(0.3, 0.1, 2000), rng.normal(0.7, 0.1, 200)]).clip(0, 1)
    looks = list(range(100, 2201, 100))
    assert bounds(x, 0.0, 1.0, 0.05)[0] < 0.5, "all of them together do not show it"
    look, since = first_beyond(x, looks, 0.0, 1.0, 0.5, 0.05)
    assert (look, since) in ((20, 20), (21, 20))
    assert first_beyond(x[:2000], looks[:20], 0.0, 1.0, 0.5, 0.05) is None


def test_the_errors_of_all_beginnings_add_up_to_alpha():
    assert sum(0.05 / (j * (j + 1)) for j in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
    x = np.ones(40)
    for begin in range(3):
        own = 0.05 / ((begin + 1) * (begin + 2))
        log = log_capital(x, 0.0, 1.0, 0.5, own)
        needed = next(n for n in range(1, 41) if log[n - 1] > -math.log(own))
        # Zeros before it: only the bet that begins behind them can win so early.
        values = np.concatenate([np.zeros(30 * begin), x])
        looks = [30 * (k + 1) for k in range(begin)] + [30 * begin + needed - 1, 30 * begin + needed]
        assert first_beyond(values, looks, 0.0, 1.0, 0.5, 0.05) == (begin + 1, begin)


def test_a_look_without_new_values_changes_nothing():
    x = np.random.default_rng(8).normal(0.7, 0.05, 60).clip(0, 1)
    one = first_beyond(x, [20, 40, 60], 0.0, 1.0, 0.5, 0.05)
    assert one is not None
    again = first_beyond(x, [20, 20, 40, 60], 0.0, 1.0, 0.5, 0.05)
    assert again[1] == one[1]
    assert first_beyond(np.array([]), [0, 0], 0.0, 1.0, 0.5, 0.05) is None


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
