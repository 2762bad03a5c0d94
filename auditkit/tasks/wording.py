"""One wording of a question, and the prompt that is made of it."""

from __future__ import annotations

from dataclasses import dataclass

SLOT = "{context}"
"""Where sentences are put. It ends the text, so that all before it is the same for every condition."""
MAX_NEW_TOKENS = 32


@dataclass(frozen=True, slots=True)
class Wording:
    """One wording of a task's question.

    Attributes
    ----------
    text : str
        The user's turn; ends with the slot ``{context}`` on a line of its own.
    system : str or None
        The system turn, where there is one.
    max_new_tokens : int
        Upper limit of the answer's length.
    """

    text: str
    system: str | None = None
    max_new_tokens: int = MAX_NEW_TOKENS

    @property
    def question(self) -> str:
        """The user's turn without the slot."""
        return self.text.replace(SLOT, "").strip()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent to the model beside the image; the fields are those of `auditkit.models.base.Request`."""

    system: str | None
    user: str
    choices: tuple[str, ...] | None
    max_new_tokens: int
    statements: tuple[tuple[str, tuple[str, ...]], ...] = ()
