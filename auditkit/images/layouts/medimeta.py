"""MedIMeta: a folder per data set with ``info.yaml``, ``annotations.csv`` and ``images/``; most sets tell patients.

``images.hdf5`` and ``task_labels/`` hold the same pictures and labels once more and are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.images.columns import COLUMNS, FILE_NAME, Columns, near_miss
from auditkit.images.csv_rows import read_csv
from auditkit.images.files import LICENCE, shown_name
from auditkit.images.item import UNKNOWN, LeftOut
from auditkit.images.layouts.layout import NO_FINDING, SPLIT, Layout, Place, named_class
from auditkit.images.manifest import BETWEEN, Row
from auditkit.images.strata import known
from auditkit.version import install_line

ANNOTATIONS, INFO, FILE, TASK = "annotations.csv", "info.yaml", "filepath", "tasks/"
_MOST = 1 << 20  # bytes of info.yaml, and of a list of files a hundred times as many
_WORD = re.compile(r"\W+")
_SEVERAL = re.compile(r"\[[01](?:[,\s]+[01])*\s*,?\]")  # of several findings: a mark each
_OWN = ("original_filepath", "original_split")
# Age and sex have other names here than in manifests: letters only.
_NAMES = {**dict.fromkeys(("patientage", "age"), "age")}
_NAMES |= dict.fromkeys(("patientgender", "patientgenderfm", "patientsex", "gender", "sex"), "sex")
# What a data set's name or domain says of its pictures, the first that is found.
_DOMAINS = (
    (r"fundus", "fundus"),
    (r"\boct\b|coherence", "oct"),
    (r"mammogra", "mammography"),
    (r"ultraso", "ultrasound"),
    (r"x-?ray|radiogra", "xray"),
    (r"photo|clinical", "other"),
    (r"dermo|dermato|skin", "dermoscopy"),
    (r"patholog|histolog|microscop|blood|cytolog|cytomorph", "histology"),
    (r"\bct\b|computed tomogra", "ct"),
    (r"\bmri?\b|magnetic", "mr"),
)


@dataclass(frozen=True, slots=True)
class Info:
    """What ``info.yaml`` says: the modality, the licence, and by task the words of its classes."""

    modality: str
    licence: str
    words: Mapping[str, Mapping[str, str]]


def _is_one(path: Path) -> bool:
    return (path / ANNOTATIONS).is_file() and (path / INFO).is_file()


def _entries(place: Place) -> Iterator[Row | LeftOut]:
    try:
        yield from _rows(place)
    except (OSError, UnicodeDecodeError) as error:
        raise AuditkitError(
            f"{ANNOTATIONS} cannot be read ({type(error).__name__}).", "Download or write the data set again."
        ) from None


def _rows(place: Place) -> Iterator[Row | LeftOut]:
    info = _info(place)
    split_of = _splits(place)
    table = place.path / ANNOTATIONS
    shown = f"{place.name}/{ANNOTATIONS}".lstrip("/")
    lines = read_csv(table, FILE, lambda cells: bool(cells) and cells[0].strip().endswith((".tiff", ".tif", ".png")))
    columns = next(lines).cells
    taken = _taken(columns, shown)
    others = [name for name in columns if name and name not in taken and name not in _OWN]
    meant = {name: near_miss(name) for name in others}
    place.unread.update({name: "" if near == FILE_NAME else near for name, near in meant.items()})
    named: set[str] = set()
    for line in lines:
        label = f"{shown} row {line.number}"
        if line.problem:
            yield LeftOut(label, line.problem)
            continue
        cells = dict(zip(columns, line.cells, strict=True))
        name = cells[FILE].strip()
        named.add(name)
        split = split_of.get(name) or known(cells.get("original_split")) or ""
        if not name or not place.wants(split):
            if not name:
                yield LeftOut(label, f'"{FILE}" is empty')
            continue
        declared: dict[str, object] = {}
        for column, own in taken.items():
            if own and own not in declared and (value := known(cells[column])) is not None:
                declared[own] = _word(value, info.words.get(column.removeprefix(TASK), {}))
        declared.setdefault("label", declared.get(_first_task(taken)))
        said = {"modality": info.modality, LICENCE: info.licence, SPLIT: split, **declared}
        yield Row(f"{place.name}/{name}".lstrip("/"), said)
    if not place.split:
        for path in sorted((place.path / "images").glob("*")):
            if f"images/{path.name}" not in named:
                yield LeftOut(shown_name(f"{place.name}/images/{path.name}".lstrip("/")), f"{shown} does not list it")


def _taken(columns: Sequence[str], shown: str) -> dict[str, str]:
    """Return the columns that are read, with the name each gets; empty for the one that names files."""
    tasks = {name.removeprefix(TASK) for name in columns if name.startswith(TASK)}
    seen = Columns(shown)
    seen.see(name for name in columns if name not in tasks)  # which the table has once more, in words
    seen.check_patients()
    if twice := [name for name, n in Counter(columns).items() if n > 1]:
        raise AuditkitError(
            f'{shown} has the column "{shown_name(twice[0])}" more than once.', "Keep the one that holds."
        )
    if FILE not in columns:
        raise AuditkitError(f'{shown} has no column "{FILE}".', "Download or write the data set again.")
    taken = {FILE: ""}
    for name in columns:
        if name.startswith(TASK):
            taken[name] = _WORD.sub("_", name.removeprefix(TASK).casefold()).strip("_")
        elif own := _NAMES.get("".join(filter(str.isalpha, name.casefold()))):
            taken[name] = own
        elif name in tasks:
            taken[name] = ""
        elif name in COLUMNS and name != FILE_NAME:
            taken[name] = name
    return taken


def _first_task(taken: Mapping[str, str]) -> str:
    return next((own for column, own in taken.items() if column.startswith(TASK)), "")


def _word(value: str, words: Mapping[str, str]) -> str:
    """Return the words of a class number, which tables may hold as ``1`` or ``1.0``; else the value as it stands.

    Examples
    --------
    >>> _word("1.0", {"0": "bad", "1": "good"}), _word("[0, 1]", {"0": "mass", "1": "edema"}), _word("8", {})
    ('good', 'edema', '8')
    """
    number = value.removesuffix(".0")
    if _SEVERAL.fullmatch(value) and len(marks := re.findall("[01]", value)) == len(words):
        named = [word for word, mark in zip(words.values(), marks, strict=True) if mark == "1"]
        return BETWEEN.join(sorted(named)) or NO_FINDING
    return words.get(number, number if number.isdigit() else value)


def _info(place: Place) -> Info:
    shown = f"{place.name}/{INFO}".lstrip("/")
    try:
        import yaml
    except ImportError:
        raise AuditkitError(
            f"{shown} says what the labels mean, and PyYAML is not installed.",
            f"Install it with: {install_line('medimeta')}",
        ) from None
    try:
        path = place.path / INFO
        if path.stat().st_size > _MOST:
            raise ValueError("too long")
        # Texts, lists and tables only: nothing is made that a tag asks for, and a class called No stays a word.
        found: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
        tasks = {_text(task["task_name"]): _words(task.get("labels")) for task in found["tasks"]}
        about = f"{_text(found.get('domain'))} {_text(found.get('name'))}"
        licence = known(_text(found.get("license")))
    except Exception as error:  # of YAML, or of a document of another shape
        raise AuditkitError(
            f"{shown} cannot be read as MedIMeta writes it ({type(error).__name__}): it has to list the tasks.",
            "Download or write the data set again.",
        ) from None
    return Info(_modality(about), licence or UNKNOWN, tasks)


def _text(value: object) -> str:
    """Return a text; nothing for what is none: lists within lists may be short to write and endless to print."""
    return value if isinstance(value, str) else ""


def _words(labels: object) -> dict[str, str]:
    if not isinstance(labels, dict):
        return {}
    return {_text(number): named_class(_text(number), _text(word)) for number, word in labels.items()}


def _modality(text: str) -> str:
    """Return the modality that a data set's domain and name speak of.

    Examples
    --------
    >>> _modality("Chest X-ray Multi-disease"), _modality("DR regular fundus"), _modality("Organs")
    ('xray', 'fundus', 'other')
    """
    return next((modality for part, modality in _DOMAINS if re.search(part, text.casefold())), "other")


def _splits(place: Place) -> dict[str, str]:
    """Return the split of every file that ``splits/`` lists."""
    found: dict[str, str] = {}
    for path in sorted((place.path / "splits").glob("*.txt")):
        try:
            if path.stat().st_size > 100 * _MOST:
                raise ValueError("too long")
            with path.open(encoding="utf-8") as stream:
                found.update((line.strip(), path.stem) for line in stream if line.strip())
        except (OSError, ValueError) as error:
            raise AuditkitError(
                f"{shown_name(f'{place.name}/splits/{path.name}'.lstrip('/'))} cannot be read "
                f"({type(error).__name__}).",
                "Download or write the data set again.",
            ) from None
    return found


LAYOUT = Layout("medimeta", "MedIMeta", "", _is_one, _entries)
