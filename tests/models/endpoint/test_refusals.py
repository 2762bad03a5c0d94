"""Servers that do not take a request as it is: what is left out, what is said, and how soon asking ends."""

import json
import time

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.endpoint.hints import hint
from tests.models.endpoint.conftest import question
from tests.models.endpoint.faults import SERVED, Server, completion

ONLY_ONE = (
    "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported."
)


def refusing(field, said, status=400):
    return lambda body: (status, {"error": {"message": said}}) if field in body else completion(body)


# --- refused early --------------------------------------------------------------------------------------------------


def test_a_server_that_refuses_everything_is_left_after_a_few_requests(endpoint):
    with Server(refusing("temperature", ONLY_ONE)) as server:
        model = endpoint(server, concurrency=4)
        with pytest.raises(AuditkitError) as raised:
            model.generate([question(0)] * 400)  # all about one picture
        assert len(server.questions) < 20
        assert "it refuses every question, even a plain one about a grey picture: HTTP 400: Unsupported" in str(
            raised.value
        )
        assert 'omit = ["temperature"]\nor\nextra = { temperature = 1 }' in raised.value.remedy
        assert raised.value.problem.endswith("value is supported."), "the server's own full stop is enough"


def test_a_picture_that_is_refused_ends_nothing(endpoint):
    def reply(body):
        return (400, {"error": "temperature of the picture"}) if "number 7." in json.dumps(body) else completion(body)

    with Server(reply) as server:
        responses = endpoint(server, concurrency=1).generate([*[question(7)] * 100, question(1)])
        assert [r.error is None for r in responses] == [False] * 100 + [True]
        assert len(server.questions) == 102, "one plain question"


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (ONLY_ONE, "extra = { temperature = 1 }"),
        ("temperature must be greater than 0", 'omit = ["temperature"]'),
        ("Unrecognized request argument supplied: seed", 'omit = ["seed"]'),
        ("Extra inputs are not permitted: reasoning_effort", 'omit = ["reasoning_effort"]'),
        ("top_seeds are not supported", ""),
        ("the image is too large", ""),
    ],
)
def test_hints(said, written):
    found = hint(said, ("temperature", "seed", "reasoning_effort", "max_tokens"))
    assert written in found
    assert bool(written) == bool(found)


# --- what is not sent -----------------------------------------------------------------------------------------------


def test_fields_are_left_out_renamed_and_added(endpoint):
    how = {"omit": ["temperature", "seed", "max_tokens", "logprobs"], "extra": {"max_completion_tokens": 512}}
    with Server() as server:
        model = endpoint(server, with_=how)
        model.generate([question(choices=("yes", "no"))])
        assert set(server.questions[0].body) == {"model", "messages", "max_completion_tokens"}
        assert "The temperature was of the server's choice: answers are drawn at random." in model.limits[0]
        plain = endpoint(server)
        assert plain.limits == ()
        assert plain.fingerprint != model.fingerprint
        assert endpoint(server, with_={"omit": ["max_tokens"]}).fingerprint != plain.fingerprint
        assert endpoint(server, with_={"extra": {"temperature": 1}}).limits != ()


def test_thinking_is_switched_off_and_given_room(endpoint):
    how = {"template": {"enable_thinking": False}, "max_new_tokens": 300, "extra": {"chat_template_kwargs": {"a": 1}}}
    with Server() as server:
        model = endpoint(server, with_=how)
        model.generate([question(max_new_tokens=16), question(1, max_new_tokens=400)])
        assert [heard.body["chat_template_kwargs"] for heard in server.questions] == [
            {"a": 1, "enable_thinking": False}
        ] * 2
        assert sorted(heard.body["max_tokens"] for heard in server.questions) == [300, 400]
        assert model.fingerprint != endpoint(server).fingerprint


# --- log-probabilities that break -----------------------------------------------------------------------------------


def choosing(count: int):
    return [question(i, choices=("yes", "no")) for i in range(count)]


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_server_that_breaks_over_logprobs_is_asked_without(endpoint, short_waits, status, concurrency):
    with Server(refusing("logprobs", "unexpected argument", status)) as server:
        model = endpoint(server, concurrency=concurrency)
        found = model.generate(choosing(40))
        assert [(r.error, r.logprobs) for r in found] == [(None, None)] * 40
        asked = ["logprobs" in heard.body for heard in server.questions]
        assert sum(asked) <= concurrency + 2
        assert not any(asked[-20:])
        assert f"left out (HTTP {status}: unexpected argument)" in model.limits[0]


def test_an_empty_reply_because_of_logprobs_counts_too(endpoint, short_waits):
    def reply(body):
        return completion(body) | ({"choices": []} if "logprobs" in body else {})

    with Server(reply) as server:
        model = endpoint(server, concurrency=1)
        assert [r.error for r in model.generate(choosing(3))] == [None] * 3
        assert "the reply has no choices" in model.limits[0]


def test_a_bad_picture_costs_no_logprobs(endpoint, short_waits):
    def reply(body):
        return (400, {"error": "bad picture"}) if "number 0." in json.dumps(body) else completion(body)

    with Server(reply) as server:
        model = endpoint(server, concurrency=1)
        assert [r.error is None for r in model.generate(choosing(5))] == [False] + [True] * 4
        assert all("logprobs" in heard.body for heard in server.questions if "number" in json.dumps(heard.body))
        assert model.limits == ()


# --- overloaded, "come back in 0 s" ---------------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["0", "0.0", "-3"])
def test_retry_after_nothing_is_no_leave_to_hammer(endpoint, after):
    with Server(lambda body: (429, {"error": "busy"}, {"retry-after": after})) as server:
        start = time.monotonic()
        (response,) = endpoint(server, deadline=4.0).generate([question()])
        assert response.error
        # At least 0.25 s between attempts, with the real back-off.
        assert len(server.questions) <= (time.monotonic() - start) / 0.25 + 2
        assert len(server.questions) >= 2


def test_the_model_of_the_registry_is_asked_as_its_entry_says(tmp_path):
    from auditkit.models.base import ModelOptions
    from auditkit.models.resolve import resolve_model

    with Server() as server:
        (tmp_path / "models.toml").write_text(
            f'[hosted]\nbackend = "openai"\nbase_url = "{server.url}"\nserved = "{SERVED}"\n'
            'omit = ["seed"]\nmax_new_tokens = 99\ntemplate = { enable_thinking = false }\n'
        )
        model = resolve_model("hosted", ModelOptions(registry=str(tmp_path / "models.toml")))
        model.generate([question()])
        model.close()
        body = server.questions[0].body
        assert "seed" not in body
        assert (body["temperature"], body["max_tokens"]) == (0, 99)
        assert body["chat_template_kwargs"] == {"enable_thinking": False}
