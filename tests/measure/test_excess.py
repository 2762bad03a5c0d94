"""Jumps beyond noise, item by item: by hand, and nothing on average where nothing has an effect."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.measure.effects import per_item
from auditkit.measure.excess import alike_needed, excess_of
from auditkit.protocol.effects import change, departure, falls
from auditkit.vocabulary import Perturbation
from tests.judge.build import HIGH, LOW, answered, images, measured, protocol

RULES = protocol()
PLACEBOS = [
    Perturbation(f"{category}.neutral")
    for category in ("demographics_operator", "demographics_patient", "expertise", "infrastructure", "institution")
]
NAN = np.nan


def excess(effect, rows, beyond, conditions):
    """Jumps beyond noise in every item; rows hold one item each, with its scores under the conditions in order."""
    columns = {(p,): answered(scores) for p, scores in zip(conditions, np.array(rows, dtype=float).T, strict=True)}
    data = measured(images(len(rows)), columns)
    [part] = RULES.resolved(effect).parts
    return excess_of(part, per_item(part, data, RULES), beyond, data)


def departed(rows, beyond):
    """The first score against the mean of the others, which are alike."""
    alike = PLACEBOS[: len(rows[0]) - 1]
    return excess(departure(HIGH, alike=alike), rows, beyond, [HIGH, *alike])


def paired(rows, beyond):
    """The first score against the second; the others are alike."""
    alike = PLACEBOS[: len(rows[0]) - 2]
    return excess(change(HIGH, against=[LOW], alike=alike), rows, beyond, [HIGH, LOW, *alike])


X = Perturbation("pixelate", 5)
INTERACTION = change(X, HIGH, alike=PLACEBOS[:4]).minus(change(X)).minus(change(HIGH))


def interacting(rows, beyond):
    """The first score less the second and the third, and the fourth; the others are alike."""
    terms = [(X, HIGH), (X,), (HIGH,), ()]
    conditions = [*terms, *((p,) for p in PLACEBOS[: len(rows[0]) - 4])]
    columns = {c: answered(scores) for c, scores in zip(conditions, np.array(rows, dtype=float).T, strict=True)}
    data = measured(images(len(rows)), columns)
    [part] = RULES.resolved(INTERACTION).parts
    return excess_of(part, per_item(part, data, RULES), beyond, data)


# ------------------------------------------------------------------------------------------------------------ by hand


def test_against_the_mean_of_those_alike_by_hand():
    """Each is left out in turn: the others' means are 65, 60, 55, and in the second item 60, 30, 30."""
    found = departed([[80, 50, 60, 70], [60, 0, 60, 60]], 18.0)
    # 80 lies 15, 20 and 25 away; the three themselves 15, 0 and 15.
    assert found.certain[0] == pytest.approx(2 / 3 - 0)
    # 60 lies 0, 30 and 30 away; the three themselves 60, 30 and 30.
    assert found.certain[1] == pytest.approx(2 / 3 - 1)
    assert found.worst == pytest.approx(found.certain)


def test_a_pair_by_hand():
    """80 against 50 jumps by more than 18; of the three pairs of 50, 60, 70 one does."""
    found = paired([[80, 50, 50, 60, 70], [60, 50, 50, 60, 70]], 18.0)
    assert found.certain == pytest.approx([1 - 1 / 3, 0 - 1 / 3])
    assert found.worst == pytest.approx(found.certain)


def test_an_interaction_is_held_against_four_answers_alike_by_hand():
    """80 - 50 - 50 + 50 = 30 jumps; of 50, 50, 50, 70 in four places +20 stands as often as -20: none does."""
    found = interacting([[80, 50, 50, 50, 50, 50, 50, 70], [50, 50, 50, 50, 40, 60, 60, 40]], 25.0)
    # 40, 60, 60, 40 gives 40 - 60 - 60 + 40 = -40 in 4 of 24 orders, +40 in 4, and 0 in 16.
    assert found.certain == pytest.approx([1.0, -8 / 24])
    assert found.worst == pytest.approx(found.certain)


def test_how_many_answers_alike_it_takes():
    for effect, needed in (
        (change(HIGH), 3),
        (departure(HIGH, alike=PLACEBOS), 3),
        (INTERACTION, 4),
        (falls("jpeg"), 6),
    ):
        assert [alike_needed(part) for part in effect.parts] == [needed]


