"""The score question, as the engine puts it to a model: about any image, with any sentence after it."""

from __future__ import annotations

from PIL import Image

from auditkit import perturbations
from auditkit.models.base import Request
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Condition, Perturbation, Question

CATALOGUE = Catalogue.of({}, {}, "quality.direct")


def said(count: int) -> list[Condition]:
    """Return so many conditions that differ in the words only, the first without any."""
    names = [*perturbations.placebos(), *perturbations.levels()]
    return [(), *((Perturbation(name),) for name in names)][:count]


def worded(image: Image.Image, condition: Condition = ()) -> Request:
    """Return the question about an image."""
    question = CATALOGUE.resolve(Question(condition=condition))
    prompt = CATALOGUE.prompt(question)
    return Request("", (image,), prompt.user, prompt.system, prompt.choices, prompt.max_new_tokens, question)
