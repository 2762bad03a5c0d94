"""What a made-up model knows of a question: which images, under which condition, in which words."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from auditkit.images.item import Item
from auditkit.measure.columns import level_among
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Condition, Question, condition_name

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
    columns : tuple of mapping of str to str, length n
        What is known of each image, the right answers among it; empty where nothing is.
    attributes : tuple of mapping of str to str, length n
        Sex, site and other columns that audits compare; empty where none is known.
    """

    ids: tuple[str, ...]
    patients: NDArray[np.object_]
    modalities: NDArray[np.object_]
    columns: tuple[Mapping[str, str], ...] = ()
    attributes: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def of(cls, records: Sequence[Item]) -> Subjects:
        """Take what is needed from image records."""
        return cls(
            tuple(r.id for r in records),
            np.array([r.cluster for r in records], dtype=object),
            np.array([r.modality for r in records], dtype=object),
            tuple(r.columns for r in records),
            tuple(r.attributes for r in records),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def level_of(self, column: str) -> NDArray[np.object_]:
        """Return the level of every image in a column, or in several (``sex*site``); shape (n,)."""
        known = self.attributes or ({},) * len(self)
        pairs = zip(known, self.modalities.tolist(), strict=True)
        return np.array([level_among(attributes, modality, column) for attributes, modality in pairs], dtype=object)

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
    question : Question
        What is asked; task and wording are filled in when this is made.
    catalogue : Catalogue
        What the question names (`auditkit.protocol.model.Protocol.catalogue`).
    seed : int
        Of the made-up model; equal seeds give equal answers.
    asking : str
        What tells two askings of one question apart where the condition does not (the id of a request).
    """

    subjects: Subjects
    question: Question
    catalogue: Catalogue
    seed: int
    asking: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "question", self.catalogue.resolve(self.question))

    @property
    def condition(self) -> Condition:
        """What is done to the images, to the words and to the asking."""
        return self.question.condition

    @property
    def severity(self) -> int:
        """Levels of what is done to the images, added up; 0 where nothing is."""
        return severity(self.condition, self.catalogue)

    @property
    def nothing_to_see(self) -> bool:
        """Whether nothing is left of the images: they are blank, missing, or of something else."""
        return any(self.catalogue.entry(p.name).expects == "refuse" for p in self.catalogue.pictures(self.condition))

    def right(self) -> tuple[str, ...]:
        """Return the right answer about every subject, as it would be said; empty where it is not known."""
        about = self.catalogue.about
        return tuple(about(self.question, columns)[1] for columns in self.subjects.columns)

    def draw(self, *names: str, again: bool = False) -> np.random.Generator:
        """Return random numbers that belong to this question alone.

        Parameters
        ----------
        *names : str
            What they are for; different names give unrelated numbers.
        again : bool
            Whether a second asking, or asking alone, gets numbers of its own. A model that answers the same question
            in the same way leaves it False.
        """
        asking = set() if again else set(self.catalogue.asking(self.condition))
        condition = tuple(p for p in self.condition if p not in asking)
        who = self.subjects.ids[0] if len(self.subjects) == 1 else ""
        # All draws of answers go through here, and these are the names that decide them: new names are new answers.
        words = condition_name(condition), self.question.words
        return generator(self.seed, *names, *words, who, self.asking if again else "")

    def traits(self, name: str) -> NDArray[np.float64]:
        """Return a number in (0, 1) for each subject's patient that is the same in every question; shape (n,).

        Parameters
        ----------
        name : str
            What it is for. Over patients the numbers are uniform; they do not depend on who else is asked about.
        """
        return _traits(self.seed, name, tuple(self.subjects.patients.tolist()))


@dataclass(eq=False, slots=True)
class Replies:
    """The answers of all subjects to one question.

    Attributes
    ----------
    scores : ndarray of float, shape (n,)
        0-100 points, to be said in the format that the task asks for; may leave the range (then the text does too).
    texts : dict of int to str
        Subjects whose answer is another text (a refusal, prose) instead of a score.
    logprobs : dict of int to mapping of str to float
        By subject, the log-probability of every choice, where the model gives them.
    """

    scores: NDArray[np.float64]
    texts: dict[int, str] = field(default_factory=dict)
    logprobs: dict[int, Mapping[str, float]] = field(default_factory=dict)

    def shifted(self, by: NDArray[np.float64] | float) -> Replies:
        """Return the replies with scores moved by so many points."""
        return replace(self, scores=self.scores + by)

    def where(self, chosen: NDArray[np.bool_], text: str) -> Replies:
        """Return the replies with the text in place of the chosen subjects' scores."""
        return replace(self, texts={**self.texts, **{int(i): text for i in np.flatnonzero(chosen)}})


def severity(condition: Condition, catalogue: Catalogue) -> int:
    """Return the levels of what a condition does to images, added up; what has a single strength counts as 1.

    What should be ignored, such as a text in the picture, makes no image worse.
    """
    done = (p for p in catalogue.pictures(condition) if catalogue.entry(p.name).expects != "ignore")
    return sum(max(p.level, 1) for p in done)


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return a generator that depends on the seed and the names only, on every machine and in every process."""
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


@lru_cache(maxsize=256)
def _traits(seed: int, name: str, patients: tuple[str, ...]) -> NDArray[np.float64]:
    drawn = {patient: _uniform(seed, name, patient) for patient in dict.fromkeys(patients)}
    found = np.array([drawn[patient] for patient in patients])
    found.flags.writeable = False
    return found


def _uniform(*names: object) -> float:
    digest = hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64
