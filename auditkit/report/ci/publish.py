"""Leave what the machine that runs the audit shows of it: told apart by the variables that it sets."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path

from auditkit.evidence import Evidence
from auditkit.report.ci.commands import on_github
from auditkit.report.ci.findings import Place, findings
from auditkit.report.ci.github import SUMMARY_LIMIT, annotate, summary
from auditkit.report.ci.gitlab import FILE_NAME, code_quality

REPORTS = ("report.html", "report.pdf", "evidence.json")


def publish(
    evidence: Evidence,
    folder: Path,
    places: Mapping[str, Place],
    environ: Mapping[str, str],
    *,
    excused: Container[str],
) -> tuple[list[str], list[str]]:
    """Append GitHub's job summary, write GitLab's code quality report, and return GitHub's annotations.

    A file that cannot be written is said and no more: it must not change what the audit's exit code says.

    Parameters
    ----------
    evidence : Evidence
        The record, written already.
    folder : pathlib.Path
        Where evidence.json and the reports are.
    places : mapping of str to Place
        Where the audits' tests are, by audit id.
    environ : mapping
        The environment: ``GITHUB_ACTIONS``, ``GITHUB_STEP_SUMMARY``, ``GITHUB_WORKSPACE``, ``GITLAB_CI``,
        ``CI_PROJECT_DIR`` and the parts of the run's address.
    excused : container of str
        Ids of audits that do not pass and yet fail no test.

    Returns
    -------
    commands : list of str
        Lines for standard output, to be printed last; empty elsewhere than on GitHub.
    remarks : list of str
        What could not be written, and why.
    """
    found = findings(evidence, places, excused=excused)
    lines: list[str] = []
    remarks: list[str] = []
    if environ.get("GITLAB_CI") == "true":
        project = Path(environ.get("CI_PROJECT_DIR") or Path.cwd())
        remarks += _write(folder / FILE_NAME, code_quality(found, evidence.model.name, project), "w")
    if on_github(environ):
        workspace = Path(environ.get("GITHUB_WORKSPACE") or Path.cwd())
        lines += annotate(found, workspace)
        if environ.get("GITHUB_STEP_SUMMARY"):
            path = Path(environ["GITHUB_STEP_SUMMARY"])
            # A command before this one in the step may have written.
            taken = path.stat().st_size if path.is_file() else 0
            files = [
                Place(folder / name, 1).within(workspace) or str(folder / name)
                for name in REPORTS
                if (folder / name).is_file()
            ]
            text = summary(evidence, found, files=files, run_url=_run_url(environ), limit=SUMMARY_LIMIT - taken)
            remarks += _write(path, text, "a")
    return lines, remarks


def _run_url(environ: Mapping[str, str]) -> str:
    parts = [environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return "{}/{}/actions/runs/{}".format(*parts) if all(parts) else ""


def _write(path: Path, text: str, mode: str) -> list[str]:
    try:
        with path.open(mode, encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        return [f"{path} could not be written: {error.strerror or error}."]
    return []
