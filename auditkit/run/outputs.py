"""Writing what a run leaves: evidence.json (checked against its schema), the reports, and the latest pointer."""

from __future__ import annotations

import os
from pathlib import Path

from auditkit import durable, masked
from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.report.ci.gitlab import FILE_NAME as CODE_QUALITY
from auditkit.run.settings import RECORD

_LEFT = (RECORD, "report.html", "report.pdf", CODE_QUALITY)


def remove_earlier(folder: Path) -> None:
    """Remove what an earlier run left in an output folder: where this one ends early, it would pass for this one's.

    Parameters
    ----------
    folder : pathlib.Path
        It need not exist.

    Raises
    ------
    AuditkitError
        When a file cannot be removed.
    """
    try:
        for name in _LEFT:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise AuditkitError(
            f"{folder} holds the record of an earlier run, which cannot be removed: {error.strerror or error}.",
            "Give another folder with --audit-out=DIR.",
        ) from None


def write_outputs(
    evidence: Evidence, folder: Path, latest: Path | None = None, *, pdf: bool = True
) -> tuple[str, list[str]]:
    """Write the record and the report.

    Parameters
    ----------
    evidence : Evidence
        The record.
    folder : pathlib.Path
        Made when missing.
    latest : pathlib.Path, optional
        Symbolic link (a text file with the path where links are not allowed) to point at the folder.
    pdf : bool
        Write report.pdf too, where the extra [pdf] is installed. Where it is not written, one that an earlier run left
        in the folder is removed: it would show another verdict beside this record.

    Returns
    -------
    report : str
        Path of report.html.
    remarks : list of str
        What was not written, and why.

    Raises
    ------
    AuditkitError
        When the folder cannot be written.
    """
    from auditkit.report.html import write_html
    from auditkit.report.pdf import write_pdf

    remarks: list[str] = []
    text = evidence.to_json()
    # What cannot be read back must not be left as evidence. The reports are made from what is read back, so that they
    # are, to the byte, those that the file gives: a lone surrogate is spelt out in it.
    evidence = Evidence.from_json(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        record = text.encode()
        durable.write(folder / RECORD, record)
        write_html(evidence, folder / "report.html", record)
        (folder / "report.pdf").unlink(missing_ok=True)
        if pdf:
            try:
                write_pdf(evidence, folder / "report.pdf", record)
            except AuditkitError as error:  # the HTML and the record are there
                remarks.append(str(error))
        if latest is not None:
            _point(latest, folder)
    except OSError as error:
        raise AuditkitError(
            f"the report could not be written to {masked.shown(str(folder))}: {error.strerror or error}.",
            "The answers are in the store: run the same command with --audit-out=DIR and nothing is asked again.",
        ) from None
    return masked.shown(str(folder / "report.html"), 2000), remarks


def _point(latest: Path, folder: Path) -> None:
    beside = latest.with_name(f".latest-{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        beside.symlink_to(os.path.relpath(folder, latest.parent), target_is_directory=True)
        if latest.is_dir() and not latest.is_symlink():
            beside.unlink()
            return
        beside.replace(latest)
    except OSError:
        durable.write(latest.with_suffix(".txt"), f"{folder}\n")
