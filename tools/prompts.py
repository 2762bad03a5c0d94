"""The tables of docs/prompts.md; ``python -m tools.prompts`` writes them."""

from __future__ import annotations

from pathlib import Path

from auditkit import tasks
from auditkit.errors import AuditkitError
from auditkit.perturbations import levels, placebos, shipped

PAGE = Path(__file__).parents[1] / "docs" / "prompts.md"


def wordings() -> str:
    """Return every wording of every task as Markdown."""
    lines = ["| task.wording | answer | system turn | user turn |", "|---|---|---|---|"]
    for task in tasks.shipped().values():
        answer = task.scorer_spec if isinstance(task.scorer_spec, str) else "a letter"
        for name, wording in task.wordings.items():
            text = wording.question.replace("\n", "<br>")
            lines.append(f"| `{task.id}.{name}` | {answer} | {wording.system or ''} | {text} |")
    return "\n".join(lines)


def sentences() -> str:
    """Return every sentence as Markdown, category by category."""
    lines: list[str] = []
    for name, neutral in placebos().items():
        category = name.partition(".")[0]
        lines += ["", f"**{category}**, neutral sentence `{name}`: {neutral}", ""]
        lines += ["| name | sentence | hazard |", "|---|---|---|"]
        lines += [f"| `{v.id}` | {v.sentence} | {v.hazard} |" for v in levels().values() if v.category == category]
    return "\n".join(lines[1:])


def statements() -> str:
    """Return every statement and suffix as Markdown, with its placebo beside it."""
    lines = ["| name | sentence | compared with |", "|---|---|---|"]
    for entry in shipped().values():
        if entry.tier in ("statements", "suffixes"):
            placebo = f"`{entry.placebo}`" if entry.placebo else "no sentence"
            lines.append(f"| `{entry.name}` | {entry.parameters(0)['sentence']} | {placebo} |")
    return "\n".join(lines)


def replaced(page: str) -> str:
    """Return a page with the present tables between their marks.

    Raises
    ------
    AuditkitError
        When the page lacks a mark.
    """
    for name, table in (("wordings", wordings()), ("sentences", sentences()), ("statements", statements())):
        begin, end = f"<!-- begin {name}: written by python -m tools.prompts -->", f"<!-- end {name} -->"
        head, found, rest = page.partition(begin)
        _, closed, tail = rest.partition(end)
        if not found or not closed:
            raise AuditkitError(f"The page has no place for the {name}.", f"Add the two lines {begin} and {end}.")
        page = f"{head}{begin}\n\n{table}\n\n{end}{tail}"
    return page


if __name__ == "__main__":
    PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
