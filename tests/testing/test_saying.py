"""What is said in a template's format is read back as the nearest score that the format has."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit import tasks
from auditkit.tasks.choice import ANSWERS, GRADES
from auditkit.testing import say

TEMPLATES = tasks.templates()
SCORED = [t.id for t in TEMPLATES.values() if all(o.score is not None for o in t.options)]


def steps(template):
    """Scores that a template's answers can stand for; None for any with two decimals."""
    shape = TEMPLATES[template].format
    return {
        "score_100": None,
        "rating_5": (0.0, 25.0, 50.0, 75.0, 100.0),
        "grade": tuple(GRADES.values()),
        "yes_no": tuple(ANSWERS.values()),
        "options": tuple(o.score for o in TEMPLATES[template].options),
    }[shape]


@settings(max_examples=300, deadline=None)
@given(template=st.sampled_from(SCORED), score=st.floats(0, 100))
def test_round_trip(template, score):
    answer = tasks.parse(say(score, template), TEMPLATES[template])
    assert answer.outcome == "scored"
    levels = steps(template)
    if levels is None:
        assert abs(answer.score - score) <= (0.5 if score < 1 else 0.005 + 1e-9)
    else:
        assert abs(answer.score - score) == pytest.approx(min(abs(level - score) for level in levels), abs=1e-6)


@given(template=st.sampled_from(SCORED), score=st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0, 33.0, 67.0]))
def test_what_a_format_can_say_comes_back_exactly(template, score):
    levels = steps(template)
    if levels is None or score in levels:
        assert tasks.parse(say(score, template), TEMPLATES[template]).score == score


@pytest.mark.parametrize("template", [t for t in SCORED if TEMPLATES[t].format in ("score_100", "rating_5")])
@pytest.mark.parametrize("score", [-150.0, -30.0, 130.0, 150.0, 1e6])
def test_beyond_the_scale_is_said_beyond_the_scale(template, score):
    assert tasks.parse(say(score, template), TEMPLATES[template]).outcome == "out_of_range"


@pytest.mark.parametrize("template", [t for t in SCORED if TEMPLATES[t].format not in ("score_100", "rating_5")])
def test_words_cannot_leave_their_scale(template):
    assert tasks.parse(say(150.0, template), TEMPLATES[template]).score == 100.0
    assert tasks.parse(say(-50.0, template), TEMPLATES[template]).score == 0.0


@pytest.mark.parametrize("template", [t for t in TEMPLATES if t not in SCORED])
def test_options_with_labels_are_answered_with_the_first(template):
    answer = tasks.parse(say(40.0, template), TEMPLATES[template])
    assert answer.outcome == "scored"
    assert answer.value == TEMPLATES[template].options[0].label


@pytest.mark.parametrize(("score", "text"), [(-0.001, "0"), (0.3, "0"), (0.7, "1"), (73.456, "73.46"), (100.0, "100")])
def test_numbers_are_plain(score, text):
    assert say(score, "score_100.direct") == text
