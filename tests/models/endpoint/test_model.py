"""What an `EndpointModel` says of itself, what it asks, and what it never tells."""

import json
import logging
import math
import shutil
import ssl
import subprocess
import time

import pytest

from auditkit.ask.ask import Asker
from auditkit.ask.store import StoredAnswer
from auditkit.errors import AuditkitError
from auditkit.models.base import Request
from auditkit.models.endpoint import EndpointModel, probe
from auditkit.models.endpoint.failure import retry_after, words
from tests.models.endpoint.conftest import free_port, question
from tests.models.endpoint.faults import SERVED, Server, answer_of, completion

SECRET = "sk-5up3r-s3cr3t"


def listing(**entry) -> dict:
    return {"/v1/models": (200, {"object": "list", "data": [{"id": SERVED, "object": "model", "created": 1, **entry}]})}


def test_answers_keep_the_order_of_the_requests(endpoint):
    with Server() as server:
        asked = [question(i, choices=("yes", "no")) for i in range(40)]
        found = endpoint(server, concurrency=8).generate(asked)
        by_text = {heard.body["messages"][0]["content"][1]["text"]: answer_of(heard.body) for heard in server.questions}
        assert [r.text for r in found] == [by_text[request.prompt] for request in asked]
        assert endpoint(server).generate([]) == []


def test_nothing_is_sent_before_something_is_wanted(endpoint):
    with Server() as server:
        model = endpoint(server)
        assert server.heard == []
        assert repr(model) == f"EndpointModel('{server.url}', 'stub-vlm', name='m')"
        assert model.batch_size == endpoint(server, concurrency=64).batch_size, "it is part of every answer's key"
        assert model.call_deadline > model.batch_size / 16 * model.deadline


def test_one_bad_image_costs_one_request(endpoint):
    class Broken:
        mode = "L"

        def save(self, *args, **options):
            raise OSError("cannot be encoded")

    with Server() as server:
        bad = Request("bad", (Broken(),), "Rate this.")
        found = endpoint(server).generate([question(1), bad, question(2)])
        assert [r.error for r in found] == [None, "OSError: cannot be encoded", None]


# --- what the server takes ------------------------------------------------------------------------------------------


def refusing(field: str, said: str):
    def reply(body):
        return (400, {"error": {"message": said}}) if field in body else completion(body)

    return reply


def test_server_that_counts_completion_tokens(endpoint):
    said = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with Server(refusing("max_tokens", said)) as server:
        model = endpoint(server, concurrency=1)
        assert [r.error for r in model.generate([question(i, max_new_tokens=9) for i in range(4)])] == [None] * 4
        assert ["max_tokens" in heard.body for heard in server.questions] == [True] + [False] * 4
        assert {heard.body.get("max_completion_tokens", 9) for heard in server.questions} == {9}


SYSTEM = [
    "System role not supported",
    "Conversation roles must alternate user/assistant/user/assistant/...",
    "Developer instruction is not enabled for models/gemma-3-4b-it",
    "Only user and assistant roles are supported!",
    "messages[0].role: 'system' is not allowed",
    "This model does not support the system message",
]


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize("said", SYSTEM)
def test_a_system_turn_that_is_refused_goes_before_the_text(endpoint, said, status):
    def reply(body):
        if body["messages"][0]["role"] == "system":
            return status, {"error": {"message": said}}
        return completion(body, "70")

    with Server(reply) as server:
        model = endpoint(server, concurrency=1)
        asked = [question(i, system="Be brief.") for i in range(3)]
        assert [(r.error, r.text) for r in model.generate(asked)] == [(None, "70")] * 3
        [refused, *others] = server.questions
        assert refused.body["messages"][0]["role"] == "system"
        for heard, request in zip(others, asked, strict=True):
            [message] = heard.body["messages"]
            assert message["content"][-1] == {"type": "text", "text": f"Be brief.\n\n{request.prompt}"}
        assert model.limits == ("The server takes no system turn: what it was to say was put before the user's text.",)


def test_another_refusal_does_not_move_the_system_turn(endpoint):
    with Server(lambda body: (400, {"error": {"message": "The image is too large for this system."}})) as server:
        model = endpoint(server, concurrency=1)
        [found] = model.generate([question(0, system="Be brief.")])
        assert "too large" in found.error
        assert (len(server.questions), model.limits) == (1, ())


