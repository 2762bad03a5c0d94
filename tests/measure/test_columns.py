import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import Keys, Tally, digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.store import StoredAnswer
from auditkit.measure.columns import (
    NOT_ASKED,
    NOT_READ,
    AnswerReader,
    AnswerTable,
    Measurements,
    count_outcomes,
    joined,
)
from auditkit.models.base import Response
from auditkit.tasks import OUTCOMES, READINGS
from auditkit.vocabulary import Condition, Contrast, Group, Series

NOISE = Condition("gaussian_noise", 3)
TWICE = Contrast("asked-twice", "repeatability", Condition(repeat=1))
COMPARISONS = distinct([
    Series("gaussian_noise", "sensitivity", "gaussian_noise", (3,)),
    TWICE,
    Group("degradation", "answers", template="options.degradation"),
])  # fmt: skip
SCORE = "score_100.direct"


@pytest.fixture
def measured(store, protocol, function_model):
    def measured(some, answer, comparisons=COMPARISONS) -> Measurements:
        plan, renderer = Plan(tuple(some), comparisons, protocol), Renderer(store, 1)
        model = function_model(answer)
        prefetch(plan, model, store, renderer, batch_size=4, deadline=20, on_progress=lambda t: None)
        found = digests(plan, store, renderer, Tally())
        return AnswerReader(plan, found, Keys(model, 4), store, renderer).measure()

    return measured


def test_every_planned_question_ends_as_exactly_one_outcome(measured, records):
    texts = ["70", "I cannot assess this image.", "hello there", "101", None]

    def answer(request):
        if "number" not in request.prompt:
            return "B"
        text = texts[int(request.id[:8], 16) % len(texts)]
        return Response(error="down") if text is None else text

    some = records(30)
    data = measured(some, answer)
    total = data.total()
    assert total.total == 30 * 4
    assert min(total.scored, total.refused, total.unparsed, total.out_of_range, total.error) > 0
    for condition in (Condition(), NOISE, Condition(repeat=1)):
        column = data.column(condition, SCORE)
        assert count_outcomes(column.outcomes).total == 30
        scored = column.outcomes == OUTCOMES.index("scored")
        assert np.array_equal(np.isfinite(column.scores), scored)
        assert set(column.scores[scored]) <= {70.0}


def test_cut_answers_are_truncated(measured, records):
    data = measured(records(2), lambda r: Response("The quality is", finish_reason="length"), (TWICE,))
    assert data.total().truncated == data.total().total == 4


def test_label_options_are_scored_without_a_score(measured, records):
    data = measured(records(3), lambda request: "B")
    column = data.column(Condition(), "options.degradation")
    assert count_outcomes(column.outcomes).scored == 3
    assert np.isnan(column.scores).all()


def test_what_was_not_planned_is_not_asked_which_is_no_outcome(measured, records):
    data = measured(records(3), lambda request: "50")
    column = data.column(Condition("jpeg", 1), SCORE)
    assert (column.outcomes == NOT_ASKED).all()
    assert count_outcomes(column.outcomes).total == 0


def test_question_without_an_answer_is_an_error_even_when_its_image_was_never_rendered(store, protocol, records):
    class Nobody:
        name = revision = fingerprint = "x"

    plan, renderer = Plan(records(2), COMPARISONS, protocol), Renderer(store, 1)
    found = digests(plan, store, renderer, Tally())
    data = AnswerReader(plan, found, Keys(Nobody(), 4), store, renderer).measure()
    assert data.total().error == data.total().total == 8
    assert np.isnan(data.doses[NOISE]).all()


def test_scores_stand_beside_their_images(measured, records, store):
    some = records(6)
    data = measured(some, lambda r: str(int(np.asarray(r.images[0]).mean())) if "number" in r.prompt else "B")
    expected = [int(record.read().mean()) for record in some]
    kept = data.column(Condition(), SCORE).scores
    assert [k for k in kept if k <= 100] == [e for e in expected if e <= 100]
    assert [r.id for r in data.records] == [r.id for r in some]


def test_doses(measured, records):
    data = measured(records(3, side=48), lambda request: "50")
    assert (data.doses[Condition()][:, 0] == 1).all()
    assert np.isnan(data.doses[Condition()][:, 1]).all()
    assert ((data.doses[NOISE] > 0) & np.isfinite(data.doses[NOISE])).all()


def test_modalities_and_patients(measured, records):
    data = measured(records(6, patients=2, modalities=("xray", "ct", "mr")), lambda request: "50")
    assert data.modalities == ("ct", "mr", "xray")
    assert data.where("all").sum() == 6
    assert [data.where(m).sum() for m in data.modalities] == [2, 2, 2]
    assert sorted(set(data.cluster)) == [0, 1]
    assert data.clusters(data.where("ct")).tolist() == [0, 1] or data.clusters(data.where("ct")).tolist() == [1, 0]


