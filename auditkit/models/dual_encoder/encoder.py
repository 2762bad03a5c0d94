"""Dual encoders behind the model seam: an image is scored by its similarity with statements, in place of an answer.

Loading waits for the first question: a run whose answers are all in the store never imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditkit import perturbations, tasks
from auditkit.models.base import DEFAULTS, ModelOptions, Request, Response
from auditkit.models.dual_encoder.answers import answer
from auditkit.models.dual_encoder.scale import scale_of
from auditkit.models.dual_encoder.texts import class_texts, steps_of, texts_digest
from auditkit.models.fingerprint import fingerprint_of
from auditkit.models.memory import by_halves, rows_within
from auditkit.models.on_disk import model_type, require_safetensors, unread_sentence
from auditkit.perturbations.words import closed, reworded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from auditkit.models.dual_encoder.towers import Towers

_TOGETHER = 16  # images per pass

_LIMITS = (
    "Answers are computed from the similarity of the image with fixed statements; no text is generated. The model "
    "cannot refuse and every answer can be read, so audits of refusals and unreadable answers are passed by "
    "construction.",
    "The question and the system turn are not read: all wordings of a task, all tasks answered on a scale, and all "
    "orders of the same options get one answer, so audits that compare them are passed by construction.",
    "Of a task with class prompts every option is the mean of their texts with the option put in; of the others the "
    "statements are auditkit's own.",
    "A sentence about circumstances is put after every statement of every class. What moves the score is the prior "
    "that the text encoder has for the sentence beside one class rather than another.",
)

Classes = tuple[tuple[str, ...], ...]


class DualEncoder:
    """A CLIP or SigLIP checkpoint that answers by comparing.

    Each task has classes of statements: of a task with class prompts those with the options of the item put in
    (`Request.statements`), else auditkit's own (``class_texts.toml``). The unit vectors of a class are averaged and
    normalised again; the softmax over the cosine similarities, at the checkpoint's own scale, gives the probabilities
    of the classes. For SigLIP this is no approximation: given independent sigmoids, the probability that a statement is
    the only true one is the softmax of the logits, and the bias, which all share, cancels.

    Parameters
    ----------
    path : pathlib.Path
        Folder with config.json, ``*.safetensors`` and the processor's files. Code in the folder is never run, and
        weights in other formats are refused, because reading them can run code.
    name : str
        Name shown in reports.
    options : ModelOptions
        Of these, ``exact`` encodes image by image and text by text, again for every request; ``memory`` bounds the
        images that are encoded together, by an estimate; one image is always encoded.
    dtype : str
        ``float32``, ``bfloat16`` or ``float16``. The similarities are computed in float64 either way.
    revision : str
        Revision of the checkpoint; the beginning of the fingerprint where none is given.
    family : str
        Architecture; by default the model type in the folder's config.json.
    unread : sequence of str
        Patterns of weights that the network has no place for and needs not.

    Attributes
    ----------
    fingerprint : str
        SHA-256 over every file of the folder, the library versions, the dtype, the statements, and how images are put
        together.
    limits : tuple of str
        What a report must say about answers of this kind of model.
    needs_picture : bool
        True: it compares a picture with texts, so there is nothing to ask without one.

    Raises
    ------
    AuditkitError
        When the folder has no safetensors weights, or (on the first question) cannot be loaded.
    """

    backend = "dual-encoder"
    embeddings = ("vision",)
    needs_picture = True

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        options: ModelOptions = DEFAULTS,
        dtype: str = "float32",
        revision: str = "",
        family: str = "",
        unread: Sequence[str] = (),
    ) -> None:
        require_safetensors(path, name)
        self.path = path
        self.name = name
        self.dtype = dtype
        together = f"exact {options.exact} memory {options.memory} together {_TOGETHER}"
        self.fingerprint = fingerprint_of(path, self.backend, dtype, texts_digest(), together)
        self.revision = revision or self.fingerprint[:12]
        self.family = family or model_type(path)
        self._unread = tuple(unread)
        self.limits = (*_LIMITS, *scale_sentence(scale_of(path)), *unread_sentence(path, self._unread))
        self._options = options
        self._towers: Towers | None = None
        self._classes: dict[Classes, NDArray[np.float64] | str] = {}

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer; a request that cannot be answered gets an error that says why.

        Errors: no question, one of a task that auditkit does not ship and that has no class prompts, a prompt that is
        not the catalogue's (its words would be ignored), another number of images than one, a statement that does not
        fit with the sentence said into the text encoder (cutting it would hide the sentence).
        """
        if self._options.exact:
            return [self._answers([request])[0] for request in requests]
        return self._answers(requests)

    def embed(self, requests: Sequence[Request], kind: str = "vision") -> NDArray[np.float32]:
        """Return the images' unit vectors in the space shared with the texts, shape (n, d).

        Raises
        ------
        ValueError
            When the kind is not ``"vision"``, or a request has another number of images than one.
        MemoryError
            When there is not enough for a single image.
        """
        import numpy as np

        if kind not in self.embeddings:
            raise ValueError(f"kind {kind!r} is not among the embeddings of {self.name}: {', '.join(self.embeddings)}")
        if any(len(request.images) != 1 for request in requests):
            raise ValueError("every request must have exactly one image to be embedded")
        vectors = self._encoded(request.images[0] for request in requests)
        found = [vectors[id(request.images[0])] for request in requests]
        for vector in found:
            if isinstance(vector, str):
                raise MemoryError(vector)
        return np.array(found, dtype=np.float32) if found else np.empty((0, 0), dtype=np.float32)

    def close(self) -> None:
        """Let go of the weights and the texts' vectors."""
        self._towers = None
        self._classes.clear()

    def release(self) -> None:
        """Let go of the weights; the next question loads them again."""
        self.close()

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        asked = [_read(request) for request in requests]
        vectors = self._encoded(
            r.images[0] for r, read in zip(requests, asked, strict=True) if not isinstance(read, str)
        )
        return [
            _error(read) if isinstance(read, str) else self._answer(*read, vectors[id(request.images[0])])
            for request, read in zip(requests, asked, strict=True)
        ]

    def _answer(
        self, texts: Mapping[str, tuple[str, ...]], steps: tuple[str, ...], image: NDArray[np.float64] | str
    ) -> Response:
        if isinstance(image, str):
            return _error(image)
        classes = self._class_vectors(tuple(texts.values()))
        if isinstance(classes, str):
            return _error(classes)
        similarities = self._loaded().scale * (classes @ image)
        return answer(dict(zip(texts, similarities.tolist(), strict=True)), steps)

    def _class_vectors(self, classes: Classes) -> NDArray[np.float64] | str:
        """Return one unit vector per class, shape (k, d), or why there is none.

        The statements of one question are always encoded together, so that nothing else can move them.
        """
        if classes in self._classes:
            return self._classes[classes]
        import numpy as np

        towers = self._loaded()
        longest = max((text for texts in classes for text in texts), key=towers.length)
        found: NDArray[np.float64] | str
        if towers.length(longest) > towers.limit:
            found = (
                f"the text {longest!r} has {towers.length(longest)} tokens; the model's text encoder reads "
                f"{towers.limit}, and cutting it would hide what was asked"
            )
        else:
            means = np.stack([self._texts(texts).mean(axis=0) for texts in classes])
            found = means / np.linalg.norm(means, axis=1, keepdims=True)
        if not self._options.exact:
            self._classes[classes] = found
        return found

    def _texts(self, texts: tuple[str, ...]) -> NDArray[np.float64]:
        import numpy as np

        towers = self._loaded()
        return np.concatenate([towers.texts([text]) for text in texts]) if self._options.exact else towers.texts(texts)

    def _encoded(self, images: Iterable[Image]) -> dict[int, NDArray[np.float64] | str]:
        """Encode each distinct image once; by identity, because the engine passes one object for the same pixels.

        The chunks do not depend on what else is asked about the images. Where memory runs out for a single image, its
        vector is the reason.
        """
        distinct = {id(image): image for image in images}
        if not distinct:
            return {}
        towers, waiting = self._loaded(), list(distinct.values())
        most = 1 if self._options.exact else _TOGETHER
        vectors: list[NDArray[np.float64] | str] = []

        def encode(some: Sequence[Image]) -> list[NDArray[np.float64] | str]:
            return list(towers.images(some))

        for length in rows_within([towers.bytes_per_image] * len(waiting), self._options.memory, most):
            some, waiting = waiting[:length], waiting[length:]
            vectors.extend(by_halves(encode, some, lambda _, reason: reason))
        return dict(zip(distinct, vectors, strict=True))

    def _loaded(self) -> Towers:
        if self._towers is None:
            from auditkit.models.dual_encoder.towers import load

            self._towers = load(self.path, self.name, self.dtype, self._unread)
        return self._towers


