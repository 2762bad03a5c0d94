"""The list in docs/audits.md; ``python -m tools.audits`` writes it from what ``pytest audits/ --audit-list`` lists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.planning.listing import Listed, by_facts, by_family, facts_of, from_json, heading
from auditkit.words import count

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "audits.md"
BEGIN, END = "<!-- begin audits: written by python -m tools.audits -->", "<!-- end audits -->"


def shipped() -> list[Listed]:
    """Return every shipped audit, as a session of its own lists them.

    Raises
    ------
    AuditkitError
        When pytest could not list them.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "audits.json"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "audits",
            "-q",
            "-p",
            "no:cacheprovider",
            f"--audit-list-json={file}",
        ]
        done = subprocess.run(  # noqa: S603 - our own interpreter and options
            command, cwd=ROOT, capture_output=True, text=True, check=False, env=clean
        )
        if done.returncode:
            raise AuditkitError(f"pytest could not list the audits:\n{done.stdout}{done.stderr}")
        return [from_json(audit) for audit in json.loads(file.read_text(encoding="utf-8"))["audits"]]


def table(audits: list[Listed]) -> str:
    """Return the audits as Markdown, family by family."""
    families = by_family(audits)
    lines = [f"{count(len(audits), 'audit')} in {count(len(families), 'family', 'families')}."]
    for family, members in families:
        lines += ["", f"## {heading(family, 'auditkit default')}"]
        for some in by_facts(members):
            lines += ["", f"**{some[0].question}** Family `{family}`, {count(len(some), 'audit')}.", ""]
            lines += [f"- {label}: {_code(label, words)}" for label, words in facts_of(some[0])]
            lines += ["", *_rows(some)]
    return "\n".join(lines)


def _rows(audits: list[Listed]) -> list[str]:
    """Return what is compared, with a column of hazards where any audit has one of its own."""
    own = any(audit.own_hazard for audit in audits)
    lines = (
        ["| compared | name | hazard of its own |", "|---|---|---|"] if own else ["| compared | name |", "|---|---|"]
    )
    for hazard, alike in groupby(audits, key=lambda audit: audit.own_hazard):
        for audit in alike:
            cells = [audit.title, f"`{audit.name}`", *([hazard] if own else [])]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return lines


def _code(label: str, words: str) -> str:
    return f"`{words}`" if label == "test" else words


def replaced(page: str, audits: list[Listed]) -> str:
    """Return a page with the present list between its marks.

    Raises
    ------
    AuditkitError
        When the page lacks a mark.
    """
    head, found, rest = page.partition(BEGIN)
    _, closed, tail = rest.partition(END)
    if not found or not closed:
        raise AuditkitError("The page has no place for the audits.", f"Add the two lines {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{table(audits)}\n\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), shipped()), encoding="utf-8")
