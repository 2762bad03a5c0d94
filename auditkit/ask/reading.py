"""From the text of an answer to what it says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from auditkit import tasks
from auditkit.protocol.catalogue import NOTHING, Catalogue
from auditkit.tasks import Score, Task
from auditkit.vocabulary import Question


class AnswerReading:
    """The one way from a stored answer to a score, for the verdict and for whoever looks at answers before it.

    Parameters
    ----------
    catalogue : Catalogue
        The tasks whose scorers read the texts.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        # Most answers are one of a few texts; reading one takes 36 to 89 us, all 41,070 of the demo 2 to 4 s.
        self._read = lru_cache(maxsize=4096)(self._score)

    def __call__(
        self, question: Question, text: str, finish_reason: str, columns: Mapping[str, str] = NOTHING
    ) -> Score:
        """Read the answer to a question, which must be resolved, about an item with these columns."""
        task, truth = self._catalogue.about(question, columns)
        return self._read(task, question.wording, text, finish_reason, truth)

    def _score(self, task: Task, wording: str, text: str, finish_reason: str, truth: str) -> Score:
        return tasks.read(task, wording, text, finish_reason, truth)