def _read(request: Request) -> tuple[Mapping[str, tuple[str, ...]], tuple[str, ...]] | str:
    """Return the texts by class and the steps of the scale, if it is one, or why a request cannot be answered."""
    if len(request.images) != 1:
        return f"a dual encoder compares one image with texts; the request has {len(request.images)}"
    if request.statements:
        return request.statements, ()
    question = request.question
    if question is None:
        return (
            "a dual encoder does not read the prompt, and the request names no question (Request.question), so there "
            "is nothing to compare the image with"
        )
    task = tasks.shipped().get(question.task)
    wording = None if task is None else task.wordings.get(question.wording)
    if task is None or wording is None:
        return (
            f"a dual encoder knows the tasks that auditkit ships, and {question.words} is not one of them; of a choice "
            "among options the task can say what each is compared with: class_prompts = "
            '["a medical image of {option}"]'
        )
    text, shipped, sentences = wording.text, perturbations.shipped(), []
    for step in question.condition:
        entry = shipped.get(step.name)
        if entry is not None and entry.stage == "words":
            text = reworded(text, entry, step.level)
            sentences.append(str(entry.parameters(step.level)["sentence"]))
    if (request.prompt, request.system) != (closed(text), wording.system):
        return f"the prompt is not that of {question.words}, and a dual encoder would not read what it says instead"
    return class_texts(task, " ".join(sentences)), steps_of(task)


def scale_sentence(scale: float | None) -> tuple[str, ...]:
    """Say by which scale probabilities come about; nothing where the weights do not show it."""
    if scale is None:
        return ()
    return (
        f"Probabilities are the softmax of cosine similarities times the checkpoint's own logit scale, {scale:.4g} (a "
        f"temperature of {1 / scale:.3g}). With another scale the answers are the same, and the probabilities of three "
        "classes or more stand in another order over the images.",
    )


def _error(why: str) -> Response:
    return Response(error=why, finish_reason="error", again=False)
