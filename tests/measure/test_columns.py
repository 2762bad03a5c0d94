import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import StoredAnswer
from auditkit.ask.tally import Tally
from auditkit.measure.columns import NOT_ASKED, NOT_READ, Column, Measurements, count_outcomes, joined
from auditkit.measure.reader import AnswerReader, AnswerTable
from auditkit.measure.recorded import from_answers, to_answers
from auditkit.models.base import Response
from auditkit.protocol.effects import change, differs, share
from auditkit.run.data import strata
from auditkit.tasks import OUTCOMES, READINGS
from auditkit.vocabulary import Perturbation, Question, Value

NOISE, AGAIN = Perturbation("gaussian_noise", 3), Perturbation("again", 1)
TWICE = differs(AGAIN, name="asked-twice", family="repeatability")
EFFECTS = distinct([
    change(NOISE, family="sensitivity"),
    TWICE,
    share("refused", "options.degradation", family="answers"),
])  # fmt: skip
SCORE, LABELS = Question("quality", "direct"), Question("options.degradation", "direct")


@pytest.fixture
def measured(store, protocol, function_model):
    def measured(some, answer, effects=EFFECTS) -> Measurements:
        plan, renderer = Plan(tuple(some), effects, protocol), Renderer(store, 1, protocol.catalogue)
        model = function_model(answer)
        prefetch(plan, model, store, renderer, batch_size=4, deadline=20, on_progress=lambda t: None)
        found = digests(plan, store, renderer, Tally())
        return AnswerReader(plan, found, Keys(model, 4, protocol.catalogue), store, renderer).measure()

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
    for question in (SCORE, SCORE.under(NOISE), SCORE.under(AGAIN)):
        column = data.column(question)
        assert count_outcomes(column.outcomes).total == 30
        scored = column.outcomes == OUTCOMES.index("scored")
        assert np.array_equal(np.isfinite(column.scores), scored)
        assert set(column.scores[scored]) <= {70.0}


def test_cut_answers_are_truncated(measured, records):
    data = measured(records(2), lambda r: Response("The quality is", finish_reason="length"), (TWICE,))
    assert data.total().truncated == data.total().total == 4


def test_label_options_are_scored_without_a_score(measured, records, protocol):
    data = measured(records(3), lambda request: "B")
    column = data.column(LABELS)
    assert count_outcomes(column.outcomes).scored == 3
    assert np.isnan(column.scores).all()
    [option] = [o for o in protocol.catalogue.task("options.degradation").scorer.options if o.letter == "B"]
    assert column.labels.tolist() == [option.text] * 3
    assert data.column(SCORE).labels is None


def test_what_was_not_planned_is_not_asked_which_is_no_outcome(measured, records):
    data = measured(records(3), lambda request: "50")
    column = data.column(SCORE.under(Perturbation("jpeg", 1)))
    assert (column.outcomes == NOT_ASKED).all()
    assert count_outcomes(column.outcomes).total == 0


def test_question_without_an_answer_is_an_error_even_when_its_image_was_never_rendered(store, protocol, records):
    class Nobody:
        name = revision = fingerprint = "x"

    plan, renderer = Plan(records(2), EFFECTS, protocol), Renderer(store, 1, protocol.catalogue)
    found = digests(plan, store, renderer, Tally())
    data = AnswerReader(plan, found, Keys(Nobody(), 4, protocol.catalogue), store, renderer).measure()
    assert data.total().error == data.total().total == 8
    assert np.isnan(data.doses[NOISE,]).all()


def test_scores_stand_beside_their_images(measured, records, store):
    some = records(6)
    data = measured(some, lambda r: str(int(np.asarray(r.images[0]).mean())) if "number" in r.prompt else "B")
    expected = [int(record.pictures[0].read().mean()) for record in some]
    kept = data.column(SCORE).scores
    assert [k for k in kept if k <= 100] == [e for e in expected if e <= 100]
    assert [r.id for r in data.records] == [r.id for r in some]


def test_doses(measured, records):
    data = measured(records(3, side=48), lambda request: "50")
    assert (data.doses[()][:, 0] == 1).all()
    assert np.isnan(data.doses[()][:, 1]).all()
    assert ((data.doses[NOISE,] > 0) & np.isfinite(data.doses[NOISE,])).all()


