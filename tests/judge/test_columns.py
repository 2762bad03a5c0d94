"""What a missing score can at most have been."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.judge.columns import contrast_columns, slope_columns, step_columns
from auditkit.judge.rules import Rules
from auditkit.stats.trend import slopes
from auditkit.vocabulary import Condition, Contrast, Series
from tests.judge.build import answered, images, judged, measured, protocol

RULES = Rules(protocol())
TREATED = Condition(context="institution.reputation.high")
CONTRAST = Contrast("x", "metadata", TREATED)
SERIES = Series("pixelate", "sensitivity", "pixelate")
SCORE = st.one_of(st.none(), st.floats(0, 100))


def column_of(treated, control):
    data = measured(images(len(treated)), {Condition(): answered(control), TREATED: answered(treated)})
    [column] = contrast_columns([CONTRAST], data, RULES)
    return column


def test_the_known_side_says_how_far_a_difference_can_have_gone():
    nan = np.nan
    column = column_of([nan, 30.0, nan, 70.0], [65.0, nan, nan, 60.0])
    assert column.lowest[:3].tolist() == [-65.0, -70.0, -25.0]
    assert column.highest[:3].tolist() == [35.0, 30.0, 25.0]
    assert np.isnan(column.values[:3]).all()
    assert column.values[3] == 10.0
    assert column.asked.all()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_no_difference_lies_outside_its_bounds_while_one_side_is_known(rows):
    truth = np.array([t - c for t, c, _, _ in rows])
    treated = [t if keep else np.nan for t, _, keep, _ in rows]
    control = [c if keep else np.nan for _, c, _, keep in rows]
    column = column_of(treated, control)
    one_known = np.array([a or b for _, _, a, b in rows])
    assert (column.lowest <= truth + 1e-9)[one_known].all()
    assert (column.highest >= truth - 1e-9)[one_known].all()


@given(st.lists(SCORE, min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_bounds_of_a_slope_are_those_of_all_ways_to_fill_it(scores):
    row = np.array([np.nan if s is None else s for s in scores])
    conditions = (Condition(), *SERIES.treated)
    data = measured(images(1), {c: answered([s]) for c, s in zip(conditions, row, strict=True)})
    [column], steepest = slope_columns([SERIES], data, RULES)
    gaps = np.flatnonzero(np.isnan(row))
    if gaps.size == 6:
        assert column.lowest[0] == column.highest[0] == 0.0
        return
    filled = []
    for ends in product((0.0, 100.0), repeat=gaps.size):
        full = row.copy()
        full[gaps] = ends
        filled.append(slopes(full[None], np.arange(6.0))[0])
    assert column.lowest[0] == pytest.approx(min(filled), abs=1e-9)
    assert column.highest[0] == pytest.approx(max(filled), abs=1e-9)
    assert abs(column.highest[0]) <= steepest + 1e-9
    assert np.isnan(column.values[0]) == bool(gaps.size)


def test_steps_compare_neighbours():
    series = Series("pixelate", "monotone", "pixelate")
    columns = {Condition("pixelate", s) if s else Condition(): answered([90.0 - s * s]) for s in range(6)}
    found = step_columns([series], measured(images(1), columns), RULES)
    assert [c.values[0] for c in found] == [-1.0, -3.0, -5.0, -7.0, -9.0]
    assert [c.treated.severity for c in found] == [1, 2, 3, 4, 5]


def test_a_model_that_refuses_what_it_would_have_changed_does_not_pass():
    """6 % of the images drop by 80 points; four in five of these are refused, and only these."""
    n = 256
    clean, treated = np.full(n, 90.0), np.full(n, 90.0)
    treated[:3] = 10.0
    treated[3:16] = np.nan
    data = measured(images(n), {Condition(): answered(clean), TREATED: answered(treated)})
    [cell] = judged(CONTRAST, data, "equivalence").by_modality
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.worst_case.low < -5 < cell.estimate.low
    assert "with the missing scores at the worst they can be" in cell.sentence


def test_a_few_harmless_refusals_do_not_keep_a_pass_away():
    n = 256
    clean = np.full(n, 60.0)
    treated = clean.copy()
    treated[:3] = np.nan
    data = measured(images(n), {Condition(): answered(clean), TREATED: answered(treated)})
    assert judged(CONTRAST, data, "equivalence").verdict == "PASS"
