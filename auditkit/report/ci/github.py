"""GitHub Actions: annotations on the audits' lines, and the job's summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from auditkit import words as wording
from auditkit.evidence import VERDICTS, Evidence
from auditkit.report import views
from auditkit.report.ci.commands import command
from auditkit.report.ci.findings import Finding, more_patients

SHOWN = 10
"""Annotations of one kind that GitHub shows per step."""
SUMMARY_LIMIT = 2**20
"""Bytes of a step's summary; with one more GitHub shows nothing of it."""
_LENGTH = 600
_ROWS = (500, 200, 100, 50, 20, 10, 5, 0)


def annotate(found: Sequence[Finding], workspace: Path) -> list[str]:
    """Return workflow commands: errors for what blocks, then warnings for what was allowed, at most `SHOWN` of each.

    Parameters
    ----------
    found : sequence of Finding
        The most telling first. Where they are more than GitHub shows, the last line says how many are left out.
    workspace : pathlib.Path
        Root of the checkout; tests outside it are annotated without a place.
    """
    lines = []
    for kind, some in (("error", [f for f in found if f.blocks]), ("warning", [f for f in found if not f.blocks])):
        shown = some if len(some) <= SHOWN else some[: SHOWN - 1]
        lines += [_annotation(kind, finding, workspace) for finding in shown]
        if left := len(some) - len(shown):
            rest = wording.count(left, "more audit does", "more audits do")
            lines.append(command(kind, f"{rest} not pass: see the job's summary.", title=f"{left} more"))
    return lines


def problem(sentence: str) -> str:
    """Return the annotation of an audit that did not run."""
    return command("error", _plain(sentence), title="The audit did not run")


def _annotation(kind: str, finding: Finding, workspace: Path) -> str:
    audit = finding.audit
    path = finding.place.within(workspace) if finding.place else None
    return command(
        kind,
        _plain(f"{audit.id}: {audit.sentence}"),
        file=path,
        line=finding.place.line if finding.place and path else None,
        title=_plain(f"{audit.verdict}: {wording.audit_name(audit)}"),
    )


def _plain(text: str) -> str:
    return " ".join(wording.shortened(text, _LENGTH).split())


def summary(
    evidence: Evidence, found: Sequence[Finding], *, files: Sequence[str], run_url: str = "", limit: int = SUMMARY_LIMIT
) -> str:
    """Return the summary as one block of HTML inside Markdown, in which no Markdown is read.

    Parameters
    ----------
    evidence : Evidence
        The record.
    found : sequence of Finding
        The audits that do not pass, the most telling first.
    files : sequence of str
        Paths of what the run wrote.
    run_url : str
        Address of the workflow run, where the artefacts are.
    limit : int
        Bytes that may be used. Rows are left out, and counted, until it fits.

    Returns
    -------
    str
        In UTF-8 at most `limit` bytes long; empty when not even the verdict fits.
    """
    for rows in _ROWS:
        text = _rendered(evidence, found, files, run_url, rows)
        if len(text.encode()) <= limit:
            return text
    return ""


def _rendered(evidence: Evidence, found: Sequence[Finding], files: Sequence[str], run_url: str, rows: int) -> str:
    lists: Mapping[str, list[Finding]] = {v: [f for f in found if f.audit.verdict == v] for v in VERDICTS}
    text = (
        _environment()
        .get_template("summary.html.j2")
        .render(
            e=evidence,
            families=views.families(evidence),
            counts=views.verdict_counts(evidence.deciding),
            failed=[*lists["FAIL"], *lists["ERROR"]],
            undecided=lists["INCONCLUSIVE"],
            rows=rows,
            files=files,
            run_url=run_url if run_url.startswith("https://") else "",
        )
    )
    # An empty line would end the block of HTML, and Markdown would be read again.
    return "\n" + "\n".join(line for line in text.splitlines() if line.strip()) + "\n\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("auditkit.report.ci", "."),
        autoescape=True,
        finalize=lambda value: _plain(value) if isinstance(value, str) else value,
        undefined=StrictUndefined,
    )
    for name in (
        "SYMBOLS",
        "VERDICT_ORDER",
        "audit_name",
        "beside_sentences",
        "count",
        "percent",
        "plain_name",
        "whole",
    ):
        environment.globals[name] = getattr(wording, name)
    environment.globals["more_patients"] = more_patients
    return environment