def test_no_images_are_no_crash():
    data = Measurements([], {}, {})
    assert data.total().total == 0
    assert data.modalities == ()


@given(st.lists(st.integers(-1, len(OUTCOMES) - 1)))
def test_outcomes_are_counted_one_by_one(codes):
    counted = count_outcomes(np.array(codes, dtype=np.int8))
    assert counted.total == sum(code >= 0 for code in codes)
    assert [getattr(counted, name) for name in OUTCOMES] == [codes.count(i) for i in range(len(OUTCOMES))]


LEANING = {"70": math.log(0.6), "80": math.log(0.3)}
GIVEN = [LEANING, None, {"70": -3.0}, {"70": 0.7}, {"80": math.log(0.9)}]


def leaning(request):
    """A model that says 70 throughout; its log-probabilities are another kind for every image."""
    if "number" not in request.prompt:
        return Response("B", {"B": math.log(0.5), "C": math.log(0.25), "A": math.log(0.25)})
    return Response("70", GIVEN[int(np.asarray(request.images[0]).astype(int).sum()) % len(GIVEN)])


def test_log_probabilities_stand_beside_the_scores_each_read_once(measured, records):
    some = records(30)
    data = measured(some, leaning)
    column = data.column(Condition(), SCORE)
    kinds = [int(r.read().astype(int).sum()) % len(GIVEN) for r in some]
    assert set(kinds) == set(range(len(GIVEN)))
    found = column.expectations
    named = ["" if code == NOT_READ else READINGS[code] for code in found.readings]
    assert named == [["read", "", "low_mass", "invalid", "read"][kind] for kind in kinds]
    want = {
        0: ((0.6 * 70 + 0.3 * 80) / 0.9, 0.9183, 0.9, 1),
        1: (np.nan, np.nan, np.nan, NOT_READ),
        2: (np.nan, np.nan, math.exp(-3), NOT_READ),
        3: (np.nan, np.nan, np.nan, NOT_READ),
        4: (80.0, 0.0, 0.9, 0),
    }
    for name, place in (("scores", 0), ("entropy", 1), ("mass", 2), ("agrees", 3)):
        assert getattr(found, name) == pytest.approx([want[kind][place] for kind in kinds], abs=1e-4, nan_ok=True)
    assert found.max_entropy == pytest.approx(math.log2(101))
    assert column.expected is found.scores
    # What was generated is read as if there were no log-probabilities.
    plain = measured(some, lambda r: leaning(r).text)
    for key in data.asked():
        assert np.array_equal(data.column(*key).scores, plain.column(*key).scores, equal_nan=True)
        assert np.array_equal(data.column(*key).outcomes, plain.column(*key).outcomes)


def test_labels_agree_by_what_they_say(measured, records):
    found = measured(records(3), leaning).column(Condition(), "options.degradation").expectations
    assert found.agrees.tolist() == [1, 1, 1]
    assert np.isnan(found.scores).all()
    assert found.entropy == pytest.approx([1.5, 1.5, 1.5])


def test_without_log_probabilities_nothing_is_held(measured, records):
    data = measured(records(3), lambda request: "50")
    assert all(data.column(*key).expectations is None for key in data.asked())
    assert np.isnan(data.column(Condition(), SCORE).expected).all()


@pytest.mark.parametrize(("text", "agrees"), [("70", 1), ("Score: 70/100", 1), ("71", 0), ("70.5", 0), ("hm", -1)])
def test_the_likeliest_choice_is_compared_with_what_was_understood(text, agrees):
    table = AnswerTable(1)
    table.put(0, Condition(), SCORE, StoredAnswer(text, "stop", LEANING))
    assert table.columns[Condition(), SCORE].expectations.agrees.tolist() == [agrees]


def test_joining_keeps_what_is_known_beside_its_image(records):
    some = records(6)
    parts = []
    for n, known in ((slice(0, 6, 2), False), (slice(1, 6, 2), True)):
        table = AnswerTable(3)
        for i, record in enumerate(some[n]):
            answer = StoredAnswer("70", "stop", {str(int(record.id[1:])): 0.0} if known else None)
            table.put(i, Condition(), SCORE, answer)
        parts.append(Measurements(some[n], table.columns, {}))
    whole = joined(parts)
    assert [r.id for r in whole.records] == [r.id for r in some]
    found = whole.column(Condition(), SCORE).expectations
    assert found.scores == pytest.approx([np.nan, 1.0, np.nan, 3.0, np.nan, 5.0], nan_ok=True)
    assert found.readings.tolist() == [NOT_READ, 0] * 3
    assert found.agrees.tolist() == [NOT_READ, 0] * 3
    assert joined([parts[0], Measurements((), {}, {})]).column(Condition(), SCORE).expectations is None
