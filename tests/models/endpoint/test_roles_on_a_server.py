"""A judge and a decider on a real server, of a real checkpoint: questions about texts, without any picture."""

from dataclasses import replace
from pathlib import Path

import pytest

from auditkit import description, load_protocol, medq
from auditkit.models.local import LocalModel
from auditkit.models.reference import checkpoint
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Question
from tests.run.rounds import Answers, ask_all

PACKS = Path(__file__).parents[3] / "packs"
SAID = "Dense areas on the left. The image is sharp and good."


@pytest.mark.slow
@pytest.mark.parametrize("role", ["judge", "decider"])
def test_who_answers_about_texts_may_be_on_a_server(store, records, real_server, endpoint, role):
    """The checkpoint knows neither task: what counts is that every text arrives and every answer is read or counted."""
    port, served = real_server
    pack, made = (medq, medq.reasoning()[:4]) if role == "judge" else (description, description.decider()[1:2])
    protocol = load_protocol(PACKS / pack.__name__.rpartition(".")[2] / "protocol.toml")
    task = "medq.reasoning.judged" if role == "judge" else "pneumonia.described"
    items = [
        replace(one, columns={"description": "Sharp.", "label": "normal" if i % 2 else "viral"})
        for i, one in enumerate(records(4, modalities=("xray",)))
    ]
    model = Answers("model", lambda request: f"{SAID} {request.id[:4]}")
    there = endpoint(f"http://127.0.0.1:{port}/v1", served, deadline=60.0)
    data, who = ask_all(store, items, made, {"model": model, role: there}, protocol)
    column = data.column(Question(task, "direct"))
    assert {OUTCOMES[code] for code in column.outcomes} <= {
        "scored",
        "unparsed",
        "refused",
        "out_of_range",
        "truncated",
    }
    assert not who[1].tally.errors
    # In this process the same checkpoint, in the dtype that the server takes, says the same.
    here = LocalModel(checkpoint("reference"), name="reference", dtype="float16")
    again, _ = ask_all(store, items, made, {"model": model, role: here}, protocol)
    assert again.column(Question(task, "direct")).says_the_same(column).all()
