"""Whether another run can help is told by what happened, not assumed."""

import pytest

from auditkit.ask.ask import Asker
from auditkit.models.again import of_status, of_words, remedy
from auditkit.models.base import Request, Response
from auditkit.models.endpoint.failure import Failure
from auditkit.models.endpoint.failure import of_status as failure_of

REQUEST = Request("k", (), "How good?")


class Client(Exception):
    """As clients of servers raise: the status beside the words."""

    def __init__(self, status):
        self.status_code = status
        super().__init__(f"the server said {status}")


class Raises:
    def __init__(self, error):
        self.error = error

    def generate(self, requests):
        raise self.error


class Says:
    def __init__(self, answer):
        self.answer = answer

    def generate(self, requests):
        return [self.answer for _ in requests]


def asked(model) -> Response:
    asker = Asker(model, 5.0)
    try:
        return asker.ask([REQUEST])[0]
    finally:
        asker.close()


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 405, 410, 413, 415, 422, 301])
def test_what_a_server_refuses_it_refuses_again(status):
    assert not of_status(status)
    assert of_words(f"HTTP {status}: no") is False
    assert not failure_of(status, b"no", {}, (), "KEY").again


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 529])
def test_a_server_with_too_much_to_do_may_answer_later(status):
    assert of_status(status)
    assert of_words(f"HTTP {status}: later (attempt 7, after 15 s)") is True
    assert failure_of(status, b"later", {}, (), "KEY").again


def test_a_failure_with_something_to_put_right_first_is_not_helped_by_another_run():
    assert Failure("no answer within 3 s").again
    assert Failure("the reply is not JSON", tries=7).again
    assert not Failure("answered as another model", tries=7, remedy="Ask for that name.").again


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ValueError("Image features and image tokens do not match: tokens: 0, features 256"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied (1x768 and 1024x4)"), False),
        (IndexError("index out of range in self"), False),
        (FileNotFoundError("weights.bin"), False),
        (NotImplementedError(), False),
        (Client(400), False),
        (Client(404), False),
        (Client(429), True),
        (Client(503), True),
        (TimeoutError(), True),
        (ConnectionResetError("reset by peer"), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (MemoryError(), True),
        (type("ReadTimeout", (Exception,), {})("read"), True),
    ],
)
def test_what_a_model_raises(error, again):
    response = asked(Raises(error))
    assert response.error.startswith("the model raised ")
    assert response.again is again


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        (Response(error="HTTP 400: the image is too large", finish_reason="error"), False),
        (Response(error="Error code: 429 - slow down", finish_reason="error"), True),
        (Response(error="request timed out", finish_reason="error"), True),
        (Response(error="no", finish_reason="error"), None),
        (Response(error="HTTP 400: busy", finish_reason="error", again=True), True),
        (None, False),
        ("70", False),
    ],
)
def test_what_a_model_says_itself(answer, again):
    assert asked(Says(answer)).again is again


def test_a_call_that_does_not_return_may_return_another_time():
    class Hangs:
        def generate(self, requests):
            import time

            time.sleep(1.0)
            return []

    asker = Asker(Hangs(), 0.05)
    assert asker.ask([REQUEST])[0].again is True
    asker.close()


def test_run_again_is_said_only_where_it_can_help():
    assert remedy([True, True]) == "Run again to ask for these; what was answered is kept."
    assert "run again" not in remedy([False, False]).lower()
    assert "change what it names" in remedy([False, None])
    assert remedy([True, False]).startswith("For some of these it can help to run again")
    assert remedy([]) == remedy([None, None]) == ""
