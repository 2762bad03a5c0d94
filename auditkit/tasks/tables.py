"""The table of wordings in docs/prompts.md; ``python -m auditkit.tasks.tables docs/prompts.md`` writes it."""

from __future__ import annotations

import sys
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.tasks.declared import shipped

BEGIN = "<!-- begin: written by python -m auditkit.tasks.tables -->"
END = "<!-- end: auditkit.tasks.tables -->"


def tables() -> str:
    """Return every wording of every task as Markdown."""
    lines = ["| task.wording | answer | system turn | user turn |", "|---|---|---|---|"]
    for task in shipped().values():
        answer = task.scorer_spec if isinstance(task.scorer_spec, str) else "a letter"
        for name, wording in task.wordings.items():
            text = wording.question.replace("\n", "<br>")
            lines.append(f"| `{task.id}.{name}` | {answer} | {wording.system or ''} | {text} |")
    return "\n".join(lines)


def replaced(page: str) -> str:
    """Return a page with the present table between the two marks.

    Raises
    ------
    AuditkitError
        When the page lacks one of the marks.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise AuditkitError("The page has no place for the table.", f"Add the two lines {BEGIN} and {END}.")
    return f"{head}{BEGIN}\n\n{tables()}\n\n{END}{tail}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(replaced(target.read_text(encoding="utf-8")), encoding="utf-8")
