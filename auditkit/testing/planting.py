"""Planting a defect into a model that runs: a wrapper that pytest is pointed at like at any other model."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from auditkit import tasks
from auditkit.ask.keys import ALONE, digest_of, pixel_digest
from auditkit.errors import AuditkitError
from auditkit.images.item import UNKNOWN, Item
from auditkit.models.base import Model, Request, Response
from auditkit.protocol.model import Protocol
from auditkit.testing.defect import Defect
from auditkit.testing.questions import Asked, Replies, Subjects
from auditkit.testing.recognise import Pictures, Prompts
from auditkit.testing.saying import main_quantity, say, to_points
from auditkit.vocabulary import Condition, Perturbation, Question

if TYPE_CHECKING:
    from PIL.Image import Image

NOTHING: Mapping[str, str] = MappingProxyType({})


def plant(model: Model, defect: Defect, records: Sequence[Item], protocol: Protocol, seed: int = 0) -> PlantedModel:
    """Put a defect into a model.

    Parameters
    ----------
    model : Model
        Anything with ``generate``.
    defect : Defect
        What is wrong with it from now on. For several defects, plant again into what is returned.
    records : sequence of Item
        The images of the run (`auditkit.images.sources.load_images`), read with the protocol's ``max_side``; needed for
        defects whose `Defect.looks_at` gives anything but None, else they may be empty.
    protocol : Protocol
        The protocol of the run: its seed is part of every corruption, and its catalogue says what can be asked.
    seed : int
        Decides which answers are changed; equal seeds change the same ones.

    Returns
    -------
    PlantedModel
        A model with a name and a fingerprint of its own, so that its answers are never taken for the model's.

    Raises
    ------
    AuditkitError
        When the defect needs to know images again and there are none, or names what the catalogue does not have.
    """
    defect.check(protocol.catalogue)
    if defect.looks_at(protocol.catalogue) is not None and not records:
        raise AuditkitError(
            f"{type(defect).__name__} has to know the images again by their pixels, and was given none.",
            "Give the records of the run: plant(model, defect, load_images(source, salt=...).records, protocol).",
        )
    return PlantedModel(model, defect, tuple(records), protocol, seed)


@dataclass(frozen=True, slots=True)
class _Question:
    """A request whose question was recognised."""

    asked: Asked
    request: Request


class PlantedModel:
    """A model with a defect; made by `plant`.

    What was asked is found out from each request alone: task, wording and sentence from its text, image and corruption
    from its pixels, "alone" from its being the only request of its call, and a second asking from its id. A request
    that is not recognised (a prompt that is not among the protocol's, an image that is not among the records) is
    answered as the model answers it.

    Attributes
    ----------
    name, revision, fingerprint : str
        Of the model, and of the defect with its size and seed.
    """

    def __init__(self, model: Model, defect: Defect, records: tuple[Item, ...], protocol: Protocol, seed: int) -> None:
        self._model = model
        self._defect = defect
        self._records = records
        self._protocol = protocol
        self._seed = seed
        self._catalogue = protocol.catalogue
        self._looks_at = defect.looks_at(protocol.catalogue)
        self.name = f"{getattr(model, 'name', None) or type(model).__name__}-{type(defect).__name__}"
        self.revision = str(getattr(model, "revision", None) or "")
        self.fingerprint = digest_of(
            *(str(getattr(model, name, None) or "") for name in ("name", "revision")),
            str(getattr(model, "fingerprint", None) or _source_of(model)),
            repr(defect),
            seed,
            protocol.seed,
            sorted((r.content, r.cluster, r.modality) for r in records) if self._looks_at is not None else [],
        )

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer requests; the model is asked once, for as many answers."""
        questions = [self._recognised(request, alone=len(requests) == 1) for request in requests]
        shown = [request if q is None else q.request for q, request in zip(questions, requests, strict=True)]
        responses = self._model.generate(shown)
        return [
            response if question is None else self._changed(question.asked, response)
            for question, response in zip(questions, responses, strict=True)
        ]

    def close(self) -> None:
        """Let go of the model."""
        closing = getattr(self._model, "close", None)
        if callable(closing):
            closing()

    def __getattr__(self, attribute: str) -> Any:
        # What suits the model suits it with a defect too; its embeddings mostly do not have the defect.
        inside = attribute in ("embed", "embeddings") and not self._defect.spares_inside
        if attribute.startswith("_") or inside:
            raise AttributeError(attribute)
        return getattr(self._model, attribute)

    @cached_property
    def _prompts(self) -> Prompts:
        return Prompts(self._catalogue)

    @cached_property
    def _pictures(self) -> Pictures:
        return Pictures(self._records, self._protocol.seed, self._looks_at or (), self._catalogue)

    def _recognised(self, request: Request, *, alone: bool) -> _Question | None:
        question = self._prompts.find(request)
        if question is None or len(request.images) != 1 or not self._defect.acts_on(question.condition):
            return None
        if alone:
            question = question.under(Perturbation(ALONE))
        if self._looks_at is None:
            # Nothing is known of the image but that it is this one; which answers change depends on it.
            digest = pixel_digest(np.asarray(request.images[0]))[:16]
            return _Question(self._asked((digest, digest, UNKNOWN), question, request), request)
        found = self._pictures.find(request.images[0])
        if found is None:
            return None
        index, pixels = found
        record = self._records[index]
        image = record.id, record.cluster, record.modality
        asked = self._asked(image, question.under(*pixels), request, record.attributes)
        shown = self._catalogue.pictures(self._defect.shown(asked.condition, self._catalogue))
        if shown != pixels:
            request = replace(request, images=(self._image(index, shown),))
        return _Question(asked, request)

    def _asked(
        self, image: tuple[str, str, str], question: Question, request: Request, levels: Mapping[str, str] = NOTHING
    ) -> Asked:
        name, patient, modality = image
        alone = np.array([patient], dtype=object), np.array([modality], dtype=object)
        subjects = Subjects((name,), *alone, attributes=(levels,))
        return Asked(subjects, question, self._catalogue, self._seed, asking=request.id)

    def _image(self, index: int, condition: Condition) -> Image:
        from PIL import Image

        return Image.fromarray(self._pictures.pixels(index, condition))

    def _changed(self, asked: Asked, response: Response) -> Response:
        """Return the response with the defect; the model's own where that leaves score and text alone."""
        if response.error is not None:
            return response
        task = self._catalogue.task(asked.question.task)
        value = tasks.read(task, asked.question.wording, response.text, response.finish_reason).main
        score = None if value is None else to_points(value, main_quantity(task))
        said = Replies(np.array([np.nan if score is None else score]), {} if score is not None else {0: response.text})
        changed = self._defect.change(said, asked)
        text = changed.texts.get(0)
        if text is None:
            now = float(changed.scores[0])
            text = response.text if now == score else say(now, asked.question, self._catalogue)
        return response if text == response.text else Response(text)


def _source_of(model: Model) -> str:
    """Hash the file of a model without a fingerprint, so that an edited model is not taken for the one before."""
    path = getattr(sys.modules.get(type(model).__module__), "__file__", None)
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else ""
