"""From what headers and manifests say to the few strata that auditkit compares: modality, sex, age band, the rest.

Everything a header holds is treated as untrusted text: it is mapped to a closed list where there is one, and cut to a
short printable string where there is none. A missing value is the explicit stratum ``"unknown"``, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from auditkit.images.record import MODALITIES, UNKNOWN
from auditkit.vocabulary import ATTRIBUTES

# DICOM (0008,0060), PS3.3 C.7.3.1.1.1, for what a person looks at as an image.
DICOM_MODALITIES: Mapping[str, str] = MappingProxyType(
    {
        "CR": "xray",
        "DX": "xray",
        "RF": "xray",
        "XA": "xray",
        "RG": "xray",
        "DR": "xray",
        "IO": "xray",
        "PX": "xray",
        "RTIMAGE": "xray",
        "CT": "ct",
        "MR": "mr",
        "MA": "mr",
        "US": "ultrasound",
        "IVUS": "ultrasound",
        "BDUS": "ultrasound",
        "EC": "ultrasound",
        "MG": "mammography",
        "NM": "nuclear",
        "PT": "nuclear",
        "ST": "nuclear",
        "OPT": "oct",
        "IVOCT": "oct",
        "OP": "fundus",
        "ES": "endoscopy",
        "DMS": "dermoscopy",
        "SM": "histology",
        "GM": "histology",
    }
)

# DICOM objects that carry pixel data but are no picture of a patient, with the word for the report.
NOT_IMAGES: Mapping[str, str] = MappingProxyType(
    {
        "SEG": "a segmentation",
        "RTDOSE": "a radiotherapy dose grid",
        "RTSTRUCT": "a radiotherapy structure set",
        "RTPLAN": "a radiotherapy plan",
        "SR": "a structured report",
        "KO": "a key object selection",
        "PR": "a presentation state",
        "REG": "a spatial registration",
        "ECG": "a waveform",
        "DOC": "a document",
    }
)

_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "mri": "mr",
        "magnetic resonance": "mr",
        "x-ray": "xray",
        "x ray": "xray",
        "radiograph": "xray",
        "radiography": "xray",
        "cxr": "xray",
        "computed tomography": "ct",
        "sonography": "ultrasound",
        "echo": "ultrasound",
        "mammogram": "mammography",
        "mammo": "mammography",
        "pet": "nuclear",
        "spect": "nuclear",
        "scintigraphy": "nuclear",
        "dermatoscopy": "dermoscopy",
        "retina": "fundus",
        "colonoscopy": "endoscopy",
        "pathology": "histology",
        "histopathology": "histology",
    }
)

_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male", "o": "other", "other": "other"}
# What people write where an identifier is missing; taken literally it would make one patient of a whole data set.
_PLACEHOLDERS = frozenset(
    (
        *("unknown", "none", "nan", "null", "na", "n/a", "<na>", "nil", "-", "?", "."),
        *("anonymous", "anonymous^", "anonymized", "anonymised", "anon", "anon^"),
    )
)
_AGE = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*([ymwd]?)\s*", re.IGNORECASE)
_BAND = re.compile(r"\s*(\d{1,3}\s*[-–]\s*\d{1,3}|\d{1,3}\s*\+)\s*")
_YEARS = {"": 1.0, "y": 1.0, "m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25}
_OLDEST_BAND = 90  # as the HIPAA safe-harbour rule has it: ages of 90 and over are one class
_LONGEST = 64


def known(value: object) -> str | None:
    """Return `value` as a short printable string, or None when it is missing or a placeholder for missing.

    Parameters
    ----------
    value : object
        A cell of a manifest or a header value. Whole-number floats lose their ``.0``, as tables with gaps turn
        integers into floats.
    """
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return None if not text or text.casefold() in _PLACEHOLDERS else text


def modality_of(text: str | None) -> str | None:
    """Return the name in `MODALITIES` that a DICOM code, a common word or the name itself stands for; else None.

    Examples
    --------
    >>> modality_of("DX"), modality_of("MRI"), modality_of("Fundus"), modality_of("cat")
    ('xray', 'mr', 'fundus', None)
    """
    if text is None:
        return None
    folded = text.strip().casefold()
    if folded in MODALITIES:
        return folded
    return DICOM_MODALITIES.get(folded.upper()) or _WORDS.get(folded)


def modality_of_folder(name: str) -> str | None:
    """Return the modality when the first folder of a relative file name bears exactly its name; else None."""
    first, separator, _ = name.replace("\\", "/").partition("/")
    return first.casefold() if separator and first.casefold() in MODALITIES else None


def age_band(value: object) -> str:
    """Return the decade of an age (``"50-59"``, ``"90+"``) or ``"unknown"``.

    Parameters
    ----------
    value : object
        Years as a number or text, or a DICOM age string such as ``058Y``, ``018M``, ``006W``, ``012D`` (PS3.5 6.2).
        A band that is given already is kept.

    Examples
    --------
    >>> age_band("058Y"), age_band("18M"), age_band(93), age_band("200"), age_band("40 - 44")
    ('50-59', '0-9', '90+', 'unknown', '40-44')
    """
    text = known(value)
    if text is None:
        return UNKNOWN
    if band := _BAND.fullmatch(text):
        return re.sub(r"\s", "", band[1]).replace("–", "-")
    age = _AGE.fullmatch(text)
    if age is None:
        return UNKNOWN
    years = float(age[1]) * _YEARS[age[2].casefold()]
    if years > 130:
        return UNKNOWN
    decade = int(years // 10) * 10
    return f"{_OLDEST_BAND}+" if decade >= _OLDEST_BAND else f"{decade}-{decade + 9}"


def attributes_of(**values: object) -> Mapping[str, str]:
    """Return the strata of one image, every one of `ATTRIBUTES` present.

    Equal strata share one read-only mapping, so that a hundred thousand records cost no hundred thousand
    dictionaries.
    """
    sex = known(values.get("sex"))
    strata = {
        "sex": _SEXES.get(sex.casefold(), UNKNOWN) if sex else UNKNOWN,
        "age": age_band(values.get("age")),
        **{key: (known(values.get(key)) or UNKNOWN)[:_LONGEST] for key in ("site", "manufacturer", "label")},
    }
    return _shared(tuple(strata[key] for key in ATTRIBUTES))


@lru_cache(maxsize=4096)
def _shared(values: tuple[str, ...]) -> Mapping[str, str]:
    return dict(zip(ATTRIBUTES, values, strict=True))
