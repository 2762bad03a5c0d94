"""Which pictures are shown: another one in place of the item's own, or none.

Nothing is drawn here. `auditkit.ask.donors` chooses the picture that stands in, so that a subset of the items or
another order never changes it.
"""

from __future__ import annotations

from typing import TypeVar

SAME, OTHER = "same", "other"
"""What the modality of a picture that stands in must be, compared with the item's."""

P = TypeVar("P")


def exchanged(pictures: tuple[P, ...], donor: P, *, modality: str) -> tuple[P, ...]:
    """Show the picture of another patient.

    Parameters
    ----------
    pictures : tuple
        The item's own.
    donor : object
        The picture that stands in.
    modality : {"same", "other"}
        Whose it may be: `auditkit.ask.donors` reads this.
    """
    return (donor,)


def missing(pictures: tuple[P, ...], donor: P | None) -> tuple[P, ...]:
    """Show none.

    Parameters
    ----------
    pictures : tuple
        The item's own.
    donor : object or None
        Not used: none stands in.
    """
    return ()
