"""DICOM files: the few header facts that are needed, and the pixels as a viewer shows them.

`inspect` reads the header without the pixel data; `decode` reads one frame and puts it through the grey-scale pipeline
of PS3.4 N.2 (modality LUT or rescale, VOI LUT or window, inversion) or the colour conversions of PS3.3 C.7.6.3.

Only the elements listed in `_TAGS` are parsed, none of them the patient's name; identifiers leave this module in a
`Facts` whose values are hashed by the caller, and no message holds a header value.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditkit.errors import AuditkitError
from auditkit.images.display import Grey, colour_to_8_bits
from auditkit.images.quiet import quiet
from auditkit.images.record import UnreadableImage
from auditkit.images.strata import NOT_IMAGES, known, modality_of

SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")

_DEFLATED = b"1.2.840.10008.1.2.1.99"
_META_AT_MOST = 4096
_BYTES_PER_PIXEL = 8

_TAGS = (
    "SOPClassUID",
    "Modality",
    "PatientID",
    "PatientSex",
    "PatientAge",
    "PatientBirthDate",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Manufacturer",
    "InstitutionName",
    "BurnedInAnnotation",
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
    """

    modality: str | None = None
    patient: str | None = field(default=None, repr=False)
    study: str | None = field(default=None, repr=False)
    series: str | None = field(default=None, repr=False)
    birth: str | None = field(default=None, repr=False)
    strata: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()


def looks_like_dicom(path: Path, head: bytes) -> bool:
    """Tell whether a file is DICOM by its preamble (PS3.10 7.1), or by its suffix when the preamble was left out."""
    return head[128:132] == b"DICM" or path.suffix.casefold() in SUFFIXES


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
    with quiet():
        header = _read_header(path, max_pixels)
        syntax, notes = _transfer_syntax(header)
        _check(header, syntax, path.stat().st_size, max_pixels)
        frame, frame_notes = _frame(header)
        if _is_grey(header):
            notes += Grey.from_header(_with_frame_settings(header, frame)).notes
        return Facts(
            modality=modality_of(_text(header, "Modality")),
            patient=_text(header, "PatientID"),
            study=_text(header, "StudyInstanceUID"),
            series=_text(header, "SeriesInstanceUID"),
            birth=_text(header, "PatientBirthDate"),
            strata={
                "sex": _text(header, "PatientSex"),
                "age": _text(header, "PatientAge"),
                "manufacturer": _text(header, "Manufacturer"),
                "institution": _text(header, "InstitutionName"),
            },
            notes=(*frame_notes, *notes, *_aspect_note(header)),
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
    with quiet():
        header = _read_header(path, max_pixels)
        syntax, _ = _transfer_syntax(header)
        _check(header, syntax, path.stat().st_size, max_pixels)
        frame, _ = _frame(header)
        multiple = _count(header, "NumberOfFrames", 1) > 1
        try:
            if syntax.is_deflated:
                stored = pixels.pixel_array(_module("pydicom").dcmread(path), index=frame if multiple else None)
            else:
                stored = pixels.pixel_array(path, index=frame if multiple else None, transfer_syntax_uid=syntax)
        except Exception as error:
            raise UnreadableImage(_reason(error)) from None
        if not multiple and stored.ndim == 4:
            stored = stored[0]
        try:
            return _display(stored, _with_frame_settings(header, frame))
        except UnreadableImage:
            raise
        except Exception as error:
            raise UnreadableImage(f"its display settings cannot be applied ({type(error).__name__})") from None


def require_pydicom(module: str = "pydicom") -> Any:
    """Import pydicom or one of its modules, or say what to install."""
    try:
        return import_module(module)
    except ImportError as error:
        raise AuditkitError(
            f"There are DICOM files, and pydicom cannot be imported ({type(error).__name__}).",
            'Install it with: pip install "auditkit[dicom]"',
        ) from None


def _module(name: str) -> Any:
    return import_module(name)


def _read_header(path: Path, max_pixels: int) -> Any:
    dcmread = require_pydicom().dcmread
    _check_inflated_size(path, max_pixels * _BYTES_PER_PIXEL)
    try:
        return dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(_TAGS))
    except Exception as error:
        raise UnreadableImage(f"its DICOM header cannot be read ({type(error).__name__})") from None


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


