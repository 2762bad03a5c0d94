"""Every answer of a run as a score or an outcome, item by item: what a baseline and a comparison are paired with."""

from __future__ import annotations

from auditkit.evidence.values import Record
from auditkit.vocabulary import Perturbation, Question

NOT_ASKED, NO_SCORE = ".", "+"
OUTCOME_MARKS = {"refused": "r", "no_image": "n", "unparsed": "u", "out_of_range": "o", "truncated": "t", "error": "e"}
"""One letter per outcome without a score."""


class ItemEntry(Record):
    """One item of the run."""

    id: str
    """Salted hash; the same wherever the salt (``AUDITKIT_SALT``) is."""
    cluster: str
    """Salted hash of the patient (or study, or file)."""
    unit: str = "patient"
    """What ``cluster`` rests on: ``patient``, ``study``, ``series`` or ``file``. The last two count as patients of
    their own though nothing says that they are."""
    modality: str
    synthetic: bool = False
    pictures: int = 1
    """How many it has: 0, 1 or 2."""
    columns: dict[str, str] = {}
    """Levels of the columns that the protocol names, such as ``label``."""
    answers_sha256: str = ""
    """Over the raw answers to every question put about this item."""


class AnswerColumn(Record):
    """The answers of all items to one question."""

    task: str
    wording: str
    condition: list[tuple[str, int]] = []
    """Name and level of each perturbation, in the order of the stages; empty for the items as they are."""
    role: str = "model"
    """Who answered: ``model`` is the model that is audited, another one of ``models``."""
    inside: bool = False
    """Whether the values were measured inside the model. Nothing was asked then: a wording names a kind of embedding,
    and ``e`` stands where one is missing."""
    values: dict[str, str]
    """Name of the value -> one mark per item, in the items' order, separated by blanks. The main value has the empty
    name. A mark is a number in the value's unit; ``+`` and a percent-encoded label for an answer that was read and has
    a label but no score; ``r`` refused, ``n`` no image, ``u`` unparsed, ``o`` out of range, ``t`` truncated, ``e``
    error; ``.`` not asked. Of ``likeliest_correct``, ``brier`` and the chance of an answer the number stands where the
    probabilities say it, whatever the outcome, which the main value has. These and ``confidence`` are there where the
    back end gave probabilities, and a chance only where an audit rests on it."""

    @property
    def question(self) -> Question:
        """What was asked."""
        condition = tuple(Perturbation(name, level) for name, level in self.condition)
        return Question(self.task, self.wording, condition, self.role)


class Answers(Record):
    """The answers of a run without their texts, which stay in the store."""

    batch_size: int = 1
    """Nominal requests per call; part of every answer's key in the store."""
    probabilities: bool = True
    """Whether the probabilities of the declared answers were asked for; part of every answer's key too."""
    items: list[ItemEntry] = []
    """Sorted by id."""
    columns: list[AnswerColumn] = []
    """Sorted by task, wording, condition and role."""
    sha256: str = ""
    """Over the items' ids and their ``answers_sha256``."""
