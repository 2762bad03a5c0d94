"""DICOM files: the few header facts that are needed, and the pixels as a viewer shows them.

`inspect` reads the header without the pixel data; `decode` reads one frame and puts it through the grey-scale pipeline
of PS3.4 N.2 (modality LUT or rescale, VOI LUT or window, inversion) or the colour conversions of PS3.3 C.7.6.3.

Only the elements listed in `_TAGS` are parsed, none of them the patient's name; identifiers leave this module in a
`Facts` whose values are hashed by the caller, and no message holds a header value.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import AuditkitError
from auditkit.images import objects
from auditkit.images.display import Grey, colour_to_8_bits
from auditkit.images.elements import count, text
from auditkit.images.frames import middle, with_frame_settings
from auditkit.images.item import UNKNOWN, UnreadableImage
from auditkit.images.quiet import guarded
from auditkit.images.strata import modality_of
from auditkit.version import install_line

SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")

# Group 2 or 8 with a low element number, then a VR (explicit) or a short even length (implicit), in either byte order.
_FIRST_ELEMENT = re.compile(
    rb"(?:[\x02\x08]\0[\0-\x1e]\0|\0[\x02\x08]\0[\0-\x1e])"
    rb"(?:AE|AS|CS|DA|DT|IS|LO|OB|SH|TM|UI|UL|US|[\0-\x7e]\0\0\0)"
)
_ORDINARY = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"BM", b"RIFF")
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META_AT_MOST = 4096
_BYTES_PER_PIXEL = 8
_NUMBER_OF_FRAMES = 0x00280008
_SMALL = 100_000  # bytes; a smaller file has no room for settings of too many frames
MOST_FRAMES = 10_000
"""Frames of one object that is read."""

_TAGS = (
    *objects.TAGS,
    "PatientID",
    "PatientSex",
    "PatientAge",
    "PatientBirthDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Manufacturer",
    "InstitutionName",
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "PixelAspectRatio",
    "RescaleSlope",
    "RescaleIntercept",
    "ModalityLUTSequence",
    "VOILUTSequence",
    "VOILUTFunction",
    "WindowCenter",
    "WindowWidth",
    "PresentationLUTShape",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "RedPaletteColorLookupTableDescriptor",
    "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor",
    "AlphaPaletteColorLookupTableDescriptor",
    "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData",
    "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the header says, as far as auditkit needs it.

    Attributes
    ----------
    modality : str or None
        One of `MODALITIES`, None when the header does not say.
    patient, study, series, birth : str or None
        Identifiers and date of birth in clear text: to be hashed at once, never shown.
    strata : mapping
        ``sex``, ``age``, ``manufacturer`` as the header has them, ``institution`` to be hashed.
    notes : tuple of str
        What the reader decides about this file.
    identifiable, declared_by : str
        As in `Item`.
    """

    modality: str | None = None
    patient: str | None = field(default=None, repr=False)
    study: str | None = field(default=None, repr=False)
    series: str | None = field(default=None, repr=False)
    birth: str | None = field(default=None, repr=False)
    strata: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    identifiable: str = UNKNOWN
    declared_by: str = ""


def looks_like_dicom(path: Path, head: bytes) -> bool:
    """Tell whether a file is DICOM.

    By its preamble (PS3.10 7.1), else by its first element, as files without preamble begin with one, else by its
    suffix, unless it begins as an ordinary picture does.
    """
    if head[128:132] == b"DICM" or _FIRST_ELEMENT.match(head):
        return True
    return path.suffix.casefold() in SUFFIXES and not head.startswith(_ORDINARY)


def inspect(path: Path, max_pixels: int) -> Facts:
    """Read the header and check that pixels can be expected.

    Parameters
    ----------
    path : Path
        The file.
    max_pixels : int
        Largest rows times columns that is decoded.

    Raises
    ------
    UnreadableImage
        Not DICOM, no pixel data, no picture (a report, a segmentation), a transfer syntax without decoder, too large,
        or shorter than its pixel data must be.
    AuditkitError
        When pydicom is not installed.
    """
    with guarded(_of_header):
        header = _read_header(path, max_pixels)
        syntax, notes = _transfer_syntax(header)
        _check(header, syntax, path.stat().st_size, max_pixels)
        frame, frame_notes = middle(header)
        if _is_grey(header):
            notes += Grey.from_header(with_frame_settings(header, frame)).notes
        identifiable, declared_by = objects.identifiable(header)
        return Facts(
            modality=modality_of(text(header, "Modality")),
            patient=text(header, "PatientID"),
            study=text(header, "StudyInstanceUID"),
            series=text(header, "SeriesInstanceUID"),
            birth=text(header, "PatientBirthDate"),
            strata={
                "sex": text(header, "PatientSex"),
                "age": text(header, "PatientAge"),
                "manufacturer": text(header, "Manufacturer"),
                "institution": text(header, "InstitutionName"),
            },
            notes=(*frame_notes, *notes, *_aspect_note(header)),
            identifiable=identifiable,
            declared_by=declared_by,
        )


