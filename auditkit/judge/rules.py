"""The protocol, with the level at which each modality is decided at this look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditkit.protocol.model import Protocol, Statistics


@dataclass(frozen=True, slots=True)
class Rules:
    """What a gate needs of the protocol.

    Attributes
    ----------
    protocol : Protocol
        The criteria.
    levels : mapping of str to float
        Error per side by modality (or ``"all"``) at this look; the protocol's own where not given.
    """

    protocol: Protocol
    levels: Mapping[str, float] = field(default_factory=dict)

    def alpha(self, modality: str) -> float:
        """Return the error per side at which a modality is decided."""
        return self.levels.get(modality, self.protocol.alpha)

    @property
    def statistics(self) -> Statistics:
        """Settings of the procedures."""
        return self.protocol.statistics

    def resolve_template(self, template: str) -> str:
        """Return the template id that ``@score`` stands for, or the id itself."""
        return self.protocol.resolve_template(template)
