from collections import Counter

import pytest

from auditkit import tasks
from auditkit.models.base import Request, Response
from auditkit.models.endpoint.failure import Failure
from auditkit.models.endpoint.replies import read_reply
from tests.models.endpoint.faults import completion

ASKED = Request("id", (), "Rate this.")


def read(message=None, *, finish="stop", asked=ASKED, names=("vlm",), **changes):
    reply = completion({"model": "vlm", "messages": []}, "70", **changes)
    if message is not None:
        reply["choices"][0]["message"] = message
    if finish is None:
        del reply["choices"][0]["finish_reason"]
    else:
        reply["choices"][0]["finish_reason"] = finish
    return read_reply(reply, asked, "vlm", names)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "70"}, "70"),
        ({"content": " 70\n"}, " 70\n"),
        ({"content": [{"type": "text", "text": "7"}, {"type": "text", "text": "0"}]}, "70"),
        ({"content": None, "refusal": "I cannot assess this image."}, "I cannot assess this image."),
        ({"content": "", "refusal": None}, ""),
        ({"content": None}, ""),
        ({}, ""),
        ({"content": None, "reasoning_content": "I think 33", "reasoning": "33"}, ""),
        ({"content": None, "tool_calls": [{"function": {"name": "rate", "arguments": "33"}}]}, ""),
    ],
)
def test_text_is_what_was_said(message, text):
    assert read(message) == Response(text, None, "stop")


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "length"),
        ("repetition", "length"),
        (None, "length"),
        ("STOP", "stop"),
        ("Stop", "stop"),
        ("FINISH_REASON_STOP", "stop"),
        ("EOS", "stop"),
        ("tool_use", "stop"),
        ("MAX_TOKENS", "length"),
        ("max_output_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("SAFETY", "length"),
        ("CONTENT_FILTER", "length"),
        ("", "length"),
        ("weather", "length"),
        (7, "length"),
    ],
)
def test_only_what_ended_by_itself_is_whole(finish, expected):
    assert read(finish=finish).finish_reason == expected


@pytest.mark.parametrize("finish", [None, "", "weather", 7])
@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"completion_tokens": 3}, "stop"),
        ({"completion_tokens": ASKED.max_new_tokens}, "length"),
        ({"completion_tokens": 0}, "length"),
        ({"completion_tokens": True}, "length"),
        ({"completion_tokens": "3"}, "length"),
        ({}, "length"),
        (None, "length"),
    ],
)
def test_an_unknown_end_is_whole_only_below_the_limit_and_is_counted(finish, usage, expected):
    unknown = Counter()
    reply = completion({"model": "vlm", "messages": []}, "70", usage=usage)
    reply["choices"][0]["finish_reason"] = finish
    assert read_reply(reply, ASKED, "vlm", ("vlm",), unknown).finish_reason == expected
    assert unknown == {str(finish) if finish not in (None, "") else "none": 1}


@pytest.mark.parametrize("finish", ["error", "ABORT", "Cancelled", "MALFORMED_FUNCTION_CALL"])
def test_an_answer_given_up_is_none(finish):
    with pytest.raises(Failure, match="gave up the answer"):
        read(finish=finish)


def test_what_a_filter_took_away_is_an_outcome_and_not_guessed():
    score = tasks.shipped()["quality"]
    for said, outcome in (("", "truncated"), ("The image", "truncated"), ("70. The patient is", "scored")):
        response = read({"content": said}, finish="content_filter")
        assert response.error is None, "an outcome of the model: kept, counted, and not asked again and again"
        assert tasks.read(score, "", response.text, response.finish_reason).outcome == outcome, said


def test_refusal_reaches_the_parser():
    response = read({"content": None, "refusal": "I'm sorry, I cannot rate this image."})
    assert tasks.read(tasks.shipped()["quality"], "", response.text, response.finish_reason).outcome == "refused"


def test_logprobs_are_read_for_listed_answers_only():
    entry = {"token": "yes", "logprob": -0.25, "top_logprobs": [{"token": "yes", "logprob": -0.25}]}
    choice = {"message": {"content": "yes"}, "finish_reason": "stop", "logprobs": {"content": [entry]}}
    asked = Request("id", (), "Good?", choices=("yes", "no"))
    assert read_reply({"choices": [choice]}, asked, "vlm", ["vlm"]).logprobs == {"yes": -0.25}
    assert read_reply({"choices": [choice]}, ASKED, "vlm", ["vlm"]).logprobs is None


@pytest.mark.parametrize(
    "changes",
    [
        {"choices": None},
        {"choices": []},
        {"choices": "70"},
        {"choices": ["70"]},
        {"choices": [{"text": "70"}]},
        {"choices": [{"message": "70"}]},
        {"choices": [{"message": {"content": 70}}]},
        {"choices": [{"message": {"content": ["70"]}}]},
        {"choices": [{"message": {"content": [{"text": 70}]}}]},
        {"error": "overloaded"},
        {"error": {"message": "upstream"}},
        {"model": 3},
        {"model": "vlm-2"},
    ],
)
def test_everything_else_is_no_answer(changes):
    reply = completion({"model": "vlm", "messages": []}, "70") | changes
    with pytest.raises(Failure) as raised:
        read_reply(reply, ASKED, "vlm", ["vlm"])
    assert raised.value.tries > 1


@pytest.mark.parametrize("reason", ["error", "abort"])
def test_answer_that_the_server_gave_up_is_none(reason):
    with pytest.raises(Failure, match=reason):
        read({"content": "7"}, finish=reason)


def test_names_under_which_a_model_may_answer():
    for name in ("vlm", "vlm:latest", "vlm@main", None):
        assert read(model=name).text == "70"
    assert read(model="vlm-2026-01-01", names=["vlm", "vlm-2026-01-01"]).text == "70"
    for name in ("VLM", "vlm:7b", "vlm@other", "org/vlm", ""):
        with pytest.raises(Failure, match=f"answered as model '{name}', not as 'vlm'"):
            read(model=name)
