"""Whether the protocol names everything that audits ask, so that its hash covers it."""

from __future__ import annotations

from collections.abc import Iterable

from auditkit.errors import AuditkitError
from auditkit.protocol.entries import entries_used
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Effect


def check_covered(effects: Iterable[Effect], protocol: Protocol) -> None:
    """Refuse effects that ask what the protocol does not name: its hash would not say what was asked.

    Raises
    ------
    AuditkitError
        Naming the effect, what it uses, and the line to add.
    """
    for effect in effects:
        used = entries_used(protocol.catalogue, effect.questions())
        missing = [name.partition(" ")[2] for name in used if name not in protocol.entries]
        names = [n for n in missing if not any(other.startswith(f"{n}.") for other in missing)]
        if names:
            listed = ", ".join(f'"{name}"' for name in (*protocol.covers, *names))
            raise AuditkitError(
                f"{effect.family}/{effect.name} uses {', '.join(names)}, which the protocol does not name, so that its "
                "hash would not cover what is asked.",
                f"Add the line covers = [{listed}] at the top of the protocol.",
            )