def test_unknown_ends_are_told(endpoint):
    def reply(body):
        found = completion(body, "70")
        found["choices"][0]["finish_reason"] = "weather"
        return found

    with Server(reply) as server:
        model = endpoint(server)
        model.generate([question(i) for i in range(3)])
        [said] = model.limits
        assert "'weather' (3)" in said


def test_server_without_logprobs_is_asked_for_them_once(endpoint):
    with Server(refusing("logprobs", "logprobs are not supported")) as server:
        model = endpoint(server, concurrency=1)
        found = model.generate([question(i, choices=("yes", "no")) for i in range(4)])
        assert [(r.error, r.logprobs) for r in found] == [(None, None)] * 4
        assert ["logprobs" in heard.body for heard in server.questions] == [True] + [False] * 4


def test_logprobs_are_asked_for_only_where_they_can_be_told(endpoint):
    with Server() as server:
        asked = [None, ("yes", "no"), tuple(map(str, range(101))), ("A", "B")]
        endpoint(server, concurrency=1).generate([question(0, choices=choices) for choices in asked])
        assert [heard.body.get("top_logprobs") for heard in server.questions] == [None, 20, None, 20]


def test_logprobs_arrive(endpoint):
    def reply(body):
        top = [{"token": "yes", "logprob": math.log(0.75)}, {"token": "No", "logprob": math.log(0.125)}]
        found = completion(body, "yes")
        found["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
        return found

    with Server(reply) as server:
        (found,) = endpoint(server).generate([question(choices=("yes", "no"))])
        assert {k: math.exp(v) for k, v in found.logprobs.items()} == pytest.approx({"yes": 0.75, "no": 0.125})


# --- who answers ----------------------------------------------------------------------------------------------------


def fingerprint(endpoint, server, **with_) -> str:
    return endpoint(server, with_={"revision": "r1"} | with_).fingerprint


def test_fingerprint_covers_what_changes_answers(endpoint):
    with Server(pages={"/version": (200, {"version": "0.9.1"})}) as server:
        first = fingerprint(endpoint, server)
        assert fingerprint(endpoint, server) == first
        others = [
            fingerprint(endpoint, server, revision="r2"),
            fingerprint(endpoint, server, extra={"top_p": 0.5}),
            fingerprint(endpoint, server, extra={"seed": None}),
            endpoint(server, "other", with_={"revision": "r1"}).fingerprint,
            endpoint(server, with_={"revision": "r1"}, exact=True).fingerprint,
        ]
        server.pages["/version"] = (200, {"version": "0.9.2"})
        others.append(fingerprint(endpoint, server))
        server.pages |= listing(root="/models/a")
        others.append(fingerprint(endpoint, server))
        assert len({first, *others}) == len(others) + 1
        again = endpoint(server, with_={"revision": "r1"}, concurrency=3, deadline=5.0, rate_limit=900.0)
        assert again.fingerprint == others[-1], "how it is asked changes no answer"


def test_fingerprint_does_not_cover_times_and_states(endpoint):
    with Server(pages=listing(created=1, status={"value": "loading"})) as server:
        first = fingerprint(endpoint, server)
        server.pages |= listing(created=2, status={"value": "loaded"})
        assert fingerprint(endpoint, server) == first


def test_same_name_elsewhere_is_another_model_until_something_vouches_for_it(endpoint):
    digest = {"/api/tags": (200, {"models": [{"name": f"{SERVED}:latest", "digest": "sha256:" + "ab" * 32}]})}
    with Server() as one, Server() as other:
        assert endpoint(one).fingerprint != endpoint(other).fingerprint
        assert fingerprint(endpoint, one) == fingerprint(endpoint, other)
        assert endpoint(one).revision == ""
        one.pages |= digest
        other.pages |= digest
        assert endpoint(one).fingerprint == endpoint(other).fingerprint
        assert endpoint(one).revision == "abababababab"
        assert endpoint(one, with_={"revision": "r1"}).revision == "r1"


@pytest.mark.parametrize(
    ("path", "page", "software"),
    [
        ("/version", {"version": "0.9.1"}, "vllm 0.9.1"),
        ("/api/version", {"version": "0.12.0"}, "ollama 0.12.0"),
        ("/props", {"build_info": "b8681", "model_path": "x.gguf"}, "llama.cpp b8681"),
        ("/get_server_info", {"version": "0.5.2"}, "sglang 0.5.2"),
        ("/version", "<html>no such page</html>", "an OpenAI-compatible server"),
        ("/version", [1], "an OpenAI-compatible server"),
        ("/version", {"version": 3}, "an OpenAI-compatible server"),
    ],
)
def test_software_is_what_the_server_tells(endpoint, path, page, software):
    with Server(pages={path: (200, page)}) as server:
        start = time.monotonic()
        assert endpoint(server).description == f"stub-vlm, served by {software}"
        assert endpoint(server, "/srv/weights/vlm").description == f"vlm, served by {software}", "no path of a server"
        assert time.monotonic() - start < 2, "a page that is no JSON is not asked for again"


@pytest.mark.parametrize("status", [404, 500, 401])
def test_server_that_lists_no_models(endpoint, status):
    with Server(pages={"/v1/models": (status, {"error": "no"})}) as server:
        assert endpoint(server).generate([question()])[0].error is None


@pytest.mark.parametrize("owner", ["llamacpp", "sglang"])
def test_server_that_answers_under_any_name_is_held_to_its_list(endpoint, owner):
    with Server(pages=listing(owned_by=owner, root="/models/vlm.gguf", aliases=["vlm"])) as server:
        for name in (SERVED, "vlm", "/models/vlm.gguf"):
            assert endpoint(server, name).generate([question()])[0].error is None
        with pytest.raises(AuditkitError, match="serves stub-vlm, not 'medgemma'") as raised:
            endpoint(server, "medgemma").generate([question()])
        assert "Ask for 'stub-vlm'" in raised.value.remedy
        assert len(server.questions) == 3
        assert endpoint(server, "medgemma", with_={"aliases": [SERVED]}).generate([question()])[0].error is None


def test_listed_root_is_the_same_model(endpoint):
    pages = listing(root="org/vlm-7b")
    with Server(lambda body: completion(body, "70", model="org/vlm-7b"), pages=pages) as server:
        assert endpoint(server).generate([question()])[0].text == "70"


# --- addresses and keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "typed"),
    [
        ("localhost:8000", "http://host:port/v1"),
        ("ftp://host/v1", "http://host:port/v1"),
        ("http://host:99999/v1", "http://host:port/v1"),
        ("http:///v1", "http://host:port/v1"),
        ("http://host:8000", "--audit-endpoint=http://host:8000/v1"),
        ("http://host/v1/chat/completions", "--audit-endpoint=http://host/v1"),
        (f"http://user:{SECRET}@host/v1", "export AUDITKIT_API_KEY"),
        (f"http://host/v1?key={SECRET}", "export AUDITKIT_API_KEY"),
        (f"http://host/v1#{SECRET}", "export AUDITKIT_API_KEY"),
        (f"http://user:12/{SECRET}@host/v1", "export AUDITKIT_API_KEY"),
        (f"http://user:a@{SECRET}@host/v1", "export AUDITKIT_API_KEY"),
        (f"http://user:a b/{SECRET}@host/v1", "export AUDITKIT_API_KEY"),
        (f"user:{SECRET}@host/v1", "export AUDITKIT_API_KEY"),
        (f"http:/user:{SECRET}@host/v1", "export AUDITKIT_API_KEY"),
        (f"http://[{SECRET}/v1", "http://host:port/v1"),
        ("http://host\\.example/v1", "http://host:port/v1"),
    ],
)
def test_address_that_cannot_be_one(address, typed):
    with pytest.raises(AuditkitError) as raised:
        EndpointModel(address, "vlm", name="m")
    assert typed in raised.value.remedy
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("address", ["http://[::1]:8000/v1/", "https://host/openai/v1", "http://host:1/api/v3"])
def test_address_that_can(address):
    assert EndpointModel(address, "vlm", name="m").base_url == address.rstrip("/")


