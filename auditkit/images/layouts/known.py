"""What the numbers of public data sets mean, by the names of their files (``known.toml``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from auditkit import parsed

_SIZE = re.compile(r"_(?:28|64|128|224)$")
NOTE_UNKNOWN = "its data set is not one whose classes are known here: its label is a number, its modality other"


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set: its name without the size of its pictures, its classes in the order of their numbers."""

    name: str
    modality: str = "other"
    licence: str = "unknown"
    labels: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said of its pictures."""
        return () if self.labels else (NOTE_UNKNOWN,)


def data_set(name: str) -> DataSet:
    """Return the data set of this name, or one of which nothing is known.

    Examples
    --------
    >>> data_set("pneumoniamnist_224").labels, data_set("ward").labels
    (('normal', 'pneumonia'), ())
    """
    plain = _SIZE.sub("", name.casefold())
    return _table().get(plain, DataSet(plain))


@cache
def _table() -> Mapping[str, DataSet]:
    table = parsed.toml((Path(__file__).parent / "known.toml").read_text(encoding="utf-8"))
    found = {}
    for name, entry in table.items():
        own = table[entry["like"]] if "like" in entry else entry
        found[name] = DataSet(name, own["modality"], own.get("licence", "unknown"), tuple(own["labels"]))
    return found
