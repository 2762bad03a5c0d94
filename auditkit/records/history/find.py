"""Every record below a folder, read with the checks of reading; what cannot be used is listed and says why."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from auditkit.errors import AuditkitError, of_the_system
from auditkit.evidence import Evidence
from auditkit.evidence.history import LeftOut
from auditkit.evidence.reading import read_evidence
from auditkit.lookup import unknown
from auditkit.measure.faults import count_faults
from auditkit.measure.marks import refuse_marks_beyond
from auditkit.run.settings import RECORD

DEPTH = 4
"""Folders below the one given: ``reports/<model>/<run id>`` takes two, artefacts of a CI job one or two more."""


@dataclass(frozen=True)
class Found:
    """One record.

    Attributes
    ----------
    path : str
        Below the folder that was searched.
    evidence : Evidence
        What it holds.
    sha256 : str
        Over the bytes of the file.
    """

    path: str
    evidence: Evidence
    sha256: str


@dataclass(frozen=True)
class Search:
    """What lies below a folder.

    Attributes
    ----------
    folder : pathlib.Path
        As it was given.
    found : list of Found
        Records that can be used, in time.
    left_out : list of LeftOut
        Files that are no records, or damaged ones, or the same record again.
    """

    folder: Path
    found: list[Found]
    left_out: list[LeftOut] = field(default_factory=list)


def search(folder: Path) -> Search:
    """Read every ``evidence.json`` in a folder and up to `DEPTH` folders below it, links not followed.

    Parameters
    ----------
    folder : pathlib.Path
        ``reports/``, the folder of one model, or one that artefacts were copied to.

    Raises
    ------
    AuditkitError
        When it is no folder, cannot be read, or holds no record that can be used; what was wrong with the files there
        is said.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise AuditkitError(
            f"{folder} {what}; a history is read from a folder of runs.",
            "Give the folder that runs write to: auditkit history reports/",
        )
    found: list[Found] = []
    left_out: list[LeftOut] = []
    runs: dict[tuple[str, str], str] = {}
    for path in _records(folder):
        shown = path.relative_to(folder).as_posix()
        try:
            one = _read(path, shown)
        except AuditkitError as error:
            # The place is said beside it, and what to do about one file is no matter of the whole.
            left_out.append(LeftOut(path=shown, why=error.problem.removeprefix(f"{path} ").replace(str(path), shown)))
            continue
        key = (one.evidence.model.name, one.evidence.run.id)
        if key in runs:
            other = next(f for f in found if f.path == runs[key])
            same = "the same record as" if other.sha256 == one.sha256 else "another record of the same run as"
            left_out.append(LeftOut(path=shown, why=f"is {same} {other.path}"))
            continue
        runs[key] = shown
        found.append(one)
    if not found:
        raise AuditkitError(_nothing(folder, left_out), "Give the folder that runs write to: auditkit history reports/")
    found.sort(key=lambda one: (_moment(one.evidence.run.finished), one.evidence.run.id, one.path))
    return Search(folder, found, left_out)


def of_model(searched: Search, name: str | None) -> tuple[list[Found], dict[str, int]]:
    """Return the runs of one model, and how many there are of others.

    Parameters
    ----------
    searched : Search
        What lies below a folder.
    name : str or None
        The model's name in the records; None where there is one model only.

    Raises
    ------
    AuditkitError
        When there are several models and none is named, or none of that name.
    """
    counts = Counter(one.evidence.model.name for one in searched.found)
    if name is None:
        if len(counts) > 1:
            listed = ", ".join(f"{model} ({n})" for model, n in sorted(counts.items()))
            first = max(sorted(counts), key=counts.__getitem__)
            raise AuditkitError(
                f"{searched.folder} has runs of {len(counts)} models: {listed}. A history is of one.",
                f"Name it: auditkit history {searched.folder} --model={first}",
            )
        [name] = counts
    if name not in counts:
        raise unknown("model with runs here", name, sorted(counts))
    others = {model: n for model, n in sorted(counts.items()) if model != name}
    return [one for one in searched.found if one.evidence.model.name == name], others


def _records(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise AuditkitError(f"{of_the_system(error)}", "Give a folder that can be read.")

    for here, below, files in os.walk(folder, onerror=refuse):
        depth = len(Path(here).relative_to(folder).parts)
        below[:] = sorted(name for name in below if not name.startswith(".")) if depth < DEPTH else []
        if RECORD in files:
            yield Path(here) / RECORD


def _read(path: Path, shown: str) -> Found:
    evidence, raw = read_evidence(path)
    if evidence.answers.items:
        fault = next(count_faults(evidence), None)
        if fault is not None:
            raise AuditkitError(f"{path} is damaged: {fault}.")
        refuse_marks_beyond(evidence, str(path))
    return Found(shown, evidence, hashlib.sha256(raw).hexdigest())


def _nothing(folder: Path, left_out: Sequence[LeftOut]) -> str:
    if not left_out:
        return f"{folder} holds no {RECORD}, nor do the folders up to {DEPTH} below it, so there is no run to show."
    lines = "".join(f"\n  {one.path}: {one.why}" for one in left_out[:8])
    more = f"\n  and {len(left_out) - 8} more" if len(left_out) > 8 else ""
    return f"none of the records in {folder} can be used:{lines}{more}"


def _moment(text: str) -> datetime:
    """When a run ended; of what is no time, before all others."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
