"""The protocol, with the level at which each stratum is decided at this look."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from auditkit.measure.columns import MODALITY, Stratum
from auditkit.protocol.model import Protocol, Statistics


@dataclass(frozen=True, slots=True)
class Rules:
    """What a procedure needs of the protocol.

    Attributes
    ----------
    protocol : Protocol
        The criteria.
    levels : mapping of Stratum to float
        Error per side by stratum at this look; the protocol's own where not given.
    """

    protocol: Protocol
    levels: Mapping[Stratum, float] = field(default_factory=dict)

    def alpha(self, stratum: Stratum) -> float:
        """Return the error per side at which a stratum is decided."""
        return self.levels.get(stratum, self.protocol.alpha)

    @property
    def statistics(self) -> Statistics:
        """Settings of the procedures."""
        return self.protocol.statistics

    def seed(self, stratum: Stratum) -> int:
        """Return the seed of the resamples: it depends on the protocol's seed and on stable names only."""
        column, level = stratum
        return seed_for(self.protocol.seed, level if column == MODALITY else f"{column}={level}")


def seed_for(seed: int, *names: str) -> int:
    """Return a seed that depends on the protocol's seed and on stable names only."""
    digest = hashlib.sha256(f"{seed}:{':'.join(names)}".encode()).digest()
    return int.from_bytes(digest[:8], "big")
