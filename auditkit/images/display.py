"""From stored DICOM values to the 8 bits that a viewer would put on the screen.

Rescaling and windowing are pydicom's. They are applied to the at most 65,536 stored values that occur rather than to
each pixel: the same numbers, and 12 million pixels of a mammogram take 0.1 s instead of 1.5 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.images.elements import integer, number
from auditkit.images.levels import robust_range
from auditkit.images.tables import Table, table_item

NOTE_NO_WINDOW = "no window in the header: shown from the 0.5th to the 99.5th percentile"
NOTE_BAD_WINDOW = "the window in the header is not usable: shown from the 0.5th to the 99.5th percentile"
NOTE_SEVERAL = "several windows in the header: the first is used"
NOTE_FULL_RANGE = "the window in the header is not usable: shown over the full range of its 8 bits"
NOTE_RESCALE = "the rescale slope in the header is not usable: stored values are taken as they are"

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_WIDEST_INDEX = 1 << 16
_NARROWEST = 1e-30  # a constant picture has no width; any window shows it black


@dataclass(frozen=True, slots=True)
class Grey:
    """The grey-scale pipeline of one image (PS3.4 N.2.1): modality LUT, VOI LUT, presentation.

    Attributes
    ----------
    header : pydicom Dataset
        The settings, those of the frame included.
    window : tuple of (float, float, str) or None
        Centre, width and function of the first usable window.
    voi, modality : Table or None
        Usable lookup tables.
    rescale : bool
        Whether rescale slope and intercept are usable.
    inverted : bool
        Small values are bright.
    as_stored : bool
        8-bit values without any setting: shown over their full range, as every viewer does.
    notes : tuple of str
        Fallbacks that are taken.
    """

    header: Any
    window: tuple[float, float, str] | None
    voi: Table | None
    modality: Table | None
    rescale: bool
    inverted: bool
    as_stored: bool
    notes: tuple[str, ...]

    @classmethod
    def from_header(cls, header: Any) -> Grey:
        """Decide from the header alone how the image is shown."""
        notes: list[str] = []
        little_endian = header.original_encoding[1] is not False
        low, high = _stored_range(header)
        modality, item = None, table_item(header, "ModalityLUTSequence")
        if item is not None:
            modality = Table.read(item, little_endian, low, high, shown=False)
            low, high = float(modality.entries.min()), float(modality.entries.max())
            notes += modality.notes
        slope, intercept = number(header, "RescaleSlope"), number(header, "RescaleIntercept")
        declared = "RescaleSlope" in header or "RescaleIntercept" in header
        rescale = False
        if modality is None and slope is not None and slope != 0 and intercept is not None:
            rescale = True
            low, high = sorted((slope * low + intercept, slope * high + intercept))
        elif modality is None and declared:
            notes.append(NOTE_RESCALE)
        item = table_item(header, "VOILUTSequence")
        voi = None if item is None else Table.read(item, little_endian, low, high, shown=True)
        window, count, given = _window(header)
        unsigned_8_bits = integer(header, "BitsStored", 16) <= 8 and integer(header, "PixelRepresentation", 0) == 0
        unscaled = modality is None and (not rescale or (slope, intercept) == (1, 0))
        as_stored = voi is None and window is None and unsigned_8_bits and unscaled
        if voi is not None:
            notes += voi.notes
        elif window is None and as_stored and given:
            notes.append(NOTE_FULL_RANGE)
        elif window is None and not as_stored:
            notes.append(NOTE_BAD_WINDOW if given else NOTE_NO_WINDOW)
        elif count > 1:
            notes.append(NOTE_SEVERAL)
        return cls(
            header=header,
            window=None if voi is not None else window,
            voi=voi,
            modality=modality,
            rescale=rescale,
            inverted=(
                str(header.get("PhotometricInterpretation", "")) == "MONOCHROME1"
                # PS3.3 C.11.6 asks for INVERSE together with MONOCHROME1: it is one inversion, not two
                or str(header.get("PresentationLUTShape", "")).strip().upper() == "INVERSE"
            ),
            as_stored=as_stored,
            notes=tuple(notes),
        )

    def show(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Return what the screen shows.

        Parameters
        ----------
        stored : ndarray, shape (rows, columns)
            Stored values, integers or floats of either sign and byte order.

        Returns
        -------
        ndarray of uint8, shape (rows, columns)
        """
        values = stored.astype(stored.dtype.newbyteorder("="), copy=False)
        if values.dtype.kind in "iu":
            low, high = int(values.min()), int(values.max())
            if high - low < _WIDEST_INDEX:
                index = np.subtract(values, low, dtype=np.int64, casting="unsafe") if low else values
                counts = np.bincount(index.ravel(), minlength=high - low + 1)
                table = self._shown(np.arange(low, high + 1, dtype=np.int64), counts)
                shown: NDArray[np.uint8] = np.take(table, index)
                return shown
        return self._shown(values, None)

    def _shown(self, values: NDArray[Any], counts: NDArray[np.int64] | None) -> NDArray[np.uint8]:
        """Put values through the pipeline; `counts` says how often each occurs (None: once)."""
        padding = self._padding(values)
        measured: NDArray[Any] = values
        if self.modality is not None:
            measured = self.modality.look_up(values)
        elif self.rescale:
            measured = import_module("pydicom.pixels").apply_rescale(values, self.header)
        if self.voi is not None:
            shown = self.voi.look_up(measured) * (255.0 / self.voi.top)
        elif self.as_stored:
            shown = measured * (255.0 / (2 ** integer(self.header, "BitsStored", 8) - 1))
        elif self.window is not None:
            shown = _windowed(measured, *self.window)
        else:
            low, high = robust_range(measured, ~padding, counts)
            centre, width = (low + high) / 2, max(high - low, _NARROWEST)
            shown = _windowed(measured, centre, width, "LINEAR_EXACT")
        result: NDArray[np.uint8] = np.rint(
            np.clip(np.nan_to_num(shown, nan=0.0, posinf=255.0, neginf=0.0), 0, 255)
        ).astype(np.uint8)
        if self.inverted:
            result = np.subtract(255, result, dtype=np.uint8)
        result[padding] = 0  # outside the picture is dark, whichever way round the grey scale runs
        return result

    def _padding(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where `values` stand for "no pixel here" (PS3.3 C.7.5.1.1.2)."""
        first = number(self.header, "PixelPaddingValue")
        if first is None:
            return np.zeros(values.shape, dtype=bool)
        last = number(self.header, "PixelPaddingRangeLimit")
        signed = integer(self.header, "PixelRepresentation", 0) == 1
        bits = integer(self.header, "BitsAllocated", 16)
        ends = [
            # the element's type depends on another element, and writers get it wrong: 63536 for -2000
            end - 2**bits if signed and end >= 2 ** (bits - 1) else end + 2**bits if not signed and end < 0 else end
            for end in (first, first if last is None else last)
        ]
        return np.asarray((values >= min(ends)) & (values <= max(ends)))


def colour_to_8_bits(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    """Keep the eight most significant of `bits` bits.

    Parameters
    ----------
    values : ndarray of unsigned integers, shape (rows, columns, 3 or 4)
        RGB or RGBA.
    bits : int
        Bits stored; ignored for arrays of 8-bit type.

    Notes
    -----
    16-bit palettes hold 8-bit colours either shifted (PS3.3 C.7.9.2: v·256) or repeated (v·257); the upper byte is v in
    both. Palettes that declare 16 bits and hold 0-255 are met as well, and taken as they are.
    """
    values = values[..., :3]
    if values.dtype.itemsize == 1:
        return values.astype(np.uint8, copy=False)
    if bits == 16 and values.size and int(values.max()) <= 255:
        bits = 8
    return (values >> max(bits - 8, 0)).astype(np.uint8)


def _windowed(values: NDArray[Any], centre: float, width: float, function: str) -> NDArray[np.float64]:
    """Window to 0-255 with pydicom's implementation of PS3.3 C.11.2.1.2, told that the output has 8 bits."""
    settings = import_module("pydicom").Dataset()
    settings.PhotometricInterpretation = "MONOCHROME2"
    settings.BitsStored, settings.PixelRepresentation = 8, 0
    # plain floats: as decimal strings (DS) they would be cut to 16 characters
    settings.add_new("WindowCenter", "FD", float(centre))
    settings.add_new("WindowWidth", "FD", float(width))
    settings.VOILUTFunction = function
    result: NDArray[np.float64] = import_module("pydicom.pixels").apply_windowing(values, settings)
    return result


def _stored_range(header: Any) -> tuple[float, float]:
    """Return the smallest and the largest value that can be stored."""
    bits = min(max(integer(header, "BitsStored", 16), 1), 64)
    if integer(header, "PixelRepresentation", 0) == 1:
        return -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1
    return 0.0, 2.0**bits - 1


def _window(header: Any) -> tuple[tuple[float, float, str] | None, int, bool]:
    """Return the first window when it is usable, how many there are, and whether any was given."""
    given = header.get("WindowCenter") is not None and header.get("WindowWidth") is not None
    centre, width = number(header, "WindowCenter"), number(header, "WindowWidth")
    function = str(header.get("VOILUTFunction") or "LINEAR").strip().upper()
    if centre is None or width is None or function not in _FUNCTIONS:
        return None, 0, given
    if width <= 0 or (function == "LINEAR" and width < 1):
        return None, 0, given
    value = header.get("WindowWidth")
    return (centre, width, function), 1 if isinstance(value, str) or not hasattr(value, "__len__") else len(value), True
