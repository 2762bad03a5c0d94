"""Why two runs cannot be held against each other: what was asked, or of which images, was not the same."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.evidence import Evidence, ProtocolInfo
from auditkit.images.record import ImageRecord
from auditkit.measure.recorded import data_sha256
from auditkit.protocol.changes import changes
from auditkit.protocol.model import Protocol
from auditkit.run.session import AuditRun

SHOWN = 3
_PARTS = {"prompts": "the wording of prompts or attributes", "corruptions": "the corruptions"}


def unlike_in_plan(earlier: Evidence, run: AuditRun) -> str:
    """Say why an earlier run cannot be compared, as far as that is known before anything is asked; empty if it can."""
    if not earlier.answers.images or not earlier.answers.columns:
        return (
            f"its record (schema {earlier.schema_version}) holds no answers. Run its audits again with the same store: "
            "nothing is asked anew"
        )
    if earlier.protocol.sha256 != run.protocol.sha256():
        return _protocol(earlier.protocol, run.protocol)
    if earlier.data.limited_to != run.settings.limit:
        took, takes = _patients(earlier.data.limited_to), _patients(run.settings.limit)
        return f"it took {took}, this run takes {takes} (--audit-limit)"
    if earlier.answers.batch_size != run.batch_size:
        size = earlier.answers.batch_size
        return (
            f"its questions were asked {size} at a time, these {run.batch_size}, and company may change an answer. Add "
            f"--audit-batch-size={size}"
        )
    planned = {record.id for record in run.plan.records}
    recorded = {image.id for image in earlier.answers.images}
    # An image planned may turn out to be unreadable, as it may have then: only what cannot be that is known by now.
    if recorded - planned or len(planned - recorded) > earlier.data.n_left_out:
        return unlike_in_data(earlier, run.plan.records)
    return ""


def unlike_in_data(earlier: Evidence, records: Sequence[ImageRecord]) -> str:
    """Say why the images of two runs are not the same; empty if they are."""
    then, now = ({i.id: i for i in images} for images in (earlier.answers.images, records))
    same_pictures = earlier.data.sha256 == data_sha256(r.content for r in records)
    gone, added = len(then.keys() - now.keys()), len(now.keys() - then.keys())
    if gone or added:
        if same_pictures:
            return "its images are the same under other ids. Set AUDITKIT_SALT to what it was in that run"
        return (
            f"its images are others: {gone} of its {len(then)} are not among these, {added} of these {len(now)} are "
            "new. If they should be the same, set AUDITKIT_SALT to what it was in that run"
        )
    if not same_pictures:
        return "its images have the same ids and other pixels"
    for what, where in (("patients", "cluster"), ("modalities", "modality")):
        moved = sum(getattr(then[i], where) != getattr(now[i], where) for i in then)
        if moved:
            return f"{moved} of the {len(then)} images belong to other {what} than in that run"
    return ""


def _protocol(earlier: ProtocolInfo, protocol: Protocol) -> str:
    parts = protocol.parts()
    differing = [name for name in parts if earlier.parts.get(name) != parts[name]]
    said = []
    if "criteria" in differing:
        keys = changes(earlier.criteria, protocol.model_dump(mode="json"))
        said.append("; ".join(keys[:SHOWN]) + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""))
    said += [f"{words} changed" for name, words in _PARTS.items() if name in differing]
    return f"its protocol is another one ({earlier.sha256[:16]}, now {protocol.sha256()[:16]}): {', and '.join(said)}"


def _patients(limit: int | None) -> str:
    return "all patients" if limit is None else f"{limit} patients"
