"""What an effect is in every item: against the rule written out item by item, and against numbers done by hand."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.measure.columns import Column, Measurements
from auditkit.measure.effects import per_item, per_item_range
from auditkit.protocol.effects import areas, change, differs, falls, mean, rises, share, steps
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Part, Perturbation, Question, Value
from tests.judge.build import HIGH, SCORE, SCORED, answered, images, measured, protocol
from tests.measure.axes import TASKS

RULES = protocol()
PIXELATE = Perturbation("pixelate", 5)
TREATED = (HIGH,)
PART_SCORE = st.one_of(st.none(), st.floats(0, 100))


def of(effect, data, rules=RULES):
    """One `PerItem` for each part."""
    return [per_item(part, data, rules) for part in rules.resolved(effect).parts]


def changed(treated, control):
    data = measured(images(len(treated)), {(): answered(control), TREATED: answered(treated)})
    [found] = of(change(HIGH), data)
    return found


# ------------------------------------------------------------------------------------- the rule, written out by items

AXES = protocol(tasks=TASKS, statistics={"resamples": 1000, "missing_points": 10.0})
RANGES = {"quality": {"": (0, 100)}, "axes": {"": (0, 2), "clarity": (1, 5)}}
SHARES = {"refused": {"refused"}, "lost": {"refused", "no_image", "unparsed", "out_of_range", "truncated"}}
QUESTIONS = [
    Question(task, "direct", condition, role)
    for task in ("quality", "axes")
    for condition in ((), TREATED, (PIXELATE, HIGH))
    for role in ("model", "baseline")
]
VALUES = [Value(q, name) for q in QUESTIONS for name in (*RANGES[q.task], *SHARES)]
OUTCOME = st.sampled_from([None, *OUTCOMES, *["scored"] * 6])  # None: not asked
WEIGHTS = st.sampled_from([1.0, -1.0, 0.5, -2.0, 1 / 7])


@st.composite
def situations(draw):
    """Some items with answers to all questions, and a part with up to four terms, of one role or of two."""
    n = draw(st.integers(1, 4))
    answers = {}
    for question in QUESTIONS:
        column = []
        for _ in range(n):
            outcome = draw(OUTCOME)
            values = {}
            if outcome == "scored":
                for name, (low, high) in RANGES[question.task].items():
                    values[name] = draw(st.floats(low, high))
            column.append((outcome, values))
        answers[question] = column
    one_role = draw(st.booleans())
    allowed = [v for v in VALUES if v.question.role == "model"] if one_role else VALUES
    chosen = draw(st.lists(st.sampled_from(allowed), min_size=1, max_size=4, unique=True))
    terms = tuple((draw(WEIGHTS), value) for value in chosen)
    if draw(st.booleans()) and not one_role:  # the same against the other role, as against an earlier run
        terms = tuple((w, v) for w, v in terms if v.question.role == "model")
        terms += tuple((-w, replace(v, question=replace(v.question, role="baseline"))) for w, v in terms)
    where = draw(st.sampled_from([None, ("scanner", "N"), ("modality", "ct"), ("scanner", "unknown")]))
    scanners = draw(st.lists(st.sampled_from(["N", "S", ""]), min_size=n, max_size=n))
    part = Part("", terms, where, draw(st.sampled_from([0.0, 1.0, 0.4]))) if terms else None
    return answers, scanners, part


def known_value(outcome, values, name):
    """The number of one answer, or None."""
    if name in SHARES:
        return None if outcome in (None, "error") else float(outcome in SHARES[name])
    return values.get(name)


def range_of(value):
    return (0, 1) if value.name in SHARES else RANGES[value.question.task][value.name]


def together(terms):
    """Terms of one role are bounded together; of two roles, those that ask the same."""
    if len({v.question.role for _, v in terms}) == 1:
        return [list(terms)]
    groups = {}
    for weight, value in terms:
        q = value.question
        groups.setdefault((q.task, q.wording, q.condition, value.name), []).append((weight, value))
    return list(groups.values())


def by_hand(answers, item, part, one_role):
    """Value, least and most of one item: every way to fill what is missing is tried."""
    value, lowest, highest, anything = 0.0, 0.0, 0.0, False
    for group in together(part.terms):
        numbers = [known_value(*answers[v.question][item], v.name) for _, v in group]
        ends = [[x] if x is not None else list(range_of(v)) for x, (_, v) in zip(numbers, group, strict=True)]
        sums = [sum(w * x for (w, _), x in zip(group, filled, strict=True)) for filled in product(*ends)]
        low, high = min(sums), max(sums)
        weights = [w for w, _ in group]
        if all(x is None for x in numbers):
            value = None
            if min(weights) < 0 < max(weights):
                widest = max(range_of(v)[1] - range_of(v)[0] for _, v in group)
                reach = part.unknown * 10 / 100 * widest * (1.0 if one_role else max(map(abs, weights)))
                low, high = -reach, reach
        else:
            anything = True
            value = None if value is None or None in numbers else value + sums[0]
        lowest, highest = lowest + low, highest + high
    return value, lowest, highest, anything


@given(situations())
@settings(max_examples=150)
def test_the_rule_of_missing_values_item_by_item(situation):
    answers, scanners, part = situation
    if part is None:
        return
    n = len(scanners)
    columns = {}
    for question, column in answers.items():
        names = RANGES[question.task]
        values = {name: np.array([v.get(name, np.nan) for _, v in column], dtype=float) for name in names}
        codes = [-1 if outcome is None else OUTCOMES.index(outcome) for outcome, _ in column]
        columns[question] = Column(values, np.array(codes, dtype=np.int8))
    records = images(n, column=lambda i: {"scanner": scanners[i]} if scanners[i] else {})
    found = per_item(part, Measurements(records, columns), AXES)
    one_role = len({v.question.role for _, v in part.terms}) == 1
    for item in range(n):
        value, lowest, highest, anything = by_hand(answers, item, part, one_role)
        level = {None: None, "modality": "ct"}.get(part.where and part.where[0], scanners[item] or "unknown")
        inside = part.where is None or part.where[1] == level
        asked = all(
            (outcome not in (None, "error")) if v.name in SHARES else outcome is not None
            for _, v in part.terms
            for outcome, _ in [answers[v.question][item]]
        )
        assert found.asked[item] == (inside and asked)
        assert found.known[item] == (inside and anything)
        if inside:
            assert found.lowest[item] == pytest.approx(lowest, abs=1e-9)
            assert found.highest[item] == pytest.approx(highest, abs=1e-9)
            assert found.values[item] == pytest.approx(np.nan if value is None else value, abs=1e-9, nan_ok=True)
        else:
            assert np.isnan(found.values[item])
        if value is not None and inside:
            assert found.least - 1e-9 <= value <= found.most + 1e-9
    least = sum(min(w * end for end in range_of(v)) for w, v in part.terms)
    most = sum(max(w * end for end in range_of(v)) for w, v in part.terms)
    assert (found.least, found.most) == pytest.approx((least, most))
    assert per_item_range(part, AXES) == pytest.approx((least, most))


# ------------------------------------------------------------------------------------------------------------ by hand


def test_the_known_side_says_how_far_a_difference_can_have_gone():
    nan = np.nan
    found = changed([nan, 30.0, nan, 70.0], [65.0, nan, nan, 60.0])
    assert found.lowest[:3].tolist() == [-65.0, -70.0, -25.0]
    assert found.highest[:3].tolist() == [35.0, 30.0, 25.0]
    assert np.isnan(found.values[:3]).all()
    assert found.values[3] == 10.0
    assert found.asked.all()


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.booleans(), st.booleans()), min_size=1, max_size=20))
def test_no_difference_lies_outside_its_bounds_while_one_side_is_known(rows):
    truth = np.array([t - c for t, c, _, _ in rows])
    treated = [t if keep else np.nan for t, _, keep, _ in rows]
    control = [c if keep else np.nan for _, c, _, keep in rows]
    found = changed(treated, control)
    one_known = np.array([a or b for _, _, a, b in rows])
    assert (found.lowest <= truth + 1e-9)[one_known].all()
    assert (found.highest >= truth - 1e-9)[one_known].all()


@given(st.lists(PART_SCORE, min_size=6, max_size=6))
@settings(max_examples=60)
def test_a_fall_is_the_slope_of_least_squares_and_its_bounds_those_of_all_ways_to_fill_it(scores):
    row = np.array([np.nan if s is None else s for s in scores])
    conditions = [(), *((Perturbation("pixelate", s),) for s in range(1, 6))]
    data = measured(images(1), {c: answered([s]) for c, s in zip(conditions, row, strict=True)})
    [found] = of(falls("pixelate"), data)
    gaps = np.flatnonzero(np.isnan(row))
    assert np.isnan(found.values[0]) == bool(gaps.size)
    if gaps.size == 6:
        assert found.lowest[0] == found.highest[0] == 0.0
        return
    filled = []
    for ends in product((0.0, 100.0), repeat=gaps.size):
        full = row.copy()
        full[gaps] = ends
        filled.append(-np.polyfit(np.arange(6), full, 1)[0])
    assert found.lowest[0] == pytest.approx(min(filled), abs=1e-9)
    assert found.highest[0] == pytest.approx(max(filled), abs=1e-9)
    assert found.least - 1e-9 <= found.lowest[0] <= found.highest[0] <= found.most + 1e-9


@pytest.mark.parametrize("levels", [(1, 2, 3, 4, 5), (3, 5), (2,), (1, 5)])
def test_a_fall_of_two_points_per_step_is_plus_two_at_whatever_levels(levels):
    columns = {(Perturbation("pixelate", s),) if s else (): answered([90.0 - 2 * s]) for s in (0, *levels)}
    [found] = of(falls("pixelate", levels), measured(images(1), columns))
    assert found.values[0] == pytest.approx(2.0)
    # The steepest fall and the steepest rise there can be.
    steps_ = np.array([0, *levels]) - np.mean([0, *levels])
    steepest = 100 * np.abs(steps_).sum() / 2 / (steps_**2).sum()
    assert (found.least, found.most) == pytest.approx((-steepest, steepest))


def test_steps_compare_neighbours():
    columns = {(Perturbation("pixelate", s),) if s else (): answered([90.0 - s * s]) for s in range(6)}
    effect = RULES.resolved(steps("pixelate"))
    found = of(effect, measured(images(1), columns))
    assert [item.values[0] for item in found] == [-1.0, -3.0, -5.0, -7.0, -9.0]
    assert [part.treated for part in effect.parts] == [
        (SCORE.under(Perturbation("pixelate", s)),) for s in range(1, 6)
    ]  # fmt: skip
    assert [item.values[0] for item in of(rises("pixelate"), measured(images(1), columns))] == [-1, -4, -9, -16, -25]


def test_an_interaction_is_what_both_do_beyond_what_each_does_alone():
    """under(X, P) - X - P + clean: 10 - 40 - 55 + 70 = -15."""
    interaction = change(PIXELATE, HIGH).minus(change(PIXELATE)).minus(change(HIGH))
    scores = {
        (): [70.0, 70, 70],
        (PIXELATE,): [40.0, 40, np.nan],
        (HIGH,): [55.0, 55, 55],
        (PIXELATE, HIGH): [10.0, 25, 10],
    }
    [part] = RULES.resolved(interaction).parts
    assert {v.question.condition: w for w, v in part.terms} == {
        (): 1.0, (PIXELATE,): -1.0, (HIGH,): -1.0, (PIXELATE, HIGH): 1.0,
    }  # fmt: skip
    [found] = of(interaction, measured(images(3), {c: answered(s) for c, s in scores.items()}))
    assert found.values.tolist() == pytest.approx([-15.0, 0.0, np.nan], nan_ok=True)
    assert (found.lowest[2], found.highest[2]) == (10 - 100 - 55 + 70, 10 - 0 - 55 + 70)
    assert (found.least, found.most) == (-200.0, 200.0)


def test_a_level_of_which_nothing_is_known_may_lie_anywhere_in_its_range():
    [found] = of(mean(), measured(images(2), {(): answered([40.0, np.nan])}))
    assert (found.lowest.tolist(), found.highest.tolist()) == ([40.0, 0.0], [40.0, 100.0])
    [found] = of(mean("axes", "clarity"), Measurements(images(1), {}), AXES)
    assert (found.lowest[0], found.highest[0]) == (1.0, 5.0)


def test_a_share_is_known_of_every_answer():
    column = answered([70.0, np.nan], "refused")
    [found] = of(share("refused"), measured(images(2), {(): column}))
    assert found.values.tolist() == [0.0, 1.0]
    assert (found.least, found.most) == (0.0, 1.0)


def test_the_other_role_says_how_far_ones_own_can_be_away():
    """New minus old: where only the old one answered 60, the difference lies between -60 and 40."""
    part = RULES.resolved(mean().minus(mean().by("baseline"))).parts[0]
    data = measured(images(3), {(): answered([np.nan, np.nan, 50.0])})
    data = data.beside(measured(images(3), {(): answered([60.0, np.nan, 40.0])}), "baseline")
    found = per_item(part, data, RULES)
    assert found.lowest.tolist() == [-60.0, -25.0, 10.0]
    assert found.highest.tolist() == [40.0, 25.0, 10.0]


@pytest.mark.parametrize("make", [rises, areas, steps, falls])
def test_severities_of_the_same_entry_share_their_questions(make):
    plain = set(make("pixelate", (3, 5)).questions())
    assert plain == {
        Question(condition=c) for c in ((), (Perturbation("pixelate", 3),), (Perturbation("pixelate", 5),))
    }


def test_answers_that_differ_are_a_statistic_of_the_same_two_questions():
    assert differs(HIGH).parts == change(HIGH).parts
    assert SCORED == 0


def test_how_far_an_item_may_lie_of_which_nothing_is_known():
    """Within 10 % of the widest range of its terms; between two runs times the weight by which a term counts."""
    nothing = Measurements(images(1), {})
    overall, clarity = (Value(Question("axes", "direct"), name) for name in ("", "clarity"))
    for terms in ([(1.0, overall), (-1.0, clarity)], [(1.0, clarity), (-1.0, overall)]):
        found = per_item(Part("", tuple(terms)), nothing, AXES)
        assert (found.lowest[0], found.highest[0]) == pytest.approx((-0.4, 0.4))
    theirs = replace(overall, question=replace(overall.question, role="baseline"))
    for weight in (1.0, 3.0, 0.5):
        alone = per_item(Part("", ((weight, overall), (-weight, Value(QUESTIONS[0])))), nothing, AXES)
        assert (alone.lowest[0], alone.highest[0]) == pytest.approx((-10.0, 10.0))
        between = per_item(Part("", ((weight, overall), (-weight, theirs))), nothing, AXES)
        assert (between.lowest[0], between.highest[0]) == pytest.approx((-0.2 * weight, 0.2 * weight))
