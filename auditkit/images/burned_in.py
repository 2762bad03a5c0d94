"""Pictures that may name their patient: which are used at all."""

from __future__ import annotations

from dataclasses import replace

from auditkit.images.item import DECLARED, ImageSet, LeftOut

OPTION = "--audit-burned-in"
LEAVE_OUT, KEEP = "leave-out", "keep"


def without_declared(images: ImageSet) -> ImageSet:
    """Leave out every image whose file declares that the picture may name or show its patient.

    Parameters
    ----------
    images : ImageSet
        Of any source.

    Returns
    -------
    ImageSet
        What is left, and each of the others in `left_out` with what its file declares.
    """
    declared = [record for record in images.records if record.identifiable == DECLARED]
    if not declared:
        return images
    remedy = f"{OPTION}={KEEP} uses it and shows it nowhere"
    left_out = [
        LeftOut(record.name or f"image {record.id}", f"{record.declared_by or 'it is declared identifiable'}; {remedy}")
        for record in declared
    ]
    return replace(
        images,
        records=tuple(record for record in images.records if record.identifiable != DECLARED),
        left_out=(*images.left_out, *left_out),
    )