def test_a_jump_is_larger_than_what_it_must_exceed():
    assert departed([[75, 50, 50, 50]], 25.0).certain == [0.0]
    assert departed([[75.5, 50, 50, 50]], 25.0).certain == [1.0]
    assert departed([[24.5, 50, 50, 50]], 25.0).certain == [1.0]


def test_without_answers_alike_every_jump_counts():
    rows = [[90, 50], [60, 50], [NAN, 50]]
    found = excess(change(HIGH, against=[LOW]), rows, 25.0, [HIGH, LOW])
    assert found.certain.tolist() == [1.0, 0.0, 0.0]
    assert found.worst.tolist() == [1.0, 0.0, 1.0]


# ------------------------------------------------------------------------------------------------------ what is missing


def test_what_is_missing_is_harmless_on_one_side_and_a_jump_on_the_other():
    rows = [
        [NAN, 50, 50, 90],  # nothing to jump: 90 alone lies 40 from the mean of the others, 50 lies 20 away
        [90, NAN, 50, 50],  # of two alike none has others to be held against
        [90, NAN, NAN, NAN],
    ]
    found = departed(rows, 25.0)
    assert found.certain == pytest.approx([-1 / 3, -1, -1])
    assert found.worst.tolist() == [1.0, 1.0, 1.0]


def test_one_of_four_alike_may_be_missing():
    whole, holed = departed([[80, 50, 60, 70]], 18.0), departed([[80, 50, NAN, 60, 70]], 18.0)
    assert holed.certain == pytest.approx(whole.certain)
    assert holed.worst == pytest.approx(whole.worst)


def test_a_pair_whose_noise_nobody_knows_is_no_jump_that_was_seen():
    """A model that refuses the sentences that say nothing has not been shown to jump."""
    found = paired([[90, 50, NAN, NAN, 50], [60, 60, NAN, NAN, NAN], [90, 50, NAN, 50, 50]], 25.0)
    assert found.certain.tolist() == [0.0, -1.0, 1.0]
    assert found.worst.tolist() == [1.0, 1.0, 1.0]


# ---------------------------------------------------------------------------------------------------- nothing by itself

SCALES = st.one_of(
    st.lists(st.integers(0, 100), min_size=6, max_size=6),
    st.lists(st.sampled_from([0, 25, 50, 75, 100]), min_size=6, max_size=6),
    st.lists(st.sampled_from([0, 100]), min_size=6, max_size=6),
)


@given(SCALES, st.sampled_from([5.0, 24.5, 25.0, 50.0]))
@settings(max_examples=60)
def test_where_any_of_six_answers_may_be_the_treated_one_the_excess_is_zero_on_average(scores, beyond):
    """Exchangeable answers: every order is as likely, so the mean over all choices is the expectation, exactly."""
    rows = [[scores[i], *scores[:i], *scores[i + 1 :]] for i in range(6)]
    assert departed(rows, beyond).certain.mean() == pytest.approx(0.0, abs=1e-12)
    pairs = [
        [scores[i], scores[j], *(scores[k] for k in range(6) if k not in (i, j))] for i, j in combinations(range(6), 2)
    ]
    assert paired(pairs, beyond).certain.mean() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, size: rng.normal(50, 12, size).round(),
        lambda rng, size: 25.0 * rng.choice(5, size, p=[0.05, 0.15, 0.3, 0.3, 0.2]),
        lambda rng, size: np.where(rng.random(size) < 0.1, 0.0, 80.0),
    ],
    ids=["normal", "five levels", "falls to zero"],
)
@pytest.mark.parametrize(("held", "n"), [(departed, 6), (paired, 7), (interacting, 8)])
def test_a_model_that_only_scatters_has_no_excess(draw, held, n, rng):
    """Items differ in their level; what jumps does so by noise. Four standard errors are exceeded once in 16,000."""
    scores = np.clip(draw(rng, (4000, n)) + rng.choice([-5.0, 0.0, 5.0], (4000, 1)), 0, 100)
    found = held(scores, 25.0).certain
    assert found.std() > 0.1, "else nothing jumps"
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(4000)
    moved = scores + np.r_[50.0, np.zeros(n - 1)] * (np.arange(4000) % 2 == 0)[:, None]
    assert held(moved, 25.0).certain.mean() > 4 * found.std() / np.sqrt(4000), "every second that is moved is seen"
