"""What a run was about, as it stands in the record: its images, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from auditkit.evidence import Data, LeftOutEntry, Level, ModalityCount
from auditkit.images.record import UNKNOWN, ImageRecord
from auditkit.measure.recorded import data_sha256
from auditkit.run.session import AuditRun, all_left_out

MAX_LISTED = 200


def data_of(run: AuditRun) -> Data:
    """Return the record of the images that a run judged."""
    records, left_out = run.judge.data.records, all_left_out(run)
    return Data(
        source=run.settings.data if run.settings.data == "demo" else Path(run.settings.data).name,
        n_images=len(records),
        n_clusters=len({r.cluster for r in records}),
        modalities=[_count(name, records) for name in sorted({r.modality for r in records})],
        synthetic_share=sum(r.synthetic for r in records) / max(len(records), 1),
        sources=dict(sorted(Counter(r.source for r in records).items())),
        licences=dict(sorted(Counter(r.licence for r in records).items())),
        left_out=[LeftOutEntry(name=e.name, reason=e.reason) for e in left_out[:MAX_LISTED]],
        n_left_out=len(left_out),
        notice=run.images.notice,
        limited_to=run.settings.limit,
        sha256=data_sha256(r.content for r in records),
        strata=strata(records),
    )


def _count(modality: str, records: Sequence[ImageRecord]) -> ModalityCount:
    own = [r for r in records if r.modality == modality]
    return ModalityCount(
        modality=modality,
        n_images=len(own),
        n_clusters=len({r.cluster for r in own}),
        n_synthetic=sum(r.synthetic for r in own),
    )


def strata(records: Sequence[ImageRecord]) -> dict[str, list[Level]]:
    """Count the levels of every attribute the source knows of any image; an image without a value is ``unknown``."""
    result = {}
    for attribute in sorted({name for r in records for name in r.attributes}):
        groups: dict[str, list[ImageRecord]] = {}
        for record in records:
            groups.setdefault(record.attributes.get(attribute) or UNKNOWN, []).append(record)
        result[attribute] = [
            Level(name=name, n_images=len(own), n_clusters=len({r.cluster for r in own}))
            for name, own in sorted(groups.items())
        ]
    return result
