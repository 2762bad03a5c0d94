"""What a made-up model knows of a question: which images, under which condition, in which words."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from auditkit.conditions import Condition
from auditkit.images.record import ImageRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class Subjects:
    """The images a question is put to.

    Attributes
    ----------
    ids : tuple of str, length n
        Hashed ids.
    patients : ndarray of str, shape (n,)
        Hashed id of each image's patient.
    modalities : ndarray of str, shape (n,)
        Modality of each image.
    """

    ids: tuple[str, ...]
    patients: NDArray[np.object_]
    modalities: NDArray[np.object_]

    @classmethod
    def of(cls, records: Sequence[ImageRecord]) -> Subjects:
        """Take what is needed from image records."""
        return cls(
            tuple(r.id for r in records),
            np.array([r.cluster for r in records], dtype=object),
            np.array([r.modality for r in records], dtype=object),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def patient_codes(self) -> NDArray[np.int64]:
        """Return the patients as codes 0..G-1, shape (n,)."""
        _, codes = np.unique(self.patients.astype(str), return_inverse=True)
        return codes.astype(np.int64).reshape(-1)


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """One question put to all subjects.

    Attributes
    ----------
    subjects : Subjects
        The n images.
    condition : Condition
        What is changed, the repeat and "alone" included.
    template : str
        Id of the prompt template.
    seed : int
        Of the made-up model; equal seeds give equal answers.
    """

    subjects: Subjects
    condition: Condition
    template: str
    seed: int

    def draw(self, *names: str, again: bool = False) -> np.random.Generator:
        """Return random numbers that belong to this question alone.

        Parameters
        ----------
        *names : str
            What they are for; different names give unrelated numbers.
        again : bool
            Whether a second asking, or asking alone, draws anew. A model that answers the same question in the same
            way leaves it False.
        """
        condition = self.condition if again else replace(self.condition, repeat=0, alone=False)
        who = self.subjects.ids[0] if len(self.subjects) == 1 else ""
        return generator(self.seed, *names, str(condition), self.template, who)


@dataclass(eq=False, slots=True)
class Replies:
    """The answers of all subjects to one question.

    Attributes
    ----------
    scores : ndarray of float, shape (n,)
        0-100 points, to be said in the template's format; may leave the range (then the text does too).
    texts : dict of int to str
        Subjects whose answer is another text (a refusal, prose) instead of a score.
    """

    scores: NDArray[np.float64]
    texts: dict[int, str] = field(default_factory=dict)

    def shifted(self, by: NDArray[np.float64] | float) -> Replies:
        """Return the replies with scores moved by so many points."""
        return Replies(self.scores + by, self.texts)

    def where(self, chosen: NDArray[np.bool_], text: str) -> Replies:
        """Return the replies with the text in place of the chosen subjects' scores."""
        return Replies(self.scores, {**self.texts, **{int(i): text for i in np.flatnonzero(chosen)}})


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a generator that depends on the seed and the names only, on every machine and in every process."""
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))
