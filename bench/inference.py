"""The fast path against one-by-one ``generate`` of the same checkpoint: same questions, same answers, how much sooner.

Two checkpoints: the reference model that ships (3.4 million parameters, trained, short answers) and a LLaVA of 45
million parameters with planted weights (`auditkit.testing.tiny_checkpoint`). Both sides may use all cores.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from auditkit import perturbations
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import Store
from auditkit.ask.tally import Tally
from auditkit.images.item import Item
from auditkit.images.sources import load_images
from auditkit.models.base import Model, Request, Response
from auditkit.models.local import LocalModel
from auditkit.models.reference import checkpoint
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import tiny_checkpoint
from bench._naive import Naive
from bench._questions import said, worded

VARIANTS = 35  # sentences about one image
ROUNDS = 3
MODES = {"answers only": False, "answers and probabilities": True}


def main() -> None:
    """Print the table of ratios, then the share of a run that is not the model's."""
    print("| checkpoint | questions | n | naive s | fast path | s | ratio | same answers |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        medium = tiny_checkpoint("llava", Path(folder), scale="medium")
        for name, path, images in (("reference, 3.4 M", checkpoint("reference"), 12), ("LLaVA, 45 M", medium, 4)):
            records = spread(images)
            _row(name, "metadata: 35 texts per image", path, metadata(records))
            _row(name, "corruption: one text, many images", path, corruption(records))
            _protocol(name, path, records[:images])
    _overhead(spread(12))


def spread(count: int) -> list[Item]:
    """Images of different modalities from the demo set, decoded: drawing phantoms is not what is measured."""
    records = sorted(load_images("demo", salt="bench", max_side=224).records, key=lambda r: r.id)
    chosen = records[:: max(len(records) // count, 1)][:count]
    return [record.with_picture(read=partial(np.asarray, record.pictures[0].read())) for record in chosen]


def metadata(records: Sequence[Item]) -> list[Request]:
    """`VARIANTS` texts about each image."""
    from PIL import Image

    images = [Image.fromarray(record.pictures[0].read()) for record in records]
    return [worded(image, condition) for image in images for condition in said(VARIANTS)]


def corruption(records: Sequence[Item]) -> list[Request]:
    """One text about every corruption of each image, at severity 3."""
    from PIL import Image

    requests = []
    for record in records:
        pixels = record.pictures[0].read()
        for entry in perturbations.corruptions():
            changed = perturb(pixels, entry, 3, perturbation_key(record.id, entry.name, 3, 0))
            requests.append(worded(Image.fromarray(changed)))
    return requests


def _row(checkpoint_name: str, what: str, path: Path, requests: list[Request]) -> None:
    naive = Naive(path)
    slow, expected = _best(lambda: naive.generate(requests))
    for mode, probabilities in MODES.items():
        asked = requests if probabilities else [replace(request, choices=None) for request in requests]
        model = LocalModel(path, name="fast")
        model.generate(asked[:8])  # loads
        fast, found = _best(lambda model=model, asked=asked: model.generate(asked))
        same = sum((a.text, a.finish_reason) == (b.text, b.finish_reason) for a, b in zip(found, expected, strict=True))
        print(
            f"| {checkpoint_name} | {what} | {len(requests)} | {slow:.2f} | {mode} | {fast:.2f} | {slow / fast:.1f} "
            f"| {same}/{len(requests)} |",
            flush=True,
        )
        model.close()


def _best(work: Callable[[], list[Response]]) -> tuple[float, list[Response]]:
    times, found = [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = work()
        times.append(time.perf_counter() - start)
    return min(times), found


def _protocol(checkpoint_name: str, path: Path, records: Sequence[Item]) -> None:
    """The shipped protocol through the whole pass: planning, rendering, hashing, asking, storing."""
    slow, expected, n = _pass(Naive(path), records)
    for mode, probabilities in MODES.items():
        model = LocalModel(path, name="fast")
        model._loaded()
        fast, found, _ = _pass(model, records, probabilities=probabilities)
        same = sum(found[probe] == expected[probe] for probe in expected)
        print(
            f"| {checkpoint_name} | whole protocol, {len(records)} images | {n} | {slow:.2f} | {mode} | {fast:.2f} "
            f"| {slow / fast:.1f} | {same}/{n} |",
            flush=True,
        )
        model.close()


def _pass(model: Model, records: Sequence[Item], *, probabilities: bool = True) -> tuple[float, dict[str, str], int]:
    protocol = load_protocol(Path("audits/protocol.toml"))
    plan = Plan(tuple(records), distinct(e for listed in SHIPPED.values() for e in listed()), protocol)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"{folder}/s.sqlite")
        catalogue = protocol.catalogue
        renderer = Renderer(store, protocol.seed, catalogue)
        start = time.perf_counter()
        tally = prefetch(
            plan, model, store, renderer, batch_size=512, deadline=3600, on_progress=lambda t: None,
            probabilities=probabilities,
        )  # fmt: skip
        seconds = time.perf_counter() - start
        assert not tally.errors, tally.errors
        answers: dict[str, str] = {}
        keys = Keys(model, 512, catalogue, probabilities=probabilities)
        known = digests(plan, store, renderer, Tally())
        for record in records:
            shown = {probe: catalogue.pictures(probe.question.condition) for probe in plan.probes(record)}
            rendered = renderer.known(record, known[record.id], set(shown.values()))
            addresses = {str(probe): keys.of(probe, rendered[pictures]) for probe, pictures in shown.items()}
            stored = store.answers(addresses.values())
            answers |= {probe: stored[address].text for probe, address in addresses.items()}
    return seconds, answers, tally.planned


class _Timed:
    """A model that notes how long it works, to tell the engine's share from the model's."""

    name = fingerprint = "timed"

    def __init__(self, model: Model) -> None:
        self._model = model
        self.seconds = 0.0

    def generate(self, requests: Sequence[Request]) -> Sequence[Response]:
        start = time.perf_counter()
        found = self._model.generate(requests)
        self.seconds += time.perf_counter() - start
        return found


def _overhead(records: Sequence[Item]) -> None:
    print("\n| checkpoint | whole protocol, images | s | of which in the model | the rest |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        medium = tiny_checkpoint("llava", Path(folder), scale="medium")
        for name, path, n in (("reference, 3.4 M", checkpoint("reference"), 12), ("LLaVA, 45 M", medium, 2)):
            model = LocalModel(path, name="fast")
            model._loaded()
            timed = _Timed(model)
            seconds, _, _ = _pass(timed, records[:n])
            rest = 1 - timed.seconds / seconds
            print(f"| {name} | {n} | {seconds:.1f} | {timed.seconds:.1f} | {100 * rest:.1f} % |", flush=True)
            model.close()
