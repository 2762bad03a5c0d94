"""Rates, their errors, and tables that can be read back."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from validation.rates import ROUNDED, Rate, Table, read_tables, standard_error

words = st.text("abc -,%", min_size=1, max_size=8).map(str.strip).filter(bool)


def test_standard_error_against_draws():
    drawn = np.random.default_rng(1).binomial(500, 0.05, 20_000) / 500
    assert abs(standard_error(0.05, 500) / drawn.std() - 1) < 0.02


def test_only_three_standard_errors_count():
    assert not Rate(("a",), "false PASS", 0.064, 2000, 0.05).exceeds  # 0.05 + 3 x 0.00487 = 0.0646
    assert Rate(("a",), "false PASS", 0.067, 2000, 0.05).exceeds
    chance = np.random.default_rng(2).binomial(400, 0.05, 200_000) / 400
    too_many = sum(count * Rate(("a",), "x", value, 400, 0.05).exceeds for value, count in Counter(chance).items())
    assert 0.0002 < too_many / 200_000 < 0.00135  # never oftener than a normal number exceeds 3
    assert not Rate(("a",), "false PASS", 0.9, 2000).exceeds
    assert not Rate(("a",), "false PASS", math.nan, 2000, 0.05).exceeds


@given(
    st.dictionaries(
        st.tuples(words, words), st.tuples(st.floats(0, 1), st.floats(0, 1), st.integers(1, 5000)), min_size=1
    )
)
def test_tables_are_read_back(rows):
    rates = [
        Rate(row, claim, value, n, 0.05)
        for row, (one, two, n) in rows.items()
        for claim, value in (("false PASS", one), ("false FAIL", two))
    ]
    text = "words\n" + Table("Some title", ("gate", "kind"), rates, "A note | with a bar.").markdown() + "\n| a | b |\n"
    found = read_tables(text)
    assert len(found) == len(rates)
    for rate in rates:
        value, n = found["Some title", rate.row, rate.claim]
        assert abs(value - rate.value) <= ROUNDED + 1e-12
        assert n == rate.n


def test_what_is_not_known_is_left_empty():
    rates = [Rate(("a",), "x", math.nan, 10), Rate(("a",), "y", 0.5, 10), Rate(("b",), "y", 0.25, 10)]
    table = Table("T", ("key",), rates)
    assert "| a | 10 |  | 0.500 |" in table.markdown()
    assert read_tables(table.markdown()) == {("T", ("a",), "y"): (0.5, 10), ("T", ("b",), "y"): (0.25, 10)}
