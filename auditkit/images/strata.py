"""From what headers and manifests say to the few strata that auditkit compares: modality, sex, age band, the rest.

Everything a header holds is treated as untrusted text: it is mapped to a closed list where there is one, and cut to a
short printable string where there is none. A missing value is the explicit stratum ``"unknown"``, never dropped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from auditkit.images.item import MODALITIES, UNKNOWN, Item
from auditkit.vocabulary import ATTRIBUTES

FREE = ("site", "manufacturer", "label")
"""Attributes that are free text."""
NAMING_NOBODY = ("split", "data_set")
"""Columns of layouts that speak of the data set, not of a patient: their rare levels keep their names."""

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

_SEXES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("f", "female", "w", "woman", "girl"), "female"),
        **dict.fromkeys(("weiblich", "frau", "féminin", "feminin", "femme", "femenino", "femminile"), "female"),
        **dict.fromkeys(("m", "male", "man", "boy"), "male"),
        **dict.fromkeys(("männlich", "maennlich", "mann", "masculin", "homme", "masculino", "maschile"), "male"),
        **dict.fromkeys(("o", "other", "d", "divers", "diverse"), "other"),
    }
)
# What people write where a value is missing.
_PLACEHOLDERS = frozenset(
    (
        *("unknown", "none", "nan", "null", "na", "n/a", "<na>", "nil", "-", "?", "."),
        *("anonymous", "anonymous^", "anonymized", "anonymised", "anon", "anon^"),
    )
)
# What de-identification writes in place of an identifier; taken literally it would make one patient of a data set.
_NO_IDENTIFIERS = frozenset(
    (
        *("removed", "redacted", "deleted", "masked", "hidden", "withheld", "confidential", "blank", "empty"),
        *("deidentified", "de-identified", "deid", "anonym", "anonymisiert", "anonyme", "anonymize", "anonymise"),
        *("pseudonymized", "pseudonymised", "no id", "noid", "no_id", "not available", "not applicable", "not known"),
        *("undefined", "missing", "default", "test", "patient", "id", "patientid", "patient id", "patient_id"),
    )
)
_NO_IDENTIFIER = re.compile(r"(?:[x0]|[\W_])+")  # xxx, 000, ***, 000-00-0000
_WHOLE = re.compile(r"0*(\d+)(?:\.0+)?")

NOTE_SEX = "its sex is given in a way that is not understood: counted as unknown"
NOTE_SEX_CODE = "its sex is a number, and which is which is not known: counted as unknown; write female or male"
NOTE_AGE = "its age is given in a way that is not understood: counted as unknown"

_UNITS = {
    **dict.fromkeys(("", "y", "yr", "yrs", "yo", "y/o", "year", "years", "years old", "jahre", "ans"), 1.0),
    **dict.fromkeys(("m", "mo", "month", "months", "monate", "mois"), 1 / 12),
    **dict.fromkeys(("w", "wk", "week", "weeks", "wochen"), 7 / 365.25),
    **dict.fromkeys(("d", "day", "days", "tage"), 1 / 365.25),
}
_AGE = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*([a-zA-Z/ ]*?)\.?")
_BAND = re.compile(r"(\d{1,3})\s*[-–—]\s*(\d{1,3})")
_FROM = re.compile(r"(\d{1,3})\s*\+|(?:>=|≥)\s*(\d{1,3})|>\s*(\d{1,3})")
_BELOW = re.compile(r"<\s*(\d{1,3})")
_OLDEST = 130
_OLDEST_BAND = 90  # as the HIPAA safe-harbour rule has it: ages of 90 and over are one class
FEWEST = 5
"""Patients below which a level of free text is not named."""
OTHER = "other"
_LONGEST = 64
_LONGEST_TEXT = 8192


def known(value: object) -> str | None:
    """Return `value` as a printable string in one form, or None when it is missing or a placeholder for missing.

    Parameters
    ----------
    value : object
        A cell of a manifest or a header value. Whole-number floats lose their ``.0``, as tables with gaps turn
        integers into floats; characters that look alike (full-width digits, composed accents) become the same.
    """
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    letters = (c for c in unicodedata.normalize("NFKC", str(value)) if unicodedata.category(c) != "Cf")
    text = " ".join("".join(c if c.isprintable() else " " for c in letters).split())
    return None if not text or text.casefold() in _PLACEHOLDERS else text


def written(value: object) -> str:
    """Return what a cell says, word for word but for what cannot be shown; empty where it is empty.

    Line breaks stay: a question may have several lines.
    """
    if value is None:
        return ""
    if isinstance(value, float) and (value != value or value.is_integer()):
        value = "" if value != value else int(value)
    lines = str(value)[:_LONGEST_TEXT].splitlines()
    shown = ("".join(c if c.isprintable() else " " for c in line).strip() for line in lines)
    return "\n".join(shown).strip()


def identifier(value: object) -> str | None:
    """Return an identifier in canonical writing, or None where none is given.

    Equal are ``700``, ``700.0``, `` 0700 ``, and what differs in case, blanks or the kind of digits only: tables lose
    such differences, and one person must not become two. What de-identification leaves behind (``REMOVED``, ``0``,
    ``xxx``) is no identifier.

    Examples
    --------
    >>> identifier(" 0700.0 "), identifier("Pat 7"), identifier("REMOVED"), identifier("000-00-0000")
    ('700', 'pat 7', None, None)
    """
    text = known(value)
    if text is None:
        return None
    text = text.casefold()
    if text.strip("^ ") in _NO_IDENTIFIERS | _PLACEHOLDERS or _NO_IDENTIFIER.fullmatch(text):
        return None
    number = _WHOLE.fullmatch(text)
    return number[1] if number else text


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
        A band that is given already is kept, but 90 years and over are one class everywhere.

    Examples
    --------
    >>> age_band("058Y"), age_band("18M"), age_band(93), age_band("200"), age_band("40 - 44"), age_band("58,0")
    ('50-59', '0-9', '90+', 'unknown', '40-44', '50-59')
    >>> age_band("93-95"), age_band("107+"), age_band(">89"), age_band("85-95")
    ('90+', '90+', '90+', '85+')
    """
    text = known(value)
    if text is None:
        return UNKNOWN
    if band := _BAND.fullmatch(text):
        low, high = int(band[1]), int(band[2])
        if low > high or high > _OLDEST:
            return UNKNOWN
        return _oldest(low) if high >= _OLDEST_BAND else f"{low}-{high}"
    if start := _FROM.fullmatch(text):
        low = int(start[3]) + 1 if start[3] else int(start[1] or start[2])
        return _oldest(low) if low <= _OLDEST else UNKNOWN
    if (end := _BELOW.fullmatch(text)) and 0 < int(end[1]) <= _OLDEST_BAND:
        return f"0-{int(end[1]) - 1}"
    age = _AGE.fullmatch(text)
    factor = None if age is None else _UNITS.get(age[2].strip().casefold())
    if age is None or factor is None:
        return UNKNOWN
    years = float(age[1].replace(",", ".")) * factor
    if years > _OLDEST:
        return UNKNOWN
    decade = int(years // 10) * 10
    return _oldest(decade) if decade >= _OLDEST_BAND else f"{decade}-{decade + 9}"


def _oldest(low: int) -> str:
    """Name a band without an upper end; 90 and over are one class."""
    return f"{min(low, _OLDEST_BAND)}+"


def _sex(value: object) -> str:
    text = known(value)
    return _SEXES.get(text.casefold(), UNKNOWN) if text else UNKNOWN


def not_understood(sex: object, age: object) -> tuple[str, ...]:
    """Return a note for each value that is given and not understood."""
    notes = []
    if (text := known(sex)) and _sex(sex) == UNKNOWN:
        notes.append(NOTE_SEX_CODE if _WHOLE.fullmatch(text) else NOTE_SEX)
    if known(age) and age_band(age) == UNKNOWN:
        notes.append(NOTE_AGE)
    return tuple(notes)


def coarsened(records: Sequence[Item]) -> list[Item]:
    """Return records in which no site, manufacturer, label or further column of fewer than `FEWEST` patients is named.

    Such a level is called ``other``: it stands in the record and in reports, and what only one or two patients have can
    name them.
    """
    clusters: dict[tuple[str, str], set[str]] = {}
    for record in records:
        for key in _free(record):
            clusters.setdefault((key, record.attributes[key]), set()).add(record.cluster)
    small = {at for at, own in clusters.items() if len(own) < FEWEST and at[1] not in (UNKNOWN, OTHER)}
    return [_coarsened(record, small) for record in records] if small else list(records)


def _free(record: Item) -> list[str]:
    further = (key for key in record.attributes if key not in ATTRIBUTES and key not in NAMING_NOBODY)
    return [*FREE, *further]


def _coarsened(record: Item, small: set[tuple[str, str]]) -> Item:
    rare = [key for key in _free(record) if (key, record.attributes[key]) in small]
    if not rare:
        return record
    kept = _shared(tuple((key, OTHER if key in rare else level) for key, level in record.attributes.items()))
    said = tuple(f"its {key} is shared by fewer than {FEWEST} patients: counted as {OTHER}" for key in rare)
    return replace(record, attributes=kept, notes=record.notes + said)


def attributes_of(further: Mapping[str, object] | None = None, /, **values: object) -> Mapping[str, str]:
    """Return the columns of one image, every one of `ATTRIBUTES` present.

    Equal columns share one read-only mapping, so that a hundred thousand records cost no hundred thousand
    dictionaries.

    Parameters
    ----------
    further : mapping of str to object, optional
        What a layout says beside them.
    **values : object
        The attributes, as they are written.
    """
    strata = {
        "sex": _sex(values.get("sex")),
        "age": age_band(values.get("age")),
        **{key: _level(values.get(key)) for key in FREE},
    }
    own = ((key, _level(value)) for key, value in (further or {}).items())
    return _shared((*((key, strata[key]) for key in ATTRIBUTES), *own))


def _level(value: object) -> str:
    return (known(value) or UNKNOWN)[:_LONGEST]


@lru_cache(maxsize=4096)
def _shared(columns: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(columns)
