"""What goes between driver and workers: what is known of some images, as text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

from auditkit.ask.plan import Plan
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import Rendered, Store, StoredAnswer
from auditkit.images.item import Item
from auditkit.vocabulary import Probe


@dataclass(slots=True)
class Parcel:
    """A part of a store: to a worker goes what need not be done again, back comes what was found.

    Attributes
    ----------
    sources : dict of str to str
        Pixel digests by content address.
    renders : dict of str to Rendered
        Rendered images by their keys.
    answers : dict of str to StoredAnswer
        Answers by their keys.
    """

    sources: dict[str, str] = field(default_factory=dict)
    renders: dict[str, Rendered] = field(default_factory=dict)
    answers: dict[str, StoredAnswer] = field(default_factory=dict)

    def put_into(self, store: Store, model: str) -> None:
        """Commit everything; what the store has already stays as it is."""
        store.add_sources(self.sources)
        store.add_renders(self.renders)
        store.add_answers(self.answers, model)

    def add(self, other: Parcel) -> None:
        """Take in another parcel."""
        self.sources |= other.sources
        self.renders |= other.renders
        self.answers |= other.answers

    def to_text(self) -> str:
        """Return the parcel as JSON: what comes from a worker is data, never code."""
        renders = {key: astuple(rendered) for key, rendered in self.renders.items()}
        answers = {key: (a.text, a.finish_reason, a.logprobs and dict(a.logprobs)) for key, a in self.answers.items()}
        return json.dumps([self.sources, renders, answers])

    @classmethod
    def from_text(cls, text: str) -> Parcel:
        """Return what `to_text` wrote."""
        sources, renders, answers = json.loads(text)
        return cls(
            sources,
            {key: Rendered(*rendered) for key, rendered in renders.items()},
            {key: StoredAnswer(*answer) for key, answer in answers.items()},
        )


class Lookup:
    """Finds what a store knows of the images of a plan, without decoding or rendering anything.

    Parameters
    ----------
    plan : Plan
        The questions.
    store : Store
        Where to look.
    keys : Keys
        Of the model that is asked.
    """

    def __init__(self, plan: Plan, store: Store, keys: Keys) -> None:
        self._plan = plan
        self._store = store
        self._keys = keys
        self._renderer = Renderer(store, plan.protocol.seed, plan.protocol.catalogue)
        self._digests = store.sources(record.content for record in plan.records)

    def missing(self, record: Item) -> list[str]:
        """Return, question by question, what has no answer: its key, or the question in words where no key is known."""
        _, addresses, without = self._of(record)
        held = self._store.known(addresses.values())
        return [
            addresses.get(probe) or str(probe)
            for probe in self._plan.probes(record)
            if addresses.get(probe) not in held and probe not in without
        ]

    def parcel(self, records: Iterable[Item]) -> Parcel:
        """Return all that is known of some images."""
        parcel = Parcel()
        for record in records:
            renders, addresses, _ = self._of(record)
            digest = self._digests.get(record.content)
            sources = {} if digest is None else {record.content: digest}
            parcel.add(Parcel(sources, renders, self._store.answers(addresses.values())))
        return parcel

    def _of(self, record: Item) -> tuple[dict[str, Rendered], dict[Probe, str], set[Probe]]:
        """Rendered images by key, the keys of the questions that can be told, and what the picture is too small for."""
        digest = self._digests.get(record.content)
        if digest is None:
            return {}, {}, set()
        shown_of = self._plan.protocol.catalogue.shown
        probes = {probe: shown_of(probe.question) for probe in self._plan.probes(record)}
        rendered = self._renderer.known(record, digest, set(probes.values()))
        addresses = {
            p: self._keys.of(p, rendered[shown], record.columns)
            for p, shown in probes.items()
            if shown in rendered and rendered[shown].exists
        }
        without = {p for p, shown in probes.items() if shown in rendered and not rendered[shown].exists}
        renders = {self._renderer.key(record, digest, shown): r for shown, r in rendered.items() if shown}
        return renders, addresses, without
