"""The columns of a manifest: which are read, which are not, and which were meant by those that are nearly called so.

A column of patient ids that is not read makes a patient of every file, so a name that can only mean one is refused with
the name to type rather than passed over.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

from auditkit.errors import AuditkitError
from auditkit.vocabulary import ATTRIBUTES

FILE_NAME, PATIENT = "file_name", "patient_id"
COLUMNS = (FILE_NAME, PATIENT, "study_id", "modality", *ATTRIBUTES)
SECOND, OF, GIVEN = FURTHER = ("file_name_2", "of", "given")
"""Columns of manifests about pictures: a second one, and of which one a picture is a changed version, changed how."""
QUESTION = "question"
ASKED = (QUESTION, "A", "B", "C", "D", "E")
"""What tells rows about one picture apart where a table has questions: the question and its options."""

_FOLDED = {column.replace("_", ""): column for column in COLUMNS}
# What the column of patients is called elsewhere, letters and digits only.
_PATIENTS = frozenset(
    (
        *("patient", "patients", "patientnumber", "patientno", "patientnr", "patientkey", "patientcode", "patientuid"),
        *("pat", "patid", "patientenid", "pid", "ptid", "pseudoid", "pseudonym", "mrn", "anonid", "anonpatientid"),
        *("subject", "subjectid", "subjectno", "subjectkey", "participant", "participantid", "person", "personid"),
        *("caseid", "case", "individual", "individualid", "empi", "deidentifiedpatientid", "dicompatientid"),
    )
)
_MEANT = {
    **dict.fromkeys(("gender", "patientsex", "patientgender", "geschlecht", "sexe"), "sex"),
    **dict.fromkeys(("patientage", "ageyears", "alter", "agegroup", "ageband", "ageatstudy", "ageatscan"), "age"),
    **dict.fromkeys(("institution", "institutionname", "hospital", "centre", "center", "clinic"), "site"),
    **dict.fromkeys(("vendor", "scanner", "scannermanufacturer", "make"), "manufacturer"),
    **dict.fromkeys(("labels", "class", "diagnosis", "target", "finding", "findings", "findinglabels"), "label"),
    **dict.fromkeys(("study", "studyuid", "studyinstanceuid", "accession", "accessionnumber", "examid"), "study_id"),
    **dict.fromkeys(("imagetype", "modalities", "dicommodality"), "modality"),
    **dict.fromkeys(("file", "path", "filepath", "image", "imagepath", "imageid", "imagefile", "img"), FILE_NAME),
}
_LONGEST = 40


class Columns:
    """What the columns seen so far are taken for.

    Parameters
    ----------
    table : str
        Name of the manifest, for the messages.
    named : iterable of str
        Columns of other names that are read: those of the protocol.
    further : iterable of str
        Columns that this kind of table has beside `COLUMNS`.
    """

    def __init__(self, table: str, named: Iterable[str] = (), further: Iterable[str] = ()) -> None:
        self._table = table
        self._read = (*COLUMNS, *further, *named)
        self._folded = _FOLDED | {_folded(column): column for column in further}
        self._seen: dict[str, None] = {}

    def see(self, names: Iterable[str]) -> None:
        """Take note of column names.

        Raises
        ------
        AuditkitError
            One that differs from a known column in case, blanks or separators only.
        """
        for name in names:
            if name in self._seen:
                continue
            self._seen[name] = None
            meant = self._folded.get(_folded(name))
            if meant is not None and meant != name and name not in self._read:
                raise AuditkitError(
                    f'{self._table} has a column "{_shown(name)}", which is not read: columns are told by their exact '
                    "names.",
                    f'Call it "{meant}", or remove it.',
                )

    def once(self, names: Iterable[str]) -> None:
        """Refuse a table that gives a column that is read more than once.

        Raises
        ------
        AuditkitError
            Naming it.
        """
        twice = [name for name, n in Counter(names).items() if n > 1 and name in (*self._read, *ASKED)]
        if twice:
            raise AuditkitError(
                f'{self._table} has the column "{twice[0]}" more than once.', "Keep the one that holds."
            )

    def check(self) -> None:
        """Refuse a table as a whole, once all of its columns are seen.

        Raises
        ------
        AuditkitError
            No ``file_name``; or a column that seems to hold patients while none is called ``patient_id``.
        """
        if FILE_NAME not in self._seen:
            seen = ", ".join(_shown(name) for name in list(self._seen)[:20] if name) or "none"
            near = [_shown(name) for name in self._seen if near_miss(name) == FILE_NAME]
            raise AuditkitError(
                f'{self._table} has no column "{FILE_NAME}"; its columns are: {seen}.',
                f'Name the column that holds the image files "{FILE_NAME}"'
                + (f' (is it "{near[0]}"?)' if near else "")
                + ", with paths relative to the table's folder; leave it empty where an item has no picture.",
            )
        self.check_patients()

    def check_patients(self) -> None:
        """Refuse a table with a column that seems to hold patients while none is called ``patient_id``.

        Raises
        ------
        AuditkitError
            Naming it.
        """
        patients = [name for name in self._seen if _folded(name) in _PATIENTS]
        if patients and PATIENT not in self._seen:
            raise AuditkitError(
                f'{self._table} has a column "{_shown(patients[0])}" and none called "{PATIENT}": as it is not read, '
                "every file would count as a patient.",
                f'Call it "{PATIENT}". If it does not tell patients apart, remove it.',
            )

    @property
    def unread(self) -> Mapping[str, str]:
        """The columns that are not read -> the one perhaps meant, or ``""``."""
        return {_shown(name): near_miss(name) for name in self._seen if name and name not in self._read}


def near_miss(name: str) -> str:
    """Return the known column that a name perhaps means, or ``""``.

    Examples
    --------
    >>> near_miss("gender"), near_miss("Patient ID"), near_miss("subject_id"), near_miss("lable"), near_miss("notes")
    ('sex', 'patient_id', 'patient_id', 'label', '')
    """
    folded = _folded(name)
    if folded in _PATIENTS:
        return PATIENT
    known = _FOLDED.get(folded) or _MEANT.get(folded)
    if known:
        return known
    near = difflib.get_close_matches(folded, _FOLDED, n=1, cutoff=0.8)
    return _FOLDED[near[0]] if near else ""


def names_files(columns: Iterable[str]) -> bool:
    """Tell whether one of a table's columns is called, or nearly called, as one that names files."""
    return any(near_miss(name) == FILE_NAME or _folded(name).endswith(("filename", "filenames")) for name in columns)


def names_patients(columns: Iterable[str]) -> bool:
    """Tell whether one of a table's columns is called as one that tells patients apart."""
    return any(near_miss(name) == PATIENT for name in columns)


def _folded(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def _shown(name: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
