"""Why two runs cannot be held against each other: what was asked, or of which items, was not the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from auditkit.ask.store import NotedImage
from auditkit.evidence import Evidence, ItemEntry, ProtocolInfo
from auditkit.images.item import Item
from auditkit.measure.columns import MODALITY, level_of
from auditkit.measure.recorded import data_sha256
from auditkit.protocol.changes import changed_entries, changes
from auditkit.protocol.entries import entries_used
from auditkit.protocol.model import Protocol
from auditkit.run.session import AuditRun
from auditkit.vocabulary import Effect
from auditkit.words import some_of

SHOWN = 3
Manifests = Callable[[str], Sequence[Sequence[NotedImage]]]
BY_ENTRY = ("perturbations", "tasks", "covers")
"""Criteria that are compared entry by entry, for the effects that use them."""


def _nothing_noted(sha256: str) -> Sequence[Sequence[NotedImage]]:
    return ()


def unlike_in_plan(earlier: Evidence, run: AuditRun) -> str:
    """Say why an earlier run cannot be compared, as far as that is known before anything is asked; empty if it can.

    Parameters
    ----------
    earlier : Evidence
        Its record.
    run : AuditRun
        Prepared.
    """
    if not earlier.answers.items or not earlier.answers.columns:
        return "its record holds no answers. Run its audits again with the same store: what it holds is not asked again"
    problem = _criteria(earlier.protocol, run.protocol) or _entries(earlier.protocol, run)
    if problem:
        return problem
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
    recorded = {item.id for item in earlier.answers.items}
    # An image planned may turn out to be unreadable, as it may have then: only what cannot be that is known by now.
    if recorded - planned or len(planned - recorded) > earlier.data.n_left_out:
        return unlike_in_data(earlier, run.plan.records, run.store.manifests)
    changed = repainted(earlier, run.plan.records, run.store.manifests)
    return _other_pixels(len(recorded), changed) if changed else ""


def unlike_in_entries(earlier: ProtocolInfo, effect: Effect, protocol: Protocol) -> str:
    """Say which entries that an effect uses were not the same in an earlier run; empty if all were.

    Entries that the effect does not use do not matter: a perturbation, sentence or task that was added or changed since
    leaves the comparison of all others as it is.
    """
    used = entries_used(protocol.catalogue, effect.questions())
    unknown = sorted(used.keys() - earlier.entries.keys())
    if unknown:
        return (
            f"its protocol did not cover {some_of(unknown)}, so nobody knows how that was defined then. List such "
            "names under covers in the protocol and run its audits again"
        )
    changed = changed_entries({name: earlier.entries[name] for name in used}, used)
    return f"it was asked with another {some_of(changed)}" if changed else ""


def unlike_in_data(earlier: Evidence, records: Sequence[Item], manifests: Manifests = _nothing_noted) -> str:
    """Say why the items of two runs are not the same; empty if they are.

    Parameters
    ----------
    earlier : Evidence
        The record of the earlier run.
    records : sequence of Item
        Today's.
    manifests : callable
        From the hash of a run's images to what a store has noted of them: `Store.manifests`.
    """
    then, now = {i.id: i for i in earlier.answers.items}, {r.id: r for r in records}
    same_pictures = earlier.data.sha256 == data_sha256(r.address for r in records)
    gone, added = len(then.keys() - now.keys()), len(now.keys() - then.keys())
    if gone or added:
        if same_pictures:
            return "its images are the same under other ids. Set AUDITKIT_SALT to what it was in that run"
        return (
            f"its images are others: {gone} of its {len(then)} are not among these, {added} of these {len(now)} are "
            "new. If they should be the same, set AUDITKIT_SALT to what it was in that run"
        )
    if not same_pictures:
        return _other_pixels(len(then), repainted(earlier, records, manifests))
    return _moved(then, now)


def repainted(earlier: Evidence, records: Sequence[Item], manifests: Manifests) -> list[Item]:
    """Return the images whose pixels are others than in an earlier run; empty where no store has noted what was."""
    now = {record.id: record for record in records}
    recorded = {item.id for item in earlier.answers.items}
    for images in manifests(earlier.data.sha256):
        if {image.id for image in images} == recorded:  # the same bytes under another salt have other ids
            return [now[i.id] for i in images if i.id in now and i.address != now[i.id].address]
    return []


def _other_pixels(total: int, changed: Sequence[Item]) -> str:
    if changed:
        ids = some_of([record.id for record in changed])
        return f"the pixels of {len(changed)} of its {total} images are other ones now: {ids}"
    return (
        "its images have the same ids and other pixels. Of which, the store of that run can tell: give it with "
        "--audit-store"
    )


def _moved(then: Mapping[str, ItemEntry], now: Mapping[str, Item]) -> str:
    """Say how many items belong to another patient, modality or level than before."""
    patients = sum(then[i].cluster != now[i].cluster for i in then)
    if patients:
        return f"{patients} of the {len(then)} images belong to other patients than in that run"
    for column in (MODALITY, *sorted({name for item in then.values() for name in item.columns})):
        moved = sum(_level(then[i], column) != level_of(now[i], column) for i in then)
        if moved:
            what = "modalities" if column == MODALITY else f"levels of {column}"
            return f"{moved} of the {len(then)} images belong to other {what} than in that run"
    return ""


def _level(item: ItemEntry, column: str) -> str | None:
    return item.modality if column == MODALITY else item.columns.get(column)


def _criteria(earlier: ProtocolInfo, protocol: Protocol) -> str:
    then, now = _compared(earlier.criteria), _compared(protocol.model_dump(mode="json"))
    if then == now:
        return ""
    keys = changes(then, now)
    said = "; ".join(keys[:SHOWN]) + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
    return f"its criteria are other ones: {said}"


def _entries(earlier: ProtocolInfo, run: AuditRun) -> str:
    """Say why no effect can be compared; where some can, each says for itself why it cannot."""
    problems = [unlike_in_entries(earlier, effect, run.protocol) for effect in run.plan.effects]
    return problems[0] if problems and all(problems) else ""


def _compared(criteria: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in criteria.items() if key not in BY_ENTRY}


def _patients(limit: int | None) -> str:
    return "all patients" if limit is None else f"{limit} patients"
