"""What a DICOM object is: a picture of a patient or something else, and whether a name may stand in the picture."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from auditkit.images.elements import text, words
from auditkit.images.item import DECLARED, NOT_IDENTIFIABLE, UNKNOWN
from auditkit.images.strata import NOT_IMAGES

TAGS = (
    "SOPClassUID",
    "Modality",
    "ImageType",
    "ConversionType",
    "SeriesDescription",
    "BurnedInAnnotation",
    "RecognizableVisualFeatures",
    "SpecimenLabelInImage",
)

# Names of the standard's storage classes (PS3.6 A) that hold pictures: all other storage classes hold something else.
_PICTURES = ("Image Storage", "US Volume Storage")
_STORAGE = "Storage"
# Scanners write dose and settings into pictures of text, for which the standard has no word: by habit a series "Dose
# Report" or "Patient Protocol", or an image type such as "CT_SOM5 PROT".
_PAGE = re.compile(
    r"\bDOSE ?(REPORT|INFO|INFORMATION|SUMMARY|RECORD|SHEET|PAGE|SR)\b|\bEXPOSURE ?(REPORT|SUMMARY)\b"
    r"|\bPATIENT ?PROTOCOL\b|\bEXAM(INATION)? ?(PROTOCOL|SUMMARY)\b|\bSCANNED ?DOCUMENT"
)
# "Screening" is an examination, and low-dose screening one with radiation.
_SCREEN = re.compile(r"\bSCREEN ?(SAVE|SHOT|CAPTURE|GRAB|DUMP)")


def no_picture(header: Any) -> str | None:
    """Say what an object is when it is no picture of a patient, else return None.

    Notes
    -----
    Decided by Modality and SOP class (segmentations, dose grids, presentation states, reports, ...), then by ImageType
    (PS3.3 C.7.6.1.1.2, C.8.2.1.1.1, C.8.16.1.1): LOCALIZER is a scout for planning, and by what scanners call their
    pages of text.
    """
    modality = (text(header, "Modality") or "").upper()
    if modality in NOT_IMAGES:
        return f"it is {NOT_IMAGES[modality]}, not an image"
    uid = text(header, "SOPClassUID")
    name = import_module("pydicom.uid").UID(uid).name if uid else ""
    if name != uid and _STORAGE in name and not any(kind in name for kind in _PICTURES):
        return f"its SOP class is {name}, which holds no picture of a patient"
    types = words(header, "ImageType")
    if "LOCALIZER" in types:
        return "it is a localizer (scout) for planning, not a diagnostic image (ImageType LOCALIZER)"
    page = any(kind == "DOSE" or kind.endswith(" PROT") or _PAGE.search(kind) for kind in types)
    if page or _PAGE.search(_series(header)):
        return "it is a page of text from the scanner (dose report or protocol), not an image"
    if "SD" in words(header, "ConversionType"):
        return "it is a scanned document, not an image (ConversionType SD)"
    return None


def identifiable(header: Any) -> tuple[str, str]:
    """Tell whether a picture may name its patient, and what in the header declares it.

    Returns
    -------
    state : {"declared", "unknown", "no"}
        As `Item.identifiable`.
    why : str
        What declares it; empty unless ``state`` is ``"declared"``.

    Notes
    -----
    BurnedInAnnotation and RecognizableVisualFeatures are the standard's own statements (PS3.3 C.7.6.1 and C.12.1). A
    captured screen is one of a viewer with its corner texts; LABEL is the photographed label of a slide (C.8.12.4.1.1),
    while in MR it is half of an arterial spin labelling. SECONDARY by itself declares nothing: it stands on every
    reformatted or projected volume.
    """
    if "YES" in words(header, "BurnedInAnnotation"):
        return DECLARED, "its header declares burned-in annotation (BurnedInAnnotation YES)"
    if "YES" in words(header, "RecognizableVisualFeatures"):
        return DECLARED, "its header declares recognisable features (RecognizableVisualFeatures YES)"
    if "YES" in words(header, "SpecimenLabelInImage"):
        return DECLARED, "its header declares that the slide's label is in the picture (SpecimenLabelInImage YES)"
    types = words(header, "ImageType")
    if any(map(_SCREEN.search, (*types, _series(header)))):
        return DECLARED, "its header declares a captured screen (SCREEN SAVE), which has texts of the viewer in it"
    if "LABEL" in types and (text(header, "Modality") or "").upper() != "MR":
        return DECLARED, "its header declares the picture of a label (ImageType LABEL)"
    return (NOT_IDENTIFIABLE if words(header, "BurnedInAnnotation") == ("NO",) else UNKNOWN), ""


def _series(header: Any) -> str:
    """Return the series' description in capitals with single spaces: it is searched, and leaves this module nowhere."""
    return " ".join(re.sub(r"[\s_-]+", " ", text(header, "SeriesDescription") or "").upper().split())
