"""DICOM lookup tables (PS3.3 C.11.1.1 and C.11.2.1.1), with descriptors as writers get them wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.images.item import UnreadableImage

NOTE_FIRST = "a lookup table's first value has the wrong sign in the header: {} is taken as {}"
NOTE_BITS = "a lookup table declares {} bits, its entries use {}: shown over those"

_WIDEST = 1 << 16
# A table that leaves the upper quarters of its range free was written with the wrong depth, and would be shown dark.
_FREE_BITS = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table as it is meant.

    Attributes
    ----------
    entries : ndarray of float64
        Output values, at least one.
    first : int
        The input value that `entries` begins with.
    top : float
        The brightest output that the table can have.
    notes : tuple of str
        What of the descriptor was not followed.
    """

    entries: NDArray[np.float64]
    first: int
    top: float
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, item: Any, little_endian: bool, low: float, high: float, *, shown: bool) -> Table:
        """Read the item of a modality or VOI LUT sequence.

        Parameters
        ----------
        item : pydicom Dataset
            With LUTDescriptor and LUTData.
        little_endian : bool
            Byte order of data that pydicom leaves as bytes.
        low, high : float
            Smallest and largest value that can be looked up, by the header.
        shown : bool
            Whether the output is grey levels (VOI) or values of a measure, which no depth bounds (modality).

        Raises
        ------
        UnreadableImage
            The table is empty.
        """
        declared, first, bits = _descriptor(item.LUTDescriptor, little_endian)
        entries = _entries(item.LUTData, declared, bits, little_endian)
        if entries.size == 0:
            raise UnreadableImage("its lookup table is empty")
        notes = []
        meant = _meant(first, entries.size, low, high)
        if meant != first:
            notes.append(NOTE_FIRST.format(first, meant))
        used = max(int(entries.max()).bit_length(), 8)
        depth = used if shown and (used > bits or used <= bits - _FREE_BITS) else bits
        if depth != bits:
            notes.append(NOTE_BITS.format(bits, depth))
        return cls(entries.astype(np.float64), meant, float(2**depth - 1), tuple(notes))

    def look_up(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Map values, those outside the table to its ends.

        Own code because pydicom 3.0 indexes through an array of the table's own type: a table with 8-bit entries wraps
        round after 256 of them, and one with 12-bit entries asks NumPy for the type "uint12".
        """
        index = np.clip(np.rint(values).astype(np.int64) - self.first, 0, self.entries.size - 1)
        return np.asarray(self.entries[index])


def table_item(header: Any, keyword: str) -> Any:
    """Return the first item of a sequence when it holds a lookup table, else None."""
    sequence = header.get(keyword)
    if not sequence:
        return None
    item = sequence[0]
    return item if item.get("LUTDescriptor") is not None and item.get("LUTData") is not None else None


def _descriptor(value: Any, little_endian: bool) -> tuple[int, int, int]:
    """Return number of entries, first value mapped and bits per entry; 0 entries are 65,536 (PS3.3 C.11.1.1.1)."""
    if isinstance(value, bytes):
        value = np.frombuffer(value, dtype=f"{'<' if little_endian else '>'}u2")
    entries, first, bits = (int(one) for one in value)
    # the element's type (US or SS) is that of the first value; as SS, 40,000 entries read as -25,536
    return entries % _WIDEST or _WIDEST, first, bits


def _entries(data: Any, declared: int, bits: int, little_endian: bool) -> NDArray[Any]:
    """Return the entries that are there, at most as many as declared."""
    order = "<" if little_endian else ">"
    if not isinstance(data, bytes):
        words = np.atleast_1d(np.asarray(data, dtype=np.int64)) % _WIDEST
        if bits > 8 or 2 * words.size > declared + 1 or words.max(initial=0) < 256:
            return words[:declared]
        data = words.astype(f"{order}u2").tobytes()
    wide = np.frombuffer(data[: len(data) // 2 * 2], dtype=f"{order}u2")
    # Entries of 8 bits may be packed two in a word. Fewer bytes than 16-bit entries would take are no sign of it: the
    # table may have fewer entries than it declares. What packs nothing has empty upper bytes.
    packed = bits <= 8 and len(data) < 2 * declared and wide.max(initial=0) > 255
    return (np.frombuffer(data, dtype=np.uint8) if packed else wide)[:declared].astype(np.int64)


def _meant(first: int, size: int, low: float, high: float) -> int:
    """Return the first value with the sign that the writer must have meant."""
    other = first - _WIDEST if first >= _WIDEST // 2 else first + _WIDEST if first < 0 else first

    def reached(start: int) -> bool:
        return start <= high and start + size - 1 >= low

    wrong = not reached(first) or first < 0 <= low
    return other if wrong and reached(other) else first
