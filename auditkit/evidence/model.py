"""Which model answered, and in which words it was asked."""

from __future__ import annotations

from auditkit.evidence.values import Record


class ModelInfo(Record):
    """Which model answered."""

    name: str
    family: str = ""
    """Architecture, as the registry names it (``gemma3``); empty when not known."""
    revision: str = ""
    fingerprint: str = ""
    """Hash over all that can change an answer: weights, processor, dtype, batching."""
    backend: str = ""
    description: str = ""
    limits: list[str] = []
    """What this kind of model cannot be asked, in its back end's words."""


class PromptInfo(Record):
    """One wording of a task as it was sent."""

    id: str
    """Task and wording: ``quality.direct``."""
    scorer: str
    """How its answers are read: ``score_100``, or the scorer's table as JSON."""
    system: str | None = None
    text: str
