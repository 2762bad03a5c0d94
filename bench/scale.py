"""Time per question and peak memory with a stub model, from 100 to 100,000 questions: both must stay as they are."""

from __future__ import annotations

import json
import subprocess
import sys

QUESTIONS = (100, 1_000, 10_000, 100_000)

KINDS = {
    "pair": "two questions per image",
    "shipped": "all shipped audits per image",
    "two pictures": "a pair of pictures, in both orders",
}

_CHILD = """
import json, resource, sys, tempfile, time
from pathlib import Path
import numpy as np
from auditkit.protocol.effects import change, differs
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Perturbation
from auditkit.images.item import Item, Picture
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.models.base import Response
from auditkit.protocol.read import load_protocol

questions, kind = int(sys.argv[1]), sys.argv[2]

class Stub:
    name = "stub"
    def generate(self, requests):
        return [Response("80") for _ in requests]

class Reader:
    def __init__(self, i):
        self.i = i
    def __call__(self):
        seed = self.i if self.i >= 0 else 10**9 - self.i
        return np.random.default_rng(seed).integers(0, 256, (96, 96), dtype=np.uint8)

protocol = load_protocol(Path("audits/protocol.toml"))
one = (change(Perturbation("pixelate", 3), family="direction"),)
effects = distinct(e for listed in SHIPPED.values() for e in listed()) if kind == "shipped" else one
if kind == "two pictures":
    choice = {"A": {"text": "first", "label": "1", "picture": 1}, "B": {"text": "second", "label": "2", "picture": 2}}
    asked = {"scorer": {"choice": choice}, "pictures": 2, "wordings": {"direct": "Which is better?\\n{options}"}}
    protocol = protocol.model_copy(update={"tasks": {"better": asked}})
    effects = (differs(Perturbation("pictures_reversed"), task="better", family="direction"),)

def pictures(i):
    further = (Picture(f"d{i}", Reader(-1 - i)),) if kind == "two pictures" else ()
    return (Picture(f"c{i}", Reader(i)), *further)

def records(count):
    return tuple(
        Item(f"{i:016x}", f"{i:016x}", "ct", pictures(i), True, "stub") for i in range(count)
    )

def ask(count):
    plan = Plan(records(count), effects, protocol)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/s.sqlite")
        renderer = Renderer(store, 1, protocol.catalogue, 16 * 2**20)
        start = time.perf_counter()
        tally = prefetch(plan, Stub(), store, renderer, batch_size=128, deadline=600, on_progress=lambda t: None)
        assert tally.done == tally.planned and not tally.errors, tally
        return tally.planned, time.perf_counter() - start

per_image, _ = ask(1)  # what is imported and compiled at the first use is not counted
planned, seconds = ask(max(questions // per_image, 1))
print(json.dumps([planned, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def main() -> None:
    """Print milliseconds per question and peak resident memory."""
    print("| plan (96 x 96 pixels, stub model) | questions | ms per question | ratio to the first | peak MB |")
    print("|---|---|---|---|---|")
    for kind, words in KINDS.items():
        first = 0.0
        for questions in QUESTIONS:
            command = [sys.executable, "-c", _CHILD, str(questions), kind]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            planned, seconds, kilobytes = json.loads(done.stdout)
            each = 1000 * seconds / planned
            first = first or each
            print(f"| {words} | {planned} | {each:.2f} | {each / first:.2f} | {kilobytes / 1024:.0f} |", flush=True)
