"""The sentences of docs/prompts.md; ``python -m auditkit.perturbations.tables docs/prompts.md`` writes them."""

from __future__ import annotations

import sys
from pathlib import Path

from auditkit.perturbations.entry import PerturbationError
from auditkit.perturbations.sentences import levels, placebos

BEGIN = "<!-- begin: written by python -m auditkit.perturbations.tables -->"
END = "<!-- end: auditkit.perturbations.tables -->"


def tables() -> str:
    """Return every sentence as Markdown, category by category."""
    lines: list[str] = []
    for name, neutral in placebos().items():
        category = name.partition(".")[0]
        lines += ["", f"**{category}**, neutral sentence `{name}`: {neutral}", ""]
        lines += ["| name | sentence | hazard |", "|---|---|---|"]
        lines += [f"| `{v.id}` | {v.sentence} | {v.hazard} |" for v in levels().values() if v.category == category]
    return "\n".join(lines[1:])


def replaced(page: str) -> str:
    """Return a page with the present tables between the two marks.

    Raises
    ------
    PerturbationError
        When the page lacks one of the marks.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise PerturbationError("The page has no place for the tables.", f"Add the two lines {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{tables()}\n\n{END}{tail}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(replaced(target.read_text(encoding="utf-8")), encoding="utf-8")
