"""Whom the pictures of a run may show, and where they go."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from auditkit.ask.donors import stand_ins
from auditkit.images.burned_in import KEEP, OPTION
from auditkit.images.item import DECLARED, UNKNOWN, Item
from auditkit.run.settings import Settings
from auditkit.words import count


def may_show(settings: Settings, record: Item) -> bool:
    """Whether a picture of the image may stand in a report."""
    return settings.report_pictures and record.identifiable != DECLARED


def sent_away(model: object, records: Sequence[Item]) -> list[str]:
    """Say before anything is asked that pictures leave this machine, and what is known of names in them.

    Parameters
    ----------
    model : object
        Of the run; one that a server answers for has ``base_url``.
    records : sequence of Item
        What is asked about.

    Returns
    -------
    list of str
        Nothing for a model on this machine.
    """
    host = remote_host(str(getattr(model, "base_url", "") or ""))
    every = [record for record in records if not record.synthetic]
    if not host or not every:
        return []
    real = [record for record in every if record.pictures]
    said = [f"{count(sum(len(record.pictures) for record in real), 'picture')} will be sent to {host}"] if real else []
    if texts := len(every) - len(real):
        said.append(f"the words of {count(texts, 'item')} without a picture will be sent to {host}")
    if others := len(stand_ins(real)):
        said.append(f"{count(others, 'other')} of the same source will be shown in place of some of them")
    if declared := sum(record.identifiable == DECLARED for record in real):
        declare = "declares" if declared == 1 else "declare"
        said.append(f"{declared} of them {declare} a name or a face in it ({OPTION}={KEEP})")
    if unknown := sum(record.identifiable == UNKNOWN for record in real):
        said.append(f"of {unknown} nothing says whether a name stands in it")
    return [f"auditkit: {'; '.join(said)}."]


def remote_host(address: str) -> str:
    """Return the host of an address, empty when it is this machine."""
    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return ""
    try:
        number = ip_address(host)
    except ValueError:
        return host
    return "" if number.is_loopback or number.is_unspecified else host


def limits_of(settings: Settings, records: Sequence[Item]) -> list[str]:
    """Say in the record what is known of names in the pictures, and which are not shown.

    Parameters
    ----------
    settings : Settings
        Of the run.
    records : sequence of Item
        The images judged.
    """
    said = []
    images = count(len(records), "image")
    if unknown := sum(record.identifiable == UNKNOWN for record in records):
        said.append(
            f"Of {unknown} of the {images} nothing says whether a name or a date stands in the picture (no statement "
            "in the header, or an ordinary picture file)."
        )
    if declared := sum(record.identifiable == DECLARED for record in records):
        said.append(
            f"Of {declared} of the {images} the file declares that the picture may name or show its patient. They were "
            f"used ({OPTION}={KEEP}); none of them is shown."
        )
    if not settings.report_pictures:
        said.append("Pictures were left out of this report (--audit-report-pictures=no).")
    return said
