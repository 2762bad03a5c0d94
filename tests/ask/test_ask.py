import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from auditkit.ask.ask import MAX_REASON, MAX_TEXT, Asker
from auditkit.errors import AuditkitError
from auditkit.models.base import Request, Response

IMAGE = Image.new("L", (8, 8))
CHOICES = ("A", "B")


def requests(n: int) -> list[Request]:
    return [Request(f"r{i}", (IMAGE,), f"question {i}", choices=CHOICES) for i in range(n)]


class Raw:
    """A model whose `generate` is the function given."""

    def __init__(self, generate) -> None:
        self.generate = generate


def ask(generate, n: int = 3, deadline: float = 20.0) -> list[Response]:
    asker = Asker(Raw(generate), deadline)
    try:
        return asker.ask(requests(n))
    finally:
        asker.close()


def errors(responses: list[Response]) -> list[str]:
    assert all(r.text == "" and r.finish_reason == "error" for r in responses if r.error is not None)
    return [r.error or "" for r in responses]


def test_answers_come_back_in_order():
    found = ask(lambda rs: [Response(r.prompt, {"A": -0.5}, "length") for r in rs])
    assert found == [Response(f"question {i}", {"A": -0.5}, "length") for i in range(3)]
    assert ask(lambda rs: tuple(Response("x") for _ in rs)) == [Response("x")] * 3
    assert ask(lambda rs: [], 0) == []


def test_probabilities_that_nobody_asked_for_are_dropped():
    """As of a model that gives them whatever it is asked; nonsense among them does no harm then."""

    def generate(rs):
        return [Response(r.prompt, {"A": -0.5} if r.id == "r1" else "nonsense") for r in rs]

    asker = Asker(Raw(generate), 20.0)
    try:
        responses = asker.ask([Request(f"r{i}", (IMAGE,), "x", choices=None) for i in range(3)])
    finally:
        asker.close()
    assert responses == [Response("x")] * 3


def test_one_request_that_raises_costs_only_itself():
    def generate(rs):
        if any(r.id == "r1" for r in rs):
            raise ValueError("cannot see r1")
        return [Response("fine") for _ in rs]

    found = ask(generate, 4)
    assert [r.text for r in found] == ["fine", "", "fine", "fine"]
    assert errors(found)[1] == "the model raised ValueError: cannot see r1"


@pytest.mark.parametrize("error", [RuntimeError("x" * 9999), SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_whatever_the_model_raises_is_an_error(error):
    def generate(rs):
        raise error

    found = errors(ask(generate, 2))
    assert all(f"raised {type(error).__name__}" in text and len(text) <= MAX_REASON for text in found)


def test_exception_that_cannot_say_what_it_is():
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def generate(rs):
        raise Mute

    assert errors(ask(generate, 1)) == ["the model raised Mute"]


def test_checkpoint_that_cannot_be_loaded_stops_at_once():
    calls = []

    def generate(rs):
        calls.append(len(rs))
        raise AuditkitError("the checkpoint is broken.")

    with pytest.raises(AuditkitError, match="checkpoint is broken"):
        ask(generate)
    assert calls == [3]


def test_hanging_model_is_given_up_and_not_asked_again():
    calls, gate = [], threading.Event()

    def generate(rs):
        calls.append(len(rs))
        gate.wait(10)
        return [Response("late") for _ in rs]

    asker = Asker(Raw(generate), 0.2)
    start = time.monotonic()
    found = errors(asker.ask(requests(3)))
    assert all("did not return within 0.2 s (--audit-deadline); nothing more was asked" in text for text in found)
    gate.set()
    assert errors(asker.ask(requests(2))) == found[:2]
    assert time.monotonic() - start < 5
    assert calls == [3]
    asker.close()


def test_thread_ends_with_the_asker():
    asker = Asker(Raw(lambda rs: [Response("x") for _ in rs]), 5)
    mine = [t for t in threading.enumerate() if t.name == "auditkit-model"][-1]
    asker.ask(requests(1))
    asker.close()
    mine.join(5)
    assert not mine.is_alive()


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned NoneType instead of a list"),
        ("4/5", "returned str instead of a list"),
        (b"4/5", "returned bytes instead of a list"),
        ({}, "returned dict instead of a list"),
        (np.zeros(3), "returned ndarray instead of a list"),
        ([], "returned 0 answers to 1 requests"),
        ([Response("a"), Response("b")], "returned 2 answers to 1 requests"),
    ],
)
def test_what_is_no_list_of_the_right_length(returned, words):
    assert all(words in text for text in errors(ask(lambda rs: returned, 3)))


