"""What is said in a template's format is read back as the nearest score that the format has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit import tasks
from auditkit.protocol.catalogue import Catalogue
from auditkit.tasks import Choice, Points, Quantity, Score
from auditkit.tasks.axes import Axes, Words
from auditkit.tasks.choice import ANSWERS, GRADES
from auditkit.tasks.numeric import SCALES
from auditkit.testing import say
from auditkit.vocabulary import Question

CATALOGUE = Catalogue.of({}, {}, "quality.direct")
QUESTIONS = [Question(task.id, wording) for task in CATALOGUE.tasks.values() if task.asks for wording in task.wordings]


def scorer(question):
    return CATALOGUE.task(question.task).scorer


SCORED = [q for q in QUESTIONS if scorer(q).quantities]
AXES = [q for q in SCORED if isinstance(scorer(q), Axes)]
POINTS = [q for q in SCORED if q not in AXES]
NUMERIC = [q for q in POINTS if isinstance(scorer(q), Points) and scorer(q).format in SCALES] + AXES
WORDS = [q for q in QUESTIONS if isinstance(scorer(q), Words)]
LABELLED = [q for q in QUESTIONS if q not in SCORED + WORDS]


def read(text, question):
    return tasks.read(CATALOGUE.task(question.task), question.wording, text)


def steps(question):
    """Scores that a task's answers can stand for; None for any with two decimals."""
    if isinstance(scorer(question), Choice):
        return tuple(option.score for option in scorer(question).options)
    return {
        "score_100": None,
        "score_10": tuple(map(float, range(0, 101, 10))),
        "rating_5": (0.0, 25.0, 50.0, 75.0, 100.0),
        "grade": tuple(GRADES.values()),
        "yes_no": tuple(ANSWERS.values()),
    }[scorer(question).format]


@settings(max_examples=300)
@given(question=st.sampled_from(POINTS), score=st.floats(0, 100))
def test_round_trip(question, score):
    answer = read(say(score, question, CATALOGUE), question)
    assert answer.outcome == "scored"
    levels = steps(question)
    if levels is None:
        assert abs(answer.main - score) <= (0.5 if score < 1 else 0.005 + 1e-9)
    else:
        assert abs(answer.main - score) == pytest.approx(min(abs(level - score) for level in levels), abs=1e-6)


@given(question=st.sampled_from(POINTS), score=st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0, 33.0, 67.0]))
def test_what_a_format_can_say_comes_back_exactly(question, score):
    levels = steps(question)
    if levels is None or score in levels:
        assert read(say(score, question, CATALOGUE), question).main == score


@pytest.mark.parametrize("question", NUMERIC, ids=str)
@pytest.mark.parametrize("score", [-150.0, -30.0, 130.0, 150.0, 1e6])
def test_beyond_the_scale_is_said_beyond_the_scale(question, score):
    assert read(say(score, question, CATALOGUE), question).outcome == "out_of_range"


@pytest.mark.parametrize("question", [q for q in POINTS if q not in NUMERIC], ids=str)
def test_words_cannot_leave_their_scale(question):
    assert read(say(150.0, question, CATALOGUE), question).main == 100.0
    assert read(say(-50.0, question, CATALOGUE), question).main == 0.0


@pytest.mark.parametrize("question", LABELLED, ids=str)
def test_options_with_labels_are_answered_with_the_first(question):
    answer = read(say(40.0, question, CATALOGUE), question)
    assert answer.outcome == "scored"
    assert answer.said == scorer(question).answers[0]


@given(question=st.sampled_from(AXES), score=st.floats(0, 100))
def test_every_axis_gets_the_share_of_its_scale(question, score):
    answer = read(say(score, question, CATALOGUE), question)
    assert answer.outcome == "scored"
    assert len(answer.values) == len(scorer(question).names) == 4
    for value in answer.values.values():
        assert value == pytest.approx(score / 50, abs=0.005 + 1e-9)  # from 0 to 2


def test_axes_are_said_as_they_are_asked_for():
    said = say(75.0, Question("medq.reasoning.judged"), CATALOGUE)
    assert said == "completeness: 1.5\npreciseness: 1.5\nconsistency: 1.5\nquality_accuracy: 1.5"


@given(question=st.sampled_from(WORDS), score=st.floats(-200, 200))
def test_where_anything_may_be_said_the_score_is_told(question, score):
    answer = read(say(score, question, CATALOGUE), question)
    assert (answer.outcome, answer.values) == ("scored", {})
    assert answer.said != read(say(score + 1, question, CATALOGUE), question).said


@pytest.mark.parametrize(("score", "text"), [(-0.001, "0"), (0.3, "0"), (0.7, "1"), (73.456, "73.46"), (100.0, "100")])
def test_numbers_are_plain(score, text):
    assert say(score, Question(), CATALOGUE) == text


class Halves:
    """Numbers from 0 to 2, of which none is listed."""

    quantities = (Quantity("completeness", "marks", 0.0, 2.0),)
    choices = None

    def read(self, text, finish, wording):
        return Score("scored", {"": float(text)}, text)


def test_points_are_shares_of_whatever_range_a_task_has():
    tables = {"whole": {"scorer": "halves", "wordings": {"direct": "How complete?"}}}
    catalogue = Catalogue.of({}, tables, "quality.direct", scorers={"halves": Halves()})
    assert [say(points, Question("whole"), catalogue) for points in (0.0, 25.0, 100.0)] == ["0", "0.5", "2"]
