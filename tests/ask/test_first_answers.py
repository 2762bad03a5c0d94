"""A run whose first answers all end without a score stops after a few, says why, and keeps what was answered."""

from __future__ import annotations

import pytest

from auditkit.ask.first_answers import FIRST, FirstAnswers
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.models.base import Response
from auditkit.protocol.effects import falls
from auditkit.tasks import Score

EFFECTS = distinct([falls("pixelate", (1, 5), family="sensitivity"), falls("jpeg", (1, 5), family="sensitivity")])
PER_IMAGE = 5

ENDINGS = [
    (Response("I cannot assess medical images."), "were refused", "refuses the task"),
    (Response("What a fine picture"), "could not be read", "how the model is asked"),
    (Response("250"), "were outside the scale", "keeps to the scale"),
    (Response("First of all, the", finish_reason="length"), "were cut off at the token limit", "more tokens"),
    (Response("No image was provided. Score: 0"), "said that there was no image", "image reaches the model"),
]


@pytest.fixture
def run(store, protocol):
    def run(model, some, *, ask_on=False, tally=None):
        renderer = Renderer(store, 1, protocol.catalogue)
        plan = Plan(tuple(some), EFFECTS, protocol)
        how = {"batch_size": 8, "deadline": 20.0, "on_progress": lambda tally: None}
        return prefetch(plan, model, store, renderer, ask_on=ask_on, tally=tally, **how)

    return run


@pytest.mark.parametrize(("response", "how", "remedy"), ENDINGS)
def test_it_stops_after_a_few(run, records, store, function_model, response, how, remedy):
    model = function_model(lambda request: response)
    with pytest.raises(AuditkitError) as raised:
        run(model, records(40))
    assert f"none of the first {FIRST} answers gave a score: {FIRST} {how}" in raised.value.problem
    assert repr(response.text) in raised.value.problem
    assert remedy in raised.value.remedy
    assert "--audit-ask-on" in raised.value.remedy
    assert FIRST == len(model.asked) == store.count() < 40 * PER_IMAGE, "what was answered is kept"


def test_the_same_run_stops_again_without_a_question_and_goes_on_with_the_option(run, records, function_model):
    some = records(20)
    with pytest.raises(AuditkitError):
        run(function_model(lambda request: "no idea"), some)
    again = function_model(lambda request: "no idea")
    with pytest.raises(AuditkitError):
        run(again, some)
    assert again.asked == []
    asked = function_model(lambda request: "no idea")
    tally = run(asked, some, ask_on=True)
    assert (tally.held, len(asked.asked), tally.done) == (FIRST, 20 * PER_IMAGE - FIRST, 20 * PER_IMAGE)


def test_one_score_among_the_first_is_enough(run, records, function_model):
    asked = []

    def answer(request):
        asked.append(request)
        return "70" if len(asked) == FIRST else "no idea"

    assert run(function_model(answer), records(20)).done == 20 * PER_IMAGE


def test_scores_held_from_before_count(run, records, function_model):
    some = records(20)
    run(function_model(), some[:1])
    assert run(function_model(lambda request: "no idea"), some).done == 20 * PER_IMAGE


def test_a_run_that_is_shorter_is_not_stopped(run, records, function_model):
    tally = run(function_model(lambda request: "no idea"), records(6))
    assert tally.done == 6 * PER_IMAGE < FIRST


def test_every_answer_without_a_score_is_counted_by_how_it_ended(run, records, function_model):
    said = iter(["70", "no idea", "250", "I cannot assess medical images."] * 1000)
    tally = run(function_model(lambda request: next(said)), records(20))
    # 20 images of 5 questions, asked in turn: a quarter of the 100 each.
    assert tally.ended == {"unparsed": 25, "out_of_range": 25, "refused": 25}
    held = run(function_model(), records(20))
    assert (held.held, held.ended) == (100, {})


def test_errors_are_no_answers(run, records, function_model):
    tally = run(function_model(lambda request: Response(error="away", finish_reason="error")), records(20))
    assert (len(tally.errors), tally.first.ended) == (20 * PER_IMAGE, {})


def test_what_was_seen_survives_processes_and_adds_up():
    one, other = FirstAnswers(), FirstAnswers()
    for _ in range(20):
        one.note(Score("unparsed"), "no idea")
        other.note(Score("out_of_range"), "250")
    whole = Tally.from_record({**Tally(first=one).to_record()})
    assert whole.first == one
    whole.first.check()
    whole.first.add(other)
    with pytest.raises(AuditkitError, match="none of the first 40 answers"):
        whole.first.check()
    whole.first.add(FirstAnswers(scored=True))
    whole.first.check()


def test_the_text_of_a_model_is_shown_and_not_obeyed():
    first = FirstAnswers()
    for _ in range(FIRST):
        text = "\x1b[2J\u202eevil\nsecond line" + "x" * 1000
        first.note(Score("unparsed", why="the text gives no answer"), text)
    with pytest.raises(AuditkitError) as raised:
        first.check()
    said = str(raised.value)
    assert "⟨U+001B⟩[2J⟨U+202E⟩evil\\nsecond line" in said
    assert not {"\x1b", "\u202e"} & set(said)
    assert len(said) < 1200
