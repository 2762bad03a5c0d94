"""Which effects a model can be asked: not all models hold the embeddings compared, or answer without a picture."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.ask.donors import asks_without_picture
from auditkit.ask.embeddings import kinds_of
from auditkit.errors import AuditkitError
from auditkit.models.base import Model
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Effect


def measurable(
    effects: Sequence[Effect], protocol: Protocol, kinds: tuple[str, ...], model: Model
) -> tuple[Effect, ...]:
    """Return the effects that can be measured.

    Raises
    ------
    AuditkitError
        When that is none of them.
    """
    missing = {effect: lacking(effect, protocol, kinds, model) for effect in effects}
    found = tuple(effect for effect, why in missing.items() if not why)
    if effects and not found:
        raise AuditkitError(f"nothing is left to measure: {next(iter(missing.values()))}", "Select other audits too.")
    return found


def lacking(effect: Effect, protocol: Protocol, kinds: tuple[str, ...], model: Model) -> str:
    """Say what a model does not give that an effect compares; empty where it gives all of it."""
    name = getattr(model, "name", type(model).__name__)
    if getattr(model, "needs_picture", False) is True and asks_without_picture(effect, protocol):
        return f"{name} compares a picture with texts, so it cannot be asked without one, as {effect} does."
    wanted = kinds_of(effect, protocol)
    missing = [kind for kind in wanted if kind not in kinds]
    if not missing:
        return ""
    if not kinds:
        return f"{effect} compares what the model holds inside, which --audit-embeddings fetches."
    return f"{name} gives no embeddings of the kind {' and '.join(missing)}; it has {' and '.join(kinds)}."