def test_modalities_and_patients(measured, records):
    data = measured(records(6, patients=2, modalities=("xray", "ct", "mr")), lambda request: "50")
    assert data.levels() == ("ct", "mr", "xray")
    assert data.strata() == (("modality", "all"), ("modality", "ct"), ("modality", "mr"), ("modality", "xray"))
    assert [data.where(stratum).sum() for stratum in data.strata()] == [6, 2, 2, 2]
    assert sorted(set(data.cluster)) == [0, 1]
    assert sorted(data.clusters(data.where(("modality", "ct")))) == [0, 1]


def test_no_images_are_no_crash():
    data = Measurements([], {})
    assert data.total().total == 0
    assert data.levels() == ()


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
    column = data.column(SCORE)
    kinds = [int(r.pictures[0].read().astype(int).sum()) % len(GIVEN) for r in some]
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
    for question in data.asked():
        assert np.array_equal(data.column(question).scores, plain.column(question).scores, equal_nan=True)
        assert np.array_equal(data.column(question).outcomes, plain.column(question).outcomes)


def test_labels_agree_by_what_they_say(measured, records):
    found = measured(records(3), leaning).column(LABELS).expectations
    assert found.agrees.tolist() == [1, 1, 1]
    assert np.isnan(found.scores).all()
    assert found.entropy == pytest.approx([1.5, 1.5, 1.5])


def test_without_log_probabilities_nothing_is_held(measured, records):
    data = measured(records(3), lambda request: "50")
    assert all(data.column(question).expectations is None for question in data.asked())
    assert np.isnan(data.column(SCORE).expected).all()


@pytest.mark.parametrize(("text", "agrees"), [("70", 1), ("Score: 70/100", 1), ("71", 0), ("70.5", 0), ("hm", -1)])
def test_the_likeliest_choice_is_compared_with_what_was_understood(text, agrees, protocol):
    table = AnswerTable(1, protocol.catalogue)
    table.put(0, SCORE, StoredAnswer(text, "stop", LEANING))
    assert table.columns[SCORE].expectations.agrees.tolist() == [agrees]


def test_joining_keeps_what_is_known_beside_its_image(records, protocol):
    some = records(6)
    parts = []
    for n, known in ((slice(0, 6, 2), False), (slice(1, 6, 2), True)):
        table = AnswerTable(3, protocol.catalogue)
        for i, record in enumerate(some[n]):
            answer = StoredAnswer("70", "stop", {str(int(record.id[1:])): 0.0} if known else None)
            table.put(i, SCORE, answer)
        parts.append(Measurements(some[n], table.columns))
    whole = joined(parts)
    assert [r.id for r in whole.records] == [r.id for r in some]
    found = whole.column(SCORE).expectations
    assert found.scores == pytest.approx([np.nan, 1.0, np.nan, 3.0, np.nan, 5.0], nan_ok=True)
    assert found.readings.tolist() == [NOT_READ, 0] * 3
    assert found.agrees.tolist() == [NOT_READ, 0] * 3
    assert joined([parts[0], Measurements((), {})]).column(SCORE).expectations is None


def test_joining_keeps_labels_and_named_values_beside_their_image(records):
    """One part has labels, the other named values; where a part has neither, there is nothing."""
    some = records(4)
    scored = np.zeros(2, dtype=np.int8)
    first = Column({"": np.full(2, np.nan)}, scored, np.array(["blur", "noise"], dtype=object))
    second = Column({"": np.array([1.0, 2.0]), "clarity": np.array([4.0, 5.0])}, scored)
    parts = [Measurements(some[::2], {LABELS: first}), Measurements(some[1::2], {LABELS: second})]
    column = joined(parts).column(LABELS)
    assert column.labels.tolist() == ["blur", "", "noise", ""]
    assert column.value("clarity") == pytest.approx([np.nan, 4.0, np.nan, 5.0], nan_ok=True)
    assert column.scores == pytest.approx([np.nan, 1.0, np.nan, 2.0], nan_ok=True)