def decode(path: Path, max_pixels: int) -> NDArray[np.uint8]:
    """Return the middle frame as a viewer shows it.

    Parameters
    ----------
    path : Path
        The file.
    max_pixels : int
        Largest rows times columns that is decoded.

    Returns
    -------
    ndarray of uint8, shape (rows, columns) or (rows, columns, 3)

    Raises
    ------
    UnreadableImage
        The pixel data is missing, too short, damaged, or in a form that is not supported.
    """
    pixels = require_pydicom("pydicom.pixels")
    with guarded(_of_header):
        header = _read_header(path, max_pixels)
        syntax, _ = _transfer_syntax(header)
        _check(header, syntax, path.stat().st_size, max_pixels)
        frame, _ = middle(header)
        index = frame if count(header, "NumberOfFrames", 1) > 1 else None
    with guarded(_of_pixels):
        if syntax.is_deflated:
            stored = pixels.pixel_array(_module("pydicom").dcmread(path), index=index)
        else:
            stored = pixels.pixel_array(path, index=index, transfer_syntax_uid=syntax)
        if index is None and stored.ndim == 4:
            stored = stored[0]
    with guarded(lambda error: f"its display settings cannot be applied ({type(error).__name__})"):
        return _display(stored, with_frame_settings(header, frame))


def require_pydicom(module: str = "pydicom") -> Any:
    """Import pydicom or one of its modules, or say what to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise AuditkitError(
            f"There are DICOM files, and pydicom cannot be imported ({type(error).__name__}).",
            f"Install it with: {install_line('dicom')}",
        ) from None


def _module(name: str) -> Any:
    return import_module(name)


def _read_header(path: Path, max_pixels: int) -> Any:
    dcmread = require_pydicom().dcmread
    _check_inflated_size(path, max_pixels * _BYTES_PER_PIXEL)
    _check_frames(path)
    return dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))


def _check_frames(path: Path) -> None:
    """Refuse an object of very many frames before what it says of each is read, which takes a minute of 200,000."""
    if path.stat().st_size < _SMALL:
        return
    with path.open("rb") as stream:
        read = _module("pydicom.filereader").read_partial
        start = read(stream, stop_when=lambda tag, _vr, _length: tag > _NUMBER_OF_FRAMES, force=True)
    if count(start, "NumberOfFrames", 1) > MOST_FRAMES:
        raise UnreadableImage(f"it has more than {MOST_FRAMES:,} frames")


def _check_inflated_size(path: Path, limit: int) -> None:
    """Refuse a deflated data set that would fill the memory: pydicom inflates it whole, even for its header alone."""
    try:
        with path.open("rb") as stream:
            start = stream.read(_META_AT_MOST)
            if start[128:132] != b"DICM" or _DEFLATED not in start:
                return
            # preamble, prefix, then the element (0002,0000) of 12 bytes whose value is the length of what follows
            stream.seek(144 + int.from_bytes(start[140:144], "little"))
            inflate, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
            while chunk := inflate.unconsumed_tail or stream.read(1 << 20):
                total += len(inflate.decompress(chunk, 1 << 22))
                if total > limit:
                    raise UnreadableImage(f"it inflates to more than {limit:,} bytes")
                if inflate.eof:
                    return
    except (OSError, zlib.error) as error:
        raise UnreadableImage(f"its deflated data is damaged ({type(error).__name__})") from None


def _is_grey(header: Any) -> bool:
    return text(header, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")


def _transfer_syntax(header: Any) -> tuple[Any, tuple[str, ...]]:
    """Return the transfer syntax, guessed from the encoding met when the file's meta header lacks it."""
    uid = _module("pydicom.uid")
    declared = getattr(header, "file_meta", {}).get("TransferSyntaxUID")
    if declared:
        return uid.UID(str(declared)), ()
    implicit, little = header.original_encoding
    if not little:
        guess = uid.ExplicitVRBigEndian
    else:
        guess = uid.ImplicitVRLittleEndian if implicit else uid.ExplicitVRLittleEndian
    return guess, ("no transfer syntax is declared: read as uncompressed",)