def test_key_is_sent_and_told_nowhere(endpoint, monkeypatch, caplog, store, tmp_path):
    """By a server that quotes it wherever it can."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AUDITKIT_API_KEY", f" {SECRET}\n")
    told = []

    def reply(body):
        if (status := told.pop(0)) != 200:
            return status, {"error": {"message": f"Incorrect API key provided: {SECRET}."}}
        return completion(body)

    with Server(reply) as server:
        model, texts = endpoint(server, deadline=1.5), []
        for statuses in ([200], [400], [429] * 9, [500] * 9, [401]):
            told[:] = statuses
            asker = Asker(model, 10.0)
            try:
                (response,) = asker.ask([question()])
                store.add_answers({str(statuses): StoredAnswer(response.text + str(response.error), "stop", None)}, "m")
                texts.append(str(response))
            except AuditkitError as error:
                texts.append(str(error))
            asker.close()
        assert {heard.headers["authorization"] for heard in server.questions} == {f"Bearer {SECRET}"}
        assert "[key]" in texts[1]
        assert "export AUDITKIT_API_KEY" in texts[-1]
        texts += [repr(model), str(vars(model)), str(vars(model._client)), model.description, caplog.text]
    assert "HTTP 400" in str(texts)
    assert SECRET not in "".join(texts)
    store.close()
    assert all(SECRET.encode() not in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


@pytest.mark.parametrize("key", ["sk-\u200bhidden", "sk-one\nsk-two"])
def test_key_that_cannot_be_one(endpoint, monkeypatch, key):
    monkeypatch.setenv("MY_KEY", key)
    with Server() as server, pytest.raises(AuditkitError, match=r"the key in \$MY_KEY") as raised:
        endpoint(server, with_={"key_variable": "MY_KEY"}).generate([question()])
    assert "sk-" not in str(raised.value)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_certificate_of_a_stranger(endpoint, tmp_path, monkeypatch):
    """As of a hospital's own authority: waiting would not help, naming the authority does."""
    key, authority = tmp_path / "key.pem", tmp_path / "authority.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hospital"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(authority)]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority, key)
    with Server(ssl=context) as server:
        address = server.url.replace("http:", "https:")
        start = time.monotonic()
        with pytest.raises(AuditkitError, match="CERTIFICATE_VERIFY_FAILED") as raised:
            endpoint(address).generate([question()])
        assert time.monotonic() - start < 5
        assert "export SSL_CERT_FILE=" in raised.value.remedy
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert endpoint(address).generate([question()])[0].error is None


