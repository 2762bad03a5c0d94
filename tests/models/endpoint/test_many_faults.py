"""Passes of the engine, with a real store, through a proxy that breaks things: nothing is lost, doubled or made up."""

import json
from collections import Counter

import pytest

from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import prefetch
from auditkit.ask.render import Renderer
from auditkit.errors import AuditkitError
from auditkit.protocol.effects import differs, falls, share
from auditkit.vocabulary import Perturbation
from tests.models.endpoint.conftest import question
from tests.models.endpoint.faults import KINDS, ODD, Breaking, Server, answer_of, completion, mixture

EFFECTS = distinct([
    falls("pixelate", (1, 5), family="sensitivity"),
    differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
    differs(Perturbation("alone"), name="alone-vs-batch", family="repeatability"),
    share("refused", "grade", family="answers"),
])  # fmt: skip
PER_IMAGE = 6


@pytest.fixture
def run(store, protocol):
    """One pass of the engine over a real store."""

    def run(model, some):
        return prefetch(
            Plan(some, EFFECTS, protocol), model, store, Renderer(store, 1, protocol.catalogue), batch_size=64,
            deadline=120, on_progress=lambda tally: None,
        )  # fmt: skip

    return run


def texts(store) -> list[str]:
    """Every stored answer, once per stored row."""
    with store._engine.connect() as connection:
        return [row[0] for row in connection.exec_driver_sql("select text from answers")]


@pytest.mark.parametrize(("seed", "images"), [(1, 40), pytest.param(2, 400, marks=pytest.mark.slow)])
def test_no_answer_is_lost_doubled_or_made_up(endpoint, short_waits, run, records, store, seed, images):
    """Every third attempt is broken in one of 16 ways, the slow ones more rarely; a summary is printed (-s)."""
    kinds = tuple(kind for kind in KINDS if kind not in ("hang", "trickle")) * 5 + ("hang", "trickle")
    some = records(images)
    planned = PER_IMAGE * len(some)
    with Server() as behind, Breaking(behind.port, mixture(seed, 0.33, kinds)) as server:
        tally = run(endpoint(server, deadline=2.4, with_={"revision": "r1"}), some)
        attempts, faults = len(server.questions), sum(server.faults.values())
        said = texts(store)
        print(
            f"\nseed {seed}: {planned} questions, {attempts} attempts, {faults} faults "
            f"{dict(sorted(server.faults.items()))}, "
            f"{server.answered} answers given, {store.count()} stored, {server.answered - planned} asked twice, "
            f"{len(tally.errors)} errors"
        )
        assert tally.errors == {}
        assert tally.planned == tally.done == store.count() == planned
        assert faults > planned / 4
        assert len(server.faults) > 12
        # On a machine that stands still for a second an answer can come too late, and is asked for again.
        assert attempts == faults + server.answered >= faults + planned
        assert Counter(said) <= Counter(answer_of(heard.body) for heard in behind.questions)


def test_after_errors_a_second_run_asks_only_those_again(endpoint, short_waits, run, records, store):
    def script(body, before):
        lost = int(answer_of(body)) % 5 == 0
        return ("500", "garbage", "reset")[int(answer_of(body)) % 3] if lost else mixture(3, 0.2, ODD)(body, before)

    some = records(16)
    with Server() as behind:
        with Breaking(behind.port, script) as server:
            tally = run(endpoint(server, deadline=1.0, with_={"revision": "r1"}), some)
            first = store.count()
        assert 0 < len(tally.errors) < 48
        assert tally.done == tally.planned == first + len(tally.errors) == 16 * PER_IMAGE
        assert all("attempt" in why for why in tally.errors.values())
        before = len(behind.questions)
        assert before == first
        again = run(endpoint(behind, with_={"revision": "r1"}), some)
        assert (again.held, again.asked, again.errors) == (first, len(tally.errors), {})
        assert len(behind.questions) - before == len(tally.errors)
        assert sorted(texts(store)) == sorted(answer_of(heard.body) for heard in behind.questions)


def test_requests_that_break_the_connection_are_the_last_to_end_and_end_nothing_else(endpoint, short_waits):
    def script(body, before):
        return "reset" if "number 1." in json.dumps(body) else None

    with Server() as behind, Breaking(behind.port, script) as server:
        model = endpoint(server, deadline=1.0)
        responses = model.generate([*[question(1)] * 8, *(question(i) for i in range(2, 30))])
        assert [r.error is None for r in responses] == [False] * 8 + [True] * 28
        assert model.generate([question(2)])[0].error is None


def test_image_that_a_server_cannot_take_does_not_end_the_run(endpoint, short_waits):
    """A hundred questions are about one image."""

    def reply(body):
        return (500, {"error": "CUDA error"}) if "number 7." in json.dumps(body) else completion(body)

    with Server(reply) as server:
        model = endpoint(server)
        bad, good = [question(7)] * 100, [question(i) for i in (1, 2, 3)]
        responses = model.generate([*bad, *good])
        assert [r.error is None for r in responses] == [False] * 100 + [True] * 3
        assert responses[0].error.startswith("HTTP 500: CUDA error (attempt 7")


def test_server_that_takes_a_plain_question_only_is_given_up(endpoint, short_waits):
    def reply(body):
        return completion(body) if "Say yes." in json.dumps(body) else (400, {"error": "no such picture"})

    with Server(reply) as server:
        model = endpoint(server)
        with pytest.raises(AuditkitError, match="256 requests in a row got no answer; the last: HTTP 400: no such"):
            model.generate([question(0)] * 600)
        assert len(server.questions) < 300


def test_server_that_goes_away_ends_the_pass_and_keeps_what_it_said(endpoint, short_waits, run, records, store):
    def script(body, before):
        return "503" if server.answered >= 70 else None

    with Server() as behind, Breaking(behind.port, script) as server:
        with pytest.raises(AuditkitError, match="requests in a row got no answer") as raised:
            run(endpoint(server, deadline=1.0, concurrency=4), records(30))
        assert "run again" in raised.value.remedy
        kept = store.count()
        assert kept == server.answered >= 70
    with Server() as server:
        tally = run(endpoint(server, with_={"revision": "r1"}), records(30))
        assert tally.errors == {}
        assert store.count() == 30 * PER_IMAGE + kept, "another address without a revision may be another model"
