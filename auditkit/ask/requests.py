"""What is put to a model, and the keys under which its answers are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from auditkit.ask.keys import answer_key, digest_of
from auditkit.ask.store import Rendered
from auditkit.models.base import Model, Request
from auditkit.protocol.catalogue import NOTHING, Catalogue
from auditkit.tasks import Prompt
from auditkit.vocabulary import Condition, Probe, Question

if TYPE_CHECKING:
    from PIL import Image


def model_identity(model: Model) -> str:
    """Return a hash over all that the model says of itself."""
    return digest_of(*(str(getattr(model, name, "")) for name in ("name", "revision", "fingerprint")))


def answers_identity(model: Model) -> str:
    """Return what the keys of a model's answers and embeddings depend on.

    Beside its identity, the run that they belong to, for a model that does not say which one it is: its stored answers
    may be those of another. The first look at its images is remembered by the identity alone.
    """
    run = str(getattr(model, "answers_of", None) or "")
    return digest_of(model_identity(model), run) if run else model_identity(model)


class Keys:
    """Prompts and keys of questions: everything that a pass, and whoever reads its answers, must agree on.

    Parameters
    ----------
    model : Model
        Who is asked.
    batch_size : int
        Requests per call of ``generate``.
    catalogue : Catalogue
        Holds the words.
    probabilities : bool
        False where only answers are wanted: no choices are put to any model then, so none gives their probabilities.
    """

    def __init__(self, model: Model, batch_size: int, catalogue: Catalogue, *, probabilities: bool = True) -> None:
        self._identity = answers_identity(model)
        self._batch_size = batch_size
        self._catalogue = catalogue
        self._probabilities = probabilities
        self._asking: dict[Question, Condition] = {}

    def of(self, probe: Probe, rendered: Rendered, columns: Mapping[str, str] = NOTHING, answer: str = "") -> str:
        """Return the key of a probe.

        Parameters
        ----------
        probe : Probe
            Its question resolved.
        rendered : Rendered
            Its picture.
        columns : mapping of str to str
            Of its item.
        answer : str
            What it is about, for tasks about an answer.
        """
        asking = self._asking.get(probe.question)
        if asking is None:
            asking = self._asking[probe.question] = self._catalogue.asking(probe.question.condition)
        prompt = self._prompt(probe.question, columns, answer)
        return answer_key(rendered.digest, prompt, asking, self._identity, self._batch_size)

    def request(
        self,
        key: str,
        images: tuple[Image.Image, ...],
        question: Question,
        columns: Mapping[str, str] = NOTHING,
        answer: str = "",
    ) -> Request:
        """Return what is put to the model; parameters as of `of`."""
        prompt = self._prompt(question, columns, answer)
        return Request(
            key,
            images,
            prompt.user,
            prompt.system,
            prompt.choices,
            prompt.max_new_tokens,
            question,
            dict(prompt.statements) or None,
        )

    def _prompt(self, question: Question, columns: Mapping[str, str], answer: str) -> Prompt:
        prompt = self._catalogue.prompt(question, columns, answer)
        return prompt if self._probabilities else replace(prompt, choices=None)
