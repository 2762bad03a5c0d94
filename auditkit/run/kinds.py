"""Which effects these images can tell anything of: a right answer that is the same everywhere shows no knowledge."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.errors import AuditkitError
from auditkit.images.item import Item
from auditkit.protocol.declared import lacks_kinds
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Effect


def told_apart(effects: Sequence[Effect], protocol: Protocol, records: Sequence[Item]) -> tuple[Effect, ...]:
    """Return the effects that images of these kinds can decide.

    Raises
    ------
    AuditkitError
        When that is none of them.
    """
    missing = {effect: lacking_kinds(effect, protocol, records) for effect in effects}
    found = tuple(effect for effect, why in missing.items() if not why)
    if effects and not found:
        raise AuditkitError(f"nothing is left to measure: {next(iter(missing.values()))}", "Select other audits too.")
    return found


def lacking_kinds(effect: Effect, protocol: Protocol, records: Sequence[Item]) -> str:
    """Say which kinds of images an effect lacks; empty where it has all of them, and of what is only shown."""
    family = protocol.family_of(effect)
    if family is not None and family.shown:
        return ""
    return lacks_kinds(effect, protocol.catalogue.tasks, {record.modality for record in records})
