"""What ``--audit-dry-run`` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditkit.evidence import Data
from auditkit.words import (
    count,
    cut,
    modality_name,
    not_asked_sentence,
    people_sentences,
    unread_sentence,
    whole,
    without_picture_sentence,
)

_LEVELS, _NAMES = 12, 3


@dataclass(frozen=True, slots=True)
class Counted:
    """What is put to one model.

    Attributes
    ----------
    name : str
        The model.
    planned, held : int
        Questions of the plan, and those whose answers the store holds.
    rate : float or None
        Questions per second of the last run of this model with this store.
    """

    name: str
    planned: int
    held: int
    rate: float | None

    def lines(self) -> list[str]:
        """Return the lines about it."""
        missing = self.planned - self.held
        if not missing:
            time = "nothing to ask"
        elif self.rate:
            time = f"about {_duration(missing / self.rate)} at {self.rate:.2g} questions/s, this model's last rate here"
        else:
            time = "unknown: this store has no earlier run of this model to go by"
        return [
            f"questions planned:      {self.planned}",
            f"answers in the store:   {self.held}",
            f"questions to ask:       {missing}",
            f"estimated time:         {time}",
        ]


@dataclass(frozen=True, slots=True)
class DryRun:
    """What ``--audit-dry-run`` prints.

    Attributes
    ----------
    data : Data
        The images that would be asked about.
    asked : sequence of Counted
        By whom is asked, the audited model first.
    looks : int
        Looks planned; with several, the numbers are the most that may be needed.
    """

    data: Data
    asked: Sequence[Counted]
    looks: int = 1

    def lines(self) -> list[str]:
        """Return the text to print."""
        several = len(self.asked) > 1
        return [
            *_data_lines(self.data),
            *(line for one in self.asked for line in ([f"asked of {one.name}:"] * several + one.lines())),
            *([f"at most: {self.looks} looks are planned, each asks what is not settled by then"] * (self.looks > 1)),
            "Nothing was asked (--audit-dry-run).",
        ]


def _data_lines(data: Data) -> Iterator[str]:
    """Say what would be shown to the model, whose it is, and what is left out and why."""
    yield f"images:                 {whole(data.n_images)} of {count(data.n_clusters, 'patient')}"
    without = without_picture_sentence(data.n_without_picture, data.n_images)
    for sentence in (*filter(None, [without]), *people_sentences(data.units)):
        yield f"  {sentence}"
    yield "modalities, images (patients):"
    for one in data.modalities:
        yield f"  {modality_name(one.modality)}: {whole(one.n_images)} ({whole(one.n_clusters)})"
    if data.strata:
        yield "strata, images (patients):"
    for attribute, levels in data.strata.items():
        largest = sorted(levels, key=lambda level: (-level.n_images, level.name))
        shown = [f"{cut(v.name, 40)} {whole(v.n_images)} ({whole(v.n_clusters)})" for v in largest[:_LEVELS]]
        more = [f"{len(largest) - _LEVELS} levels more"] if len(largest) > _LEVELS else []
        yield f"  {attribute}: {', '.join([*shown, *more])}"
    if data.notes:
        yield "what the reader decided, images:"
    for note, n in data.notes.items():
        yield f"  {note}: {whole(n)}"
    for entry in data.not_asked:
        yield not_asked_sentence(entry, data.n_images)
    if sentence := unread_sentence(data.unread_columns):
        yield sentence
    yield f"left out:               {whole(data.n_left_out)}"
    yield from _left_out(data)


def _left_out(data: Data) -> Iterator[str]:
    """Group what is left out by its reason, the commonest first, with the first names of each."""
    reasons = Counter(entry.reason for entry in data.left_out)
    for reason, n in reasons.most_common(_LEVELS):
        names = [cut(entry.name, 60) for entry in data.left_out if entry.reason == reason][:_NAMES]
        yield f"  {whole(n)}: {reason} ({', '.join(names)}{', …' if n > _NAMES else ''})"
    rest = data.n_left_out - sum(n for _, n in reasons.most_common(_LEVELS))
    if rest:
        yield f"  {whole(rest)} more"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
