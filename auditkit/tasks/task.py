"""A task: one question in several wordings, and how its answers are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from auditkit.tasks.scorers import Scorer, Vectors
from auditkit.tasks.wording import MAX_NEW_TOKENS, Wording


@dataclass(frozen=True, slots=True)
class Task:
    """One question that can be put to items.

    Attributes
    ----------
    id : str
        Stable key, as in `auditkit.vocabulary.Question`.
    wordings : mapping of str to Wording
        The ways to ask it; the first is the usual one.
    scorer : Scorer
        What reads the answers.
    scorer_spec : plain data
        How the scorer was declared; two tasks are equal when this is, and their wordings are.
    """

    id: str
    wordings: Mapping[str, Wording]
    scorer: Scorer = field(compare=False)
    scorer_spec: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "wordings", MappingProxyType(dict(self.wordings)))

    def __hash__(self) -> int:
        return hash((self.id, tuple(self.wordings)))

    def __reduce__(self) -> tuple[type[Task], tuple[Any, ...]]:
        # Read-only mappings cannot be pickled, and tasks go to worker processes.
        return Task, (self.id, dict(self.wordings), self.scorer, self.scorer_spec)

    @property
    def first(self) -> str:
        """The usual wording."""
        return next(iter(self.wordings))

    @property
    def asks(self) -> bool:
        """Whether the model is asked in words; else what it holds inside is compared, and a wording is a kind of it."""
        return not isinstance(self.scorer, Vectors)

    def table(self) -> dict[str, Any]:
        """Return all but the id as plain data, such as JSON and TOML can hold."""
        return {
            "scorer": self.scorer_spec,
            "wordings": {name: _plain(wording) for name, wording in self.wordings.items()},
        }


def _plain(wording: Wording) -> dict[str, Any]:
    plain: dict[str, Any] = {"text": wording.text}
    if wording.system is not None:
        plain["system"] = wording.system
    if wording.max_new_tokens != MAX_NEW_TOKENS:
        plain["max_new_tokens"] = wording.max_new_tokens
    return plain
