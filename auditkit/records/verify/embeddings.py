"""Whether what a record says of the model's embeddings is what the store's embeddings give, compared again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from auditkit.ask.embeddings import EmbeddingKeys
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.evidence import Evidence
from auditkit.images.item import Item
from auditkit.measure.columns import ERROR, MAIN, SCORED, Measurements
from auditkit.measure.embeddings import with_embeddings
from auditkit.protocol.model import Protocol
from auditkit.records.verify.checks import OPEN, Check, settled
from auditkit.vocabulary import Question

PART = "answers"
# A dot product may be summed in another order elsewhere, which moves its last digits.
_TOLERANCE = 1e-6


def check_embeddings(
    evidence: Evidence, protocol: Protocol, recorded: Measurements, records: Sequence[Item], store: Store
) -> list[Check]:
    """Compare the embeddings again, image by image.

    Parameters
    ----------
    evidence : Evidence
        The record.
    protocol : Protocol
        Its criteria.
    recorded : Measurements
        Its answers, and what it says of the embeddings.
    records : sequence of Item
        Its images in its order, with their content addresses; without one where it is not known.
    store : Store
        The embeddings.

    Returns
    -------
    list of Check
        Empty where the record says nothing of embeddings.
    """
    inside = sorted(recorded.inside(), key=lambda q: (q.condition, q))
    if not inside:
        return []
    model: Any = evidence.model  # has all that a key takes from a model
    renderer = Renderer(store, protocol.seed, protocol.catalogue, cache_bytes=0)

    def of(modality: str) -> list[Question]:
        return [q for q in inside if protocol.catalogue.applies_to(q.condition, modality)]

    found = with_embeddings(Measurements(records, {}), of, EmbeddingKeys(model, protocol), store, renderer)
    pairs = {question: (recorded.column(question), found.column(question)) for question in inside}
    missing = sum(int((there.outcomes == ERROR)[here.outcomes == SCORED].sum()) for here, there in pairs.values())
    # How alike others are takes the embeddings of all. What was missing then may have been fetched by a later run.
    complete = all((here.outcomes == there.outcomes).all() for here, there in pairs.values())
    faults = []
    for question, (here, there) in pairs.items():
        both = (here.outcomes == SCORED) & (there.outcomes == SCORED)
        for name in here.values if complete else (MAIN,):
            a, b = here.value(name), there.value(name)
            same = np.isclose(a, b, rtol=0, atol=_TOLERANCE, equal_nan=True) | ~both
            where = str(question) + (f", {name}" if name else "")
            faults += [
                f"image {recorded.records[i].id}, {where}: record {a[i]:.8g}, the store's embeddings give {b[i]:.8g}"
                for i in np.flatnonzero(~same)
            ]
    if missing and not faults:
        why = f"{missing} embeddings are not in this store, so what they say is not compared again"
        return [Check(PART, OPEN, f"{why}. Give the run's store with --store")]
    return [settled(PART, "the store's embeddings are as alike as recorded", faults)]
