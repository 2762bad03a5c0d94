"""``--audit-scoring=generate`` asks every back end for answers only; one kind is never taken for the other."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from auditkit.ask.plan import Plan
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.tally import Tally
from auditkit.models.base import ModelOptions, Response
from auditkit.models.dual_encoder import DualEncoder
from auditkit.models.endpoint import EndpointModel
from auditkit.models.local import LocalModel
from auditkit.protocol.effects import change, share
from auditkit.vocabulary import Perturbation
from tests.models.conftest import request_of
from tests.models.endpoint.faults import SERVED, Server, completion

EFFECTS = (change(Perturbation("pixelate", 3), family="metadata"), share("refused", "grade", family="answers"))


class Generous:
    """As a model of somebody else may be: it gives probabilities whatever it is asked."""

    name = revision = fingerprint = "generous"

    def __init__(self) -> None:
        self.choices: list[tuple[str, ...] | None] = []

    def generate(self, requests):
        self.choices += [request.choices for request in requests]
        return [Response("good", {"good": -0.1, "usable": -3.0}) for _ in requests]


def listed(body: dict) -> dict:
    """What a server says that gives probabilities to whoever asks for them."""
    said = completion(body, "good")
    if body.get("logprobs"):
        top = [{"token": "good", "logprob": -0.25}]
        said["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    return said


@pytest.fixture
def server():
    with Server(listed) as server:
        yield server


@pytest.fixture(params=["imported", "endpoint", "dual encoder", "local"])
def model(request, checkpoint, server):
    if request.param == "imported":
        yield Generous()
        return
    made = {
        "endpoint": lambda: EndpointModel(server.url, SERVED, name="m", options=ModelOptions(deadline=10.0)),
        "dual encoder": lambda: DualEncoder(checkpoint("clip"), name="m"),
        "local": lambda: LocalModel(checkpoint("llava"), name="m"),
    }[request.param]()
    yield made
    made.close()


@pytest.fixture
def run(store, protocol, model):
    """One pass, and the answers that whoever reads it finds."""

    def run(records, probabilities):
        plan, catalogue = Plan(records, EFFECTS, protocol), protocol.catalogue
        renderer = Renderer(store, 1, catalogue)
        tally = prefetch(
            plan, model, store, renderer, batch_size=8, deadline=60, on_progress=lambda tally: None,
            probabilities=probabilities,
        )  # fmt: skip
        assert tally.errors == {}
        keys, known = Keys(model, 8, catalogue, probabilities=probabilities), digests(plan, store, renderer, Tally())
        answers = {}
        for record in records:
            probes = plan.probes(record)
            shown = {probe: catalogue.pictures(probe.question.condition) for probe in probes}
            rendered = renderer.known(record, known[record.id], set(shown.values()))
            by_key = {keys.of(probe, rendered[shown[probe]]): probe for probe in probes}
            answers |= {by_key[key]: answer for key, answer in store.answers(by_key).items()}
        return tally, answers

    return run


def test_answers_only_has_no_probabilities_in_any_back_end(run, records, model, server):
    some = records(2, side=64)
    tally, answers = run(some, False)
    assert tally.asked == len(answers) == 6
    assert {answer.logprobs for answer in answers.values()} == {None}
    if isinstance(model, Generous):
        assert set(model.choices) == {None}
    if isinstance(model, EndpointModel):
        assert not any("logprobs" in heard.body or "top_logprobs" in heard.body for heard in server.questions)


def test_answers_without_probabilities_are_not_taken_for_answers_with_them(run, records):
    some = records(2, side=64)
    _, plain = run(some, False)
    tally, both = run(some, True)
    assert (tally.held, tally.asked) == (0, 6), "asked again, because the first answers have no probabilities"
    assert any(answer.logprobs for answer in both.values())
    assert {p: a.text for p, a in both.items()} == {p: a.text for p, a in plain.items()}
    for probabilities in (False, True):
        assert run(some, probabilities)[0].asked == 0


def test_a_dual_encoder_answers_alike_with_and_without_choices(checkpoint):
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40), dtype=np.uint8))
    request = request_of(image, "grade.direct")
    with_choices, without = DualEncoder(checkpoint("clip"), name="m").generate(
        [request, replace(request, choices=None)]
    )
    assert with_choices == without