# --- what doctor asks, and small parts --------------------------------------------------------------------------------


def test_probe(short_contact):
    with Server(pages={"/version": (200, {"version": "0.9.1"})}) as server:
        ok, found, remedy = probe(server.url, SERVED)
        assert (ok, remedy) == (True, "")
        assert f"stub-vlm, served by vllm 0.9.1 at {server.url}: " in found
        (heard,) = server.questions
        assert heard.body["max_tokens"] == 1
    with Server(lambda body: (400, {"error": "this model takes no images"})) as server:
        ok, found, remedy = probe(server.url, SERVED)
        assert (ok, remedy) == (False, "The server lists: stub-vlm.")
        assert "this model takes no images" in found
    with Server(lambda body: (401, {"error": "who are you?"})) as server:
        assert probe(server.url, SERVED, "MY_KEY")[2] == "Set the server's key: export MY_KEY=..."
    ok, found, remedy = probe(f"http://127.0.0.1:{free_port()}/v1", SERVED)
    assert not ok
    assert "cannot be reached" in found
    assert "Start the server" in remedy
    assert not probe("nonsense", SERVED)[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": "too long", "type": "x"}}, "too long"),
        ({"error": "too long"}, "too long"),
        ({"detail": "too long"}, "too long"),
        ({"detail": [{"loc": ["body"], "msg": "too long", "input": "data:image/png"}]}, "too long"),
        ({"message": f"key {SECRET}  is\nwrong"}, "key [key] is wrong"),
        ({"status": 3}, '{"status": 3}'),
        ([], "[]"),
    ],
)
def test_words_of_an_error(body, expected):
    assert words(json.dumps(body).encode(), SECRET) == expected


def test_words_of_a_page_are_cut():
    assert words(b"<html>\xff" + b"x" * 10_000, "") == "<html>\ufffd" + "x" * 193 + "…"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, None), ("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("nan", None), ("inf", None),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_header(value, expected):
    assert retry_after(value) == expected