def _text(header: Any, keyword: str) -> str | None:
    try:
        value = header.get(keyword)
    except Exception:
        return None  # an element whose value cannot be converted counts as missing
    return known(value)


def _count(header: Any, keyword: str, default: int) -> int:
    text = _text(header, keyword)
    try:
        return max(int(float(text)), default) if text is not None else default
    except ValueError:
        return default


def _is_grey(header: Any) -> bool:
    return _text(header, "PhotometricInterpretation") in ("MONOCHROME1", "MONOCHROME2")


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
    modality = (_text(header, "Modality") or "").upper()
    if modality in NOT_IMAGES:
        raise UnreadableImage(f"it is {NOT_IMAGES[modality]}, not an image")
    rows, columns = _count(header, "Rows", 0), _count(header, "Columns", 0)
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
            rows * columns * _count(header, "SamplesPerPixel", 1) * _count(header, "NumberOfFrames", 1)
            * _count(header, "BitsAllocated", 1)
        ) // 8  # fmt: skip
        if _text(header, "PhotometricInterpretation") == "YBR_FULL_422":
            needed = needed * 2 // 3
        if file_size < needed:
            raise UnreadableImage(f"its {file_size:,} bytes are fewer than the {needed:,} its pixel data must have")


def _frame(header: Any) -> tuple[int, tuple[str, ...]]:
    frames = _count(header, "NumberOfFrames", 1)
    if frames == 1:
        return 0, ()
    return frames // 2, (f"{frames} frames: number {frames // 2 + 1} is shown",)


def _aspect_note(header: Any) -> tuple[str, ...]:
    ratio = header.get("PixelAspectRatio")
    try:
        square = ratio is None or len(ratio) != 2 or int(ratio[0]) == int(ratio[1])
    except (TypeError, ValueError):
        square = True
    return () if square else ("its pixels are not square: shown as stored, without stretching",)


def _with_frame_settings(header: Any, frame: int) -> Any:
    """Lift the frame's own rescale and window out of the functional groups of enhanced objects (PS3.3 C.7.6.16)."""
    shared = header.get("SharedFunctionalGroupsSequence") or []
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*(per_frame[frame : frame + 1]), *(shared[:1])]
    for sequence, keywords in (
        ("PixelValueTransformationSequence", ("RescaleSlope", "RescaleIntercept")),
        ("FrameVOILUTSequence", ("WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence")),
    ):
        item = next((group[sequence].value[0] for group in groups if group.get(sequence)), None)
        if item is None:
            continue
        for keyword in keywords:
            if keyword in item and keyword not in header:
                header[keyword] = item[keyword]
    return header


def _display(stored: NDArray[Any], header: Any) -> NDArray[np.uint8]:
    photometric = _text(header, "PhotometricInterpretation") or ""
    if photometric == "PALETTE COLOR":
        return colour_to_8_bits(_module("pydicom.pixels").apply_color_lut(stored, header), 16)
    if stored.ndim == 2 and photometric in ("MONOCHROME1", "MONOCHROME2"):
        return Grey.from_header(header).show(stored)
    if stored.ndim == 3 and stored.shape[-1] == 3 and (photometric == "RGB" or photometric.startswith("YBR")):
        # pydicom has converted YBR_FULL and YBR_FULL_422, the JPEG 2000 decoder YBR_ICT and YBR_RCT: all is RGB now
        return colour_to_8_bits(stored, _count(header, "BitsStored", 8))
    raise UnreadableImage("its photometric interpretation is not supported")


def _reason(error: Exception) -> str:
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
