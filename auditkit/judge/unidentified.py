"""What no verdict may rest on: images that count as a patient each because nobody said whose they are."""

from __future__ import annotations

from auditkit.judge.draft import Draft
from auditkit.measure.columns import Measurements
from auditkit.protocol.model import Protocol
from auditkit.words import count, whole

REMEDY = (
    "give patient_id in a manifest, or set files_as_patients = true under [images] in the protocol if no two of them "
    "show one person"
)


def mark(draft: Draft, data: Measurements, protocol: Protocol) -> None:
    """Count a draft's images of unknown patients, and withhold its verdict unless the protocol lets them stand.

    Several images of one person, counted as several people, make the interval too narrow. That is as bad for a FAIL as
    for a PASS: both say that the truth lies on one side of the limit, with an error rate that holds for independent
    patients only. So neither can rest on such images, whatever the statistic, against a limit or an earlier run.

    Parameters
    ----------
    draft : Draft
        Changed in place.
    data : Measurements
        The items it is about.
    protocol : Protocol
        Its ``images.files_as_patients`` decides.
    """
    where = data.where(draft.stratum)
    draft.unidentified = int((data.unidentified & where).sum())
    held_to_a_limit = draft.margin_low is not None or draft.margin_high is not None
    if not draft.unidentified or not held_to_a_limit or protocol.images.files_as_patients:
        return
    images = f"{whole(draft.unidentified)} of {count(int(where.sum()), 'image')}"
    have = "has" if draft.unidentified == 1 else "have"
    draft.obstacle = f"{images} {have} no patient id, so the number of patients is not known"
    draft.remedy = REMEDY
    draft.met = False
    draft.p_pass = draft.p_fail = 1.0
    draft.settle = None
