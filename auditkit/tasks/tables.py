"""The tables of docs/prompts.md; ``python -m auditkit.tasks.tables docs/prompts.md`` writes them anew."""

from __future__ import annotations

import sys
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.tasks.catalog import SLOT, levels, placebos, templates

BEGIN = "<!-- begin: written by python -m auditkit.tasks.tables -->"
END = "<!-- end -->"


def tables() -> str:
    """Return all templates, levels and placebos as Markdown."""
    lines = ["### Templates", "", "| id | answer | system turn | user turn |", "|---|---|---|---|"]
    for template in templates().values():
        text = template.text.replace(SLOT, "").strip().replace("\n", "<br>")
        lines.append(f"| `{template.id}` | {template.format} | {template.system or ''} | {text} |")
    lines += ["", "### Context levels and placebos"]
    for name, neutral in placebos().items():
        category = name.partition(".")[0]
        lines += [
            "",
            f"**{category}**, placebo `{name}`: {neutral}",
            "",
            "| level | sentence | hazard |",
            "|---|---|---|",
        ]
        for level in levels().values():
            if level.category == category:
                lines.append(f"| `{level.pair}.{level.side}` | {level.sentence} | {level.hazard} |")
    return "\n".join(lines)


def replaced(page: str) -> str:
    """Return a page with what stands between the two marks written anew.

    Raises
    ------
    AuditkitError
        When the page lacks one of the marks.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise AuditkitError("The page has no place for the tables.", f"Add the two lines {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{tables()}\n\n{END}{tail}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(replaced(target.read_text(encoding="utf-8")), encoding="utf-8")