# ------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize(
    ("name", "ones"),
    [
        ("refused", {"refused"}),
        ("unusable", {"no_image", "unparsed", "out_of_range", "truncated"}),
        ("lost", {"refused", "no_image", "unparsed", "out_of_range", "truncated"}),
    ],
)
def test_shares_are_zero_or_one_of_every_answer_and_nothing_of_errors(records, name, ones):
    codes = np.array([NOT_ASKED, *range(len(OUTCOMES))], dtype=np.int8)
    data = Measurements(records(len(codes)), {SCORE: Column({"": np.full(len(codes), np.nan)}, codes)})
    found = data.value(Value(SCORE, name))
    expected = [np.nan if o in ("", "error") else float(o in ones) for o in ("", *OUTCOMES)]
    assert found == pytest.approx(expected, nan_ok=True)
    assert np.isnan(data.value(Value(SCORE, "clarity"))).all(), "a value that no answer has is missing"
    assert np.isnan(data.value(Value(LABELS, name))).all(), "what was not asked has no value"


def column(scores, outcomes=None, labels=None):
    scores = np.asarray(scores, dtype=float)
    codes = np.zeros(len(scores), dtype=np.int8) if outcomes is None else np.array(outcomes, dtype=np.int8)
    return Column({"": scores}, codes, None if labels is None else np.array(labels, dtype=object))


def test_answers_say_the_same_when_outcome_numbers_and_labels_are_equal():
    nan, refused, unparsed = np.nan, OUTCOMES.index("refused"), OUTCOMES.index("unparsed")
    one, other = column([1, 2, nan, nan], [0, 0, refused, refused]), column([1, 3, nan, nan], [0, 0, refused, unparsed])
    assert one.says_the_same(other).tolist() == [True, False, True, False]
    labels, others = column([nan] * 3, labels=["a", "b", ""]), column([nan] * 3, labels=["a", "c", ""])
    assert labels.says_the_same(others).tolist() == [True, False, True]
    assert labels.says_the_same(column([nan] * 3)).tolist() == [False, False, True]
    two = Column({"": np.ones(2), "clarity": np.array([1.0, 2.0])}, np.zeros(2, dtype=np.int8))
    assert two.says_the_same(Column({"": np.ones(2), "clarity": np.ones(2)}, np.zeros(2, dtype=np.int8))).tolist() == [
        True,
        False,
    ]


# ------------------------------------------------------------------------------------------------------ other columns


def with_scanner(some, levels):
    return [replace(r, attributes={"scanner": level} if level else {}) for r, level in zip(some, levels, strict=True)]


def test_levels_of_any_column_and_unknown_where_there_is_none(records):
    data = Measurements(with_scanner(records(5), ["N", "S", "N", "", "S"]), {})
    assert data.levels("scanner") == ("N", "S", "unknown")
    assert data.strata("scanner")[0] == ("scanner", "all")
    assert data.where(("scanner", "N")).tolist() == [True, False, True, False, False]
    assert data.where(("scanner", "unknown")).tolist() == [False, False, False, True, False]
    assert data.where(("scanner", "all")).all()
    assert data.levels("age") == ("unknown",)
    assert data.levels() == ("ct", "xray")


def test_a_level_called_as_all_items_together_gets_another_name(records):
    some = with_scanner(records(3), ["all", "S", "all"])
    data = Measurements(some, {})
    assert data.levels("scanner") == ("S", "all (a level)")
    assert data.where(("scanner", "all (a level)")).tolist() == [True, False, True]
    assert data.where(("scanner", "all")).all()
    assert [(level.name, level.n_images) for level in strata(some)["scanner"]] == [("S", 1), ("all (a level)", 2)]
    again = from_answers(to_answers(data, 1, ["scanner"]))
    assert again.levels("scanner") == data.levels("scanner")


def test_another_runs_answers_stand_beside_under_their_role(records):
    some = records(2)
    mine, theirs = Measurements(some, {SCORE: column([1, 2])}), Measurements(some, {SCORE: column([3, 4])})
    both = mine.beside(theirs, "baseline")
    assert both.column(SCORE).scores.tolist() == [1, 2]
    assert both.column(replace(SCORE, role="baseline")).scores.tolist() == [3, 4]
    again = both.beside(both, "anchor")
    assert again.column(replace(SCORE, role="anchor")).scores.tolist() == [1, 2]
    assert len(again.asked()) == 3, "what is another's already is not taken over twice"
