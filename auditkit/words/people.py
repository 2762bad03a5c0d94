"""Whether the patients that are counted are patients: said in the same words wherever images are counted."""

from __future__ import annotations

from collections.abc import Mapping

from auditkit.evidence import NotAsked
from auditkit.words.names import some_of
from auditkit.words.numbers import count, whole

_WHY = {
    "study": ("counted by study, because no patient id is known: a patient with several studies counts several times"),
    "series": "counted as a patient per series, because neither a patient id nor a study id is known",
    "file": "counted as a patient per file, because neither the file nor a manifest says whose it is",
}


def people_sentences(units: Mapping[str, int]) -> list[str]:
    """Say how many images were not counted by patient, and why; nothing where all were.

    Parameters
    ----------
    units : mapping of str to int
        Images by what stands for their patient (``Data.units``).

    Examples
    --------
    >>> people_sentences({"patient": 3, "study": 1})[0].partition(",")[0]
    '1 of 4 images was counted by study'
    """
    total = sum(units.values())
    return [
        f"{whole(units[unit])} of {count(total, 'image')} {'was' if units[unit] == 1 else 'were'} {how}."
        for unit, how in _WHY.items()
        if units.get(unit)
    ]


def without_picture_sentence(n: int, total: int) -> str:
    """Say how many items have no picture; empty where all have one.

    Examples
    --------
    >>> without_picture_sentence(12, 60)
    '12 of 60 images are items without a picture: they were asked about in words only.'
    """
    if not n:
        return ""
    are = "is an item" if n == 1 else "are items"
    were = "it was" if n == 1 else "they were"
    return f"{whole(n)} of {count(total, 'image')} {are} without a picture: {were} asked about in words only."


def not_asked_sentence(entry: NotAsked, total: int) -> str:
    """Say how many images were not asked some tasks, and why.

    Parameters
    ----------
    entry : NotAsked
        Of ``Data.not_asked``.
    total : int
        Images of the run.

    Examples
    --------
    >>> not_asked_sentence(NotAsked(tasks=["chest.pneumonia"], why="no 'label' is given", n=12), 60)
    "12 of 60 images were not asked chest.pneumonia: no 'label' is given."
    """
    were = "was" if entry.n == 1 else "were"
    return f"{whole(entry.n)} of {count(total, 'image')} {were} not asked {some_of(entry.tasks)}: {entry.why}."


def unread_sentence(columns: Mapping[str, str]) -> str:
    """Name the columns of a manifest that are not read, each with the one perhaps meant; empty where all are read."""
    if not columns:
        return ""
    listed = [f"{name} (did you mean {meant}?)" if meant else name for name, meant in columns.items()]
    shown = ", ".join(listed[:12]) + (f" and {len(listed) - 12} more" if len(listed) > 12 else "")
    return f"Columns of the manifest that are not read: {shown}."


def noted(n: int, note: str) -> str:
    """Say of how many images something was noted, in the number that fits.

    Examples
    --------
    >>> noted(1, "its pixels are not square"), noted(4, "its pixels are not square")
    ('1 image: its pixels are not square.', '4 images: their pixels are not square.')
    """
    said = note if n == 1 else note.replace("its ", "their ", 1) if note.startswith("its ") else note
    return f"{count(n, 'image')}: {said}."
