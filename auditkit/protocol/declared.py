"""The ids of the audits that a protocol declares, whatever was collected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditkit.protocol.shipped import SHIPPED


def declared_ids(criteria: Mapping[str, Any], roles: Iterable[str] = ()) -> list[str]:
    """Return the ids of the shipped audits of the protocol's families, without those only shown, sorted.

    A protocol that leaves a shipped family out does not declare its audits: what it leaves out is in its hash.

    Parameters
    ----------
    criteria : mapping
        The protocol as resolved, as a record holds it.
    roles : iterable of str
        Earlier runs that all of them are held against as well (``baseline``, ``anchor``).
    """
    families = criteria.get("families", {})
    deciding = [name for name in SHIPPED if name in families and not (families[name] or {}).get("shown")]
    own = [f"{family}/{effect.name}" for family in deciding for effect in SHIPPED[family]()]
    return sorted([*own, *(f"{role}/{name}" for role in roles for name in own)])