def test_generator_is_no_list():
    assert all("returned generator" in text for text in errors(ask(lambda rs: (Response("x") for _ in rs))))


def test_too_few_answers_to_a_batch_are_asked_one_by_one():
    found = ask(lambda rs: [Response(r.prompt) for r in rs[:2]], 3)
    assert [r.text for r in found] == ["question 0", "question 1", "question 2"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "returned None"),
        ("4/5", "returned str instead of a Response"),
        (b"4/5", "returned bytes"),
        (4.0, "returned float"),
        (Response(None), "Response.text is NoneType"),  # type: ignore[arg-type]
        (Response(b"4"), "Response.text is bytes"),  # type: ignore[arg-type]
        (Response("4", finish_reason="eos"), "finish_reason is 'eos'"),  # type: ignore[arg-type]
        (Response("4", finish_reason=None), "finish_reason is None"),  # type: ignore[arg-type]
        (Response("4", finish_reason="error"), "finish_reason is 'error'"),
        (Response("4", error="out of memory"), "out of memory"),
        (Response("4", logprobs=[1.0]), "logprobs is [1.0]"),  # type: ignore[arg-type]
        (Response("4", logprobs={"A": "likely"}), "logprobs is {'A': 'likely'}"),  # type: ignore[dict-item]
    ],
)
def test_answer_that_breaks_the_contract_costs_only_itself(answer, words):
    found = ask(lambda rs: [Response("fine"), answer, Response("fine")])
    assert [r.text for r in found] == ["fine", "", "fine"]
    assert words in errors(found)[1]


def test_answer_whose_parts_raise_or_hang_is_the_models_fault():
    class Trap:
        @property
        def text(self) -> str:
            raise RuntimeError("trap")

    assert errors(ask(lambda rs: [Trap() for _ in rs], 1)) == ["the model raised RuntimeError: trap"]

    class Slow:
        @property
        def text(self) -> str:
            time.sleep(1)
            return "4"

    assert "did not return" in errors(ask(lambda rs: [Slow()], 1, deadline=0.1))[0]


def test_log_probabilities_of_numpy_become_numbers():
    found = ask(lambda rs: [Response("A", {"A": np.float32(-0.25)})], 1)[0]
    assert found.logprobs == {"A": -0.25}
    assert type(found.logprobs["A"]) is float


def test_ten_megabytes_are_cut_and_said_to_be_cut():
    found = ask(lambda rs: [Response("4" * 10_000_000)], 1)[0]
    assert (found.text, found.finish_reason) == ("4" * MAX_TEXT, "length")


def test_what_cannot_be_stored_is_written_out():
    found = ask(lambda rs: [Response("a\x00b\ud800c\x1b[31m\u202e")], 1)[0]
    assert found.text == "a\\x00b\\ud800c\x1b[31m\u202e"
    assert errors(ask(lambda rs: [Response(error="bad \udfff")], 1)) == ["bad \\udfff"]


@given(st.text())
def test_every_text_can_be_stored_and_plain_text_is_left_as_it_is(text):
    found = ask(lambda rs: [Response(text)], 1)[0].text
    assert "\x00" not in found
    assert found.encode("utf-8").decode("utf-8") == found
    if "\x00" not in text and not any("\ud800" <= c <= "\udfff" for c in text):
        assert found == text
