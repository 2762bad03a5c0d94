"""What goes wrong between here and a server: no answer is lost, stored twice or made up."""

import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from auditkit.errors import AuditkitError
from auditkit.models.endpoint.failure import FEW
from tests.models.endpoint.conftest import free_port, question
from tests.models.endpoint.faults import KINDS, LATER, ODD, Breaking, Server, answer_of, completion

# --- one fault at a time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_after_two_faults_the_answer_is_the_servers_own(endpoint, short_waits, kind):
    with Server() as behind, Breaking(behind.port, lambda body, before: kind if before < 2 else None) as server:
        (response,) = endpoint(server, deadline=1.2).generate([question()])
        assert response.error is None
        assert response.text == answer_of(behind.questions[0].body) != "33"
        assert server.faults == {kind: 2}
        assert behind.answered == 1


def test_faults_that_stay_are_errors_of_those_requests_only(endpoint, short_waits):
    kinds = [kind for kind in KINDS if kind != "wrong-model"]  # after which nobody else is answered either

    def script(body, before):
        number = int(body["messages"][0]["content"][-1]["text"].split()[-1].rstrip("."))
        return kinds[number] if number < len(kinds) else None

    with Server() as behind, Breaking(behind.port, script) as server:
        model = endpoint(server, deadline=1.5, concurrency=32)
        responses = model.generate([question(i) for i in range(len(kinds) + 10)])
        bad, good = responses[: len(kinds)], responses[len(kinds) :]
        assert all((r.text, r.finish_reason) == ("", "error") for r in bad)
        assert all("attempt" in r.error for r in bad)
        assert all(r.error is None for r in good)
        assert all(server.faults[kind] == FEW for kind in kinds if kind in ODD), server.faults
        assert all(server.faults[kind] >= 2 for kind in kinds), server.faults
        assert model.generate([question(50)])[0].error is None


@pytest.mark.parametrize("kind", ["400", "413", "422"])
def test_refused_request_is_not_put_again(endpoint, kind):
    def reply(body):
        if "number 1." in json.dumps(body):
            return int(kind), {"error": {"message": "the image is too large"}}
        return completion(body)

    with Server(reply) as server:
        responses = endpoint(server).generate([question(i) for i in range(3)])
        assert responses[1].error == f"HTTP {kind}: the image is too large"
        assert [r.error is None for r in responses] == [True, False, True]
        assert len(server.questions) == 3


@pytest.mark.parametrize(
    ("status", "said", "typed"),
    [
        (401, "HTTP 401: no", "export MY_KEY="),
        (403, "HTTP 403: no", "export MY_KEY="),
        (404, "HTTP 404: no", "http://host:port/v1"),
        (302, "moved to http://elsewhere/v1", "address that it moved to"),
    ],
)
def test_what_concerns_every_request_ends_the_call_at_once(endpoint, status, said, typed):
    def reply(body):
        return status, {"error": {"message": "no"}}, {"location": "http://elsewhere/v1"}

    with Server(reply) as server:
        with pytest.raises(AuditkitError) as raised:
            endpoint(server, with_={"key_variable": "MY_KEY"}, concurrency=2).generate([question(i) for i in range(50)])
        assert said in raised.value.problem
        assert typed in raised.value.remedy
        assert len(server.questions) <= 2, "those that were under way already"


def test_answers_before_the_key_ran_out_are_kept(endpoint):
    def reply(body):
        return (402, {"error": "no credit"}) if server.answered >= 5 else completion(body)

    with Server(reply) as server:
        model = endpoint(server, concurrency=1)
        responses = model.generate([question(i) for i in range(20)])
        assert [r.error is None for r in responses] == [True] * 5 + [False] * 15
        assert len(server.questions) == 6
        with pytest.raises(AuditkitError, match="no credit"):
            model.generate([question(20)])
        assert len(server.questions) == 6


def test_server_that_answers_as_another_model_is_not_audited(endpoint, short_waits):
    with Server(lambda body: completion(body, "33", model="a-smaller-one")) as server:
        with pytest.raises(AuditkitError, match="answered as model 'a-smaller-one', not as 'stub-vlm'") as raised:
            endpoint(server, concurrency=1).generate([question(i) for i in range(3)])
        assert "aliases" in raised.value.remedy
        assert endpoint(server, with_={"aliases": ["a-smaller-one"]}).generate([question()])[0].text == "33"


def test_server_that_comes_up_late(endpoint):
    port = free_port()
    model, found = endpoint(f"http://127.0.0.1:{port}/v1"), []
    asking = threading.Thread(target=lambda: found.extend(model.generate([question()])))
    asking.start()
    time.sleep(0.7)
    with Server(port=port):
        asking.join(20)
    assert [r.error for r in found] == [None]


def test_server_that_is_not_there_is_told_within_the_time_of_a_first_contact(endpoint, short_contact):
    start = time.monotonic()
    with pytest.raises(AuditkitError, match="cannot be reached: ConnectError") as raised:
        endpoint(f"http://127.0.0.1:{free_port()}/v1").generate([question()])
    assert time.monotonic() - start < 4
    assert "Start the server" in raised.value.remedy


# --- being stopped --------------------------------------------------------------------------------------------------


def test_closing_ends_a_call(endpoint):
    with Server() as behind, Breaking(behind.port, lambda body, before: "hang") as server:
        model, found = endpoint(server, deadline=60.0), []
        asking = threading.Thread(target=lambda: found.extend(model.generate([question(i) for i in range(40)])))
        asking.start()
        while server.under_way < 16:
            time.sleep(0.01)
        start = time.monotonic()
        model.close()
        asking.join(5)
        assert not asking.is_alive()
        assert time.monotonic() - start < 2
        assert [r.error for r in found] == ["the connection was closed meanwhile"] * 40
        server.script = lambda body, before: None
        assert model.generate([question()])[0].error is None, "the next question opens the connections anew"


INTERRUPTED = """
import sys, time
from auditkit.ask.ask import Asker
from auditkit.models.base import ModelOptions
from auditkit.models.endpoint import EndpointModel
from tests.models.endpoint.conftest import question

model = EndpointModel(sys.argv[1], "stub-vlm", name="m", options=ModelOptions(deadline=60.0))
asker = Asker(model, 600.0)
try:
    asker.ask([question(i) for i in range(40)])
except KeyboardInterrupt:
    asker.close()
    model.close()
    print("interrupted")
"""


def test_interrupt_ends_the_process(pytestconfig):
    with Server() as behind, Breaking(behind.port, lambda body, before: "hang") as server:
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, server.url],
            cwd=pytestconfig.rootpath, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            until = time.monotonic() + 60
            while server.under_way < 16 and time.monotonic() < until:
                time.sleep(0.02)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
        assert time.monotonic() - start < 5
        assert (out, err, process.returncode) == ("interrupted\n", "", 0)


assert set(LATER) | set(ODD) == set(KINDS)