def _check(header: Any, syntax: Any, file_size: int, max_pixels: int) -> None:
    """Raise `UnreadableImage` where the header alone shows that there is no picture to be had."""
    if why := objects.no_picture(header):
        raise UnreadableImage(why)
    rows, columns = count(header, "Rows", 0), count(header, "Columns", 0)
    if not rows or not columns:
        is_dicom = len(header) > 0 or header.preamble is not None
        raise UnreadableImage("it holds no pixel data" if is_dicom else "it is not a DICOM file")
    if rows * columns > max_pixels:
        raise UnreadableImage(
            f"its header declares {columns} x {rows} pixels, more than the {max_pixels:,} that are read"
        )
    if not syntax.is_transfer_syntax or syntax.is_private:
        raise UnreadableImage("its transfer syntax is not a standard one")
    if syntax.is_compressed and not syntax.is_deflated:
        try:
            available = bool(_module("pydicom.pixels").get_decoder(syntax).is_available)
        except NotImplementedError:
            available = False
        if not available:
            raise UnreadableImage(f"no decoder is installed for its transfer syntax, {syntax.name}")
    elif not syntax.is_deflated:
        needed = (
            rows * columns * count(header, "SamplesPerPixel", 1) * count(header, "NumberOfFrames", 1)
            * count(header, "BitsAllocated", 1)
        ) // 8  # fmt: skip
        if text(header, "PhotometricInterpretation") == "YBR_FULL_422":
            needed = needed * 2 // 3
        if file_size < needed:
            raise UnreadableImage(f"its {file_size:,} bytes are fewer than the {needed:,} its pixel data must have")


def _aspect_note(header: Any) -> tuple[str, ...]:
    ratio = header.get("PixelAspectRatio")
    try:
        square = ratio is None or len(ratio) != 2 or int(ratio[0]) == int(ratio[1])
    except (TypeError, ValueError):
        square = True
    return () if square else ("its pixels are not square: shown as stored, without stretching",)


def _display(stored: NDArray[Any], header: Any) -> NDArray[np.uint8]:
    photometric = text(header, "PhotometricInterpretation") or ""
    if photometric == "PALETTE COLOR":
        return colour_to_8_bits(_module("pydicom.pixels").apply_color_lut(stored, header), 16)
    if stored.ndim == 2 and photometric in ("MONOCHROME1", "MONOCHROME2"):
        return Grey.from_header(header).show(stored)
    if stored.ndim == 3 and stored.shape[-1] == 3 and (photometric == "RGB" or photometric.startswith("YBR")):
        # pydicom has converted YBR_FULL and YBR_FULL_422, the JPEG 2000 decoder YBR_ICT and YBR_RCT: all is RGB now
        return colour_to_8_bits(stored, count(header, "BitsStored", 8))
    raise UnreadableImage("its photometric interpretation is not supported")


def _of_header(error: BaseException) -> str:
    """Say in own words that a header is damaged; the exception's text may quote header values."""
    return f"its DICOM header cannot be read ({type(error).__name__})"


def _of_pixels(error: BaseException) -> str:
    """Say in own words what pydicom's exception means; its text may quote header values."""
    text = str(error).lower()
    if "no pixel data" in text or "no 'pixel data'" in text:
        return "it holds no pixel data"
    if "less than expected" in text or "cannot reshape" in text or isinstance(error, EOFError):
        return "its pixel data is shorter than the header declares"
    if "unable to decompress" in text or "unable to decode" in text or "unexpected tag" in text:
        return "its compressed pixel data is damaged, or no installed decoder reads this variant"
    if isinstance(error, (AttributeError, KeyError)):
        return "its header lacks an element that decoding needs"
    if isinstance(error, MemoryError):
        return "its pixels do not fit into memory"
    return f"its pixel data cannot be decoded ({type(error).__name__})"
