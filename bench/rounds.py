"""What questions about answers, pairs of pictures and options of each item cost beside the model's own work.

A second round costs its own forward passes and little more: the ratio is all of two rounds over the time spent within
``generate``. Texts about a pair of pictures share what they have in common, as texts about one picture do: the ratio is
asking them one by one over asking them together. The model is a LLaVA of 45 million parameters with planted weights.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from auditkit.ask.earlier import Earlier
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.roles import Answerer, RoleKeys, ask_each
from auditkit.ask.store import Store
from auditkit.images.item import Item
from auditkit.models.base import DEFAULTS, Model, ModelOptions, Request, Response
from auditkit.models.local import LocalModel
from auditkit.protocol.effects import change, mean
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.protocol.right_answers import accuracy
from auditkit.testing import tiny_checkpoint
from auditkit.vocabulary import Effect, Perturbation
from bench.inference import spread

TASKS = {
    "describe": {"scorer": "text", "wordings": {"direct": {"text": "Describe this image.", "max_new_tokens": 24}}},
    "judged": {
        "scorer": {"axes": {"names": ["completeness", "consistency"], "low": 0, "high": 2}},
        "of": "describe",
        "role": "judge",
        "wordings": {"direct": "Judge the description between the fences.\n{answer}\nA line for each axis."},
    },
    "quiz": {
        "scorer": {"choice": {"A": "{first}", "B": "{second}"}},
        "truth": "first",
        "wordings": {"direct": "Which is it?\n{options}\nOne letter."},
    },
    "sharper": {
        "scorer": {"choice": {"A": {"text": "the first", "label": "1"}, "B": {"text": "the second", "label": "2"}}},
        "pictures": 2,
        "wordings": {"direct": "Which is sharper?\n{options}\nOne letter."},
    },
}
SENTENCES = ("institution.neutral", "expertise.neutral", "infrastructure.neutral")


class _Timed:
    """A model, and the seconds spent within it."""

    def __init__(self, model: Model, name: str) -> None:
        self._model, self.name, self.fingerprint = model, name, name
        self.seconds, self.asked = 0.0, 0

    def generate(self, requests: Sequence[Request]) -> Sequence[Response]:
        start = time.perf_counter()
        found = self._model.generate(requests)
        self.seconds += time.perf_counter() - start
        self.asked += len(requests)
        return found


def main() -> None:
    """Print the two tables."""
    protocol = load_protocol(Path("audits/protocol.toml")).model_copy(update={"tasks": TASKS})
    with tempfile.TemporaryDirectory() as folder:
        path = tiny_checkpoint("llava", Path(folder), scale="medium")
        print("| what is asked | questions | s in the model | all of it over that |")
        print("|---|---|---|---|")
        items = [replace(one, columns={"first": f"kind {i}", "second": "another"}) for i, one in enumerate(spread(16))]
        under = [Perturbation(name) for name in SENTENCES]
        rows = {
            "one round: two options of each item, three conditions": [accuracy("quiz").under(p) for p in under],
            "two rounds: a description, and a judge of it, three conditions": [mean("judged").under(p) for p in under],
        }
        for name, effects in rows.items():
            _row(name, path, items, effects, protocol)
        _pairs(path, protocol)


def _row(name: str, path: Path, items: Sequence[Item], effects: Sequence[Effect], protocol: Protocol) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/s.sqlite")
        catalogue, renderer = protocol.catalogue, Renderer(store, 1, protocol.catalogue)
        models = {role: _Timed(LocalModel(path, name=role), role) for role in ("model", "judge")}
        who = [Answerer(role, role, model, DEFAULTS) for role, model in models.items()]
        keys = RoleKeys({one.role: one.keys(catalogue, probabilities=True) for one in who}, catalogue)
        earlier = Earlier(store, renderer, keys, catalogue)
        for model in models.values():  # loading is not what is measured
            model.generate([])
            model.seconds = 0.0

        def ask(plan: Plan, one: Answerer) -> None:
            prefetch(
                plan,
                one.model,
                store,
                renderer,
                batch_size=one.batch_size,
                deadline=600,
                on_progress=lambda tally: None,
                tally=one.tally,
                earlier=earlier if plan.round else None,
            )

        start = time.perf_counter()
        ask_each(Plan(tuple(items), distinct(effects), protocol, tuple(models)), who, ask)
        whole = time.perf_counter() - start
        inside = sum(model.seconds for model in models.values())
        asked = sum(model.asked for model in models.values())
    print(f"| {name} | {asked} | {inside:.1f} | {whole / inside:.2f} |", flush=True)


def _pairs(path: Path, protocol: Protocol) -> None:
    """Texts about pairs of pictures, together and one by one."""
    singles = spread(8)
    texts = [change(Perturbation(name), task="sharper") for name in SENTENCES]
    questions = list(dict.fromkeys(q for effect in texts for q in map(protocol.resolve, effect.questions())))
    requests = []
    from PIL import Image

    for first, second in zip(singles[::2], singles[1::2], strict=True):
        images = tuple(Image.fromarray(one.pictures[0].read()) for one in (first, second))
        for question in questions:
            prompt = protocol.catalogue.prompt(question)
            requests.append(Request("x", images, prompt.user, prompt.system, prompt.choices, 8, question))
    print("\n| texts about pairs of pictures | texts | together, s | one by one, s | ratio | same answers |")
    print("|---|---|---|---|---|---|")
    together, alone = (LocalModel(path, name="m", options=ModelOptions(exact=exact)) for exact in (False, True))
    plain = [replace(request, choices=None) for request in requests]
    for model in (together, alone):
        model.generate(plain[:1])
    start = time.perf_counter()
    found = together.generate(plain)
    middle = time.perf_counter()
    expected = alone.generate(plain)
    end = time.perf_counter()
    same = sum(a.text == b.text for a, b in zip(found, expected, strict=True))
    print(
        f"| {len(singles) // 2} pairs, {len(questions)} texts each | {len(plain)} | {middle - start:.1f} | "
        f"{end - middle:.1f} | {(end - middle) / (middle - start):.1f} | {same} of {len(plain)} |"
    )
