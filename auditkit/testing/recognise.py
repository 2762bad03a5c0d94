"""From a request back to the question behind it: task and words from its text, the image from its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from auditkit.ask.keys import pixel_digest
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.images.item import Item, UnreadableImage
from auditkit.models.base import Request
from auditkit.perturbations import PerturbationError
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Condition, Perturbation, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image


class Prompts:
    """Knows questions again by their text.

    All that the catalogue can ask is known with any one perturbation of its words. With several of them a question is
    known by what the request says of itself, as long as that gives the same text.

    Parameters
    ----------
    catalogue : Catalogue
        What can be asked.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        said: list[Condition] = [()]
        for entry in catalogue.perturbations.values():
            if entry.stage == "words":
                said += [(Perturbation(entry.name, level),) for level in entry.strengths]
        asked = [(task.id, wording) for task in catalogue.tasks.values() if task.asks for wording in task.wordings]
        self._known: dict[tuple[str | None, str], Question] = {}
        for (task, wording), words in product(asked, said):
            question = Question(task, wording, words)
            prompt = catalogue.prompt(question)
            self._known.setdefault((prompt.system, prompt.user), question)

    def find(self, request: Request) -> Question | None:
        """Return task, wording and words of a request; None when its prompt is not one of the catalogue's."""
        text = request.system, request.prompt
        if text not in self._known and request.question is not None:
            stated = self._catalogue.resolve(request.question)
            prompt = self._catalogue.prompt(stated)
            if (prompt.system, prompt.user) == text:
                words = self._catalogue.words(stated.condition)
                self._known[text] = Question(stated.task, stated.wording, words)
        return self._known.get(text)


class Pictures:
    """Knows images again by their pixels, corrupted ones too.

    Clean images are decoded once, when the first picture is looked up. Corrupted ones are rendered when a picture
    turns up that is not known yet, first for the image last seen, because a run asks image by image. Each is rendered
    once: levels times images times corruptions. On the demo (370 images of at most 224 pixels, one core)
    decoding took 25 ms an image and rendering 0.7 ms a picture: 22 s for all ten corruptions.

    Parameters
    ----------
    records : sequence of Item
        The images.
    seed : int
        The protocol's seed, which the noise of corruptions depends on.
    corruptions : tuple of str
        Names of those to know again, each by itself.
    catalogue : Catalogue
        What they do.
    """

    def __init__(self, records: Sequence[Item], seed: int, corruptions: tuple[str, ...], catalogue: Catalogue) -> None:
        self.records = tuple(records)
        self._conditions = [
            (Perturbation(name, level),) for name in corruptions for level in catalogue.entry(name).strengths
        ]
        self._renderer = Renderer(Store("sqlite://"), seed, catalogue)
        self._digests: dict[int, str] = {}
        self._shapes: dict[int, tuple[int, ...]] = {}
        self._found: dict[str, tuple[int, Condition]] = {}
        self._unrendered: dict[int, None] = {}  # the one last seen stands last

    def find(self, image: Image) -> tuple[int, Condition] | None:
        """Return an image's place among the records and what was done to its pixels; None when it is not known."""
        if not self._digests:
            self._read_clean()
        pixels = np.asarray(image)
        digest = pixel_digest(pixels)
        if digest not in self._found and self._conditions:
            self._render_until(digest, pixels.shape)
        found = self._found.get(digest)
        if found is not None and found[0] in self._unrendered:
            self._unrendered[found[0]] = self._unrendered.pop(found[0])
        return found

    def pixels(self, index: int, condition: Condition) -> NDArray[np.uint8]:
        """Return the pixels of an image under a condition."""
        return self._renderer.pixels(self.records[index], self._digests[index], condition)

    def _read_clean(self) -> None:
        for index, record in enumerate(self.records):
            try:
                pixels = self._renderer.clean(record)
            except UnreadableImage:
                continue
            self._digests[index], self._shapes[index] = pixel_digest(pixels), pixels.shape
            self._found[self._digests[index]] = (index, ())
        self._unrendered = dict.fromkeys(self._digests)

    def _render_until(self, digest: str, shape: tuple[int, ...]) -> None:
        """Render images of the same shape, the one last seen first, until the picture is found."""
        for index in [i for i in reversed(self._unrendered) if self._shapes[i] == shape]:
            if digest in self._found:
                return
            self._render(index)

    def _render(self, index: int) -> None:
        del self._unrendered[index]
        for condition in self._conditions:
            try:
                pixels = self.pixels(index, condition)
            except PerturbationError:  # too small to be corrupted: nobody will be asked about it
                return
            self._found.setdefault(pixel_digest(pixels), (index, condition))
