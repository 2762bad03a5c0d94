"""The summary at the end of a run: what was decided, by question, and where to read on."""

from __future__ import annotations

import io
import textwrap

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from auditkit.evidence import Audit, Evidence, Unscored, Verdict
from auditkit.report import views
from auditkit.vocabulary import MODEL
from auditkit.words import (
    OUTCOME_NAMES,
    SYMBOLS,
    VERDICT_ORDER,
    audit_name,
    beside_sentences,
    count,
    cut,
    damaged_sentence,
    not_asked_sentence,
    not_embedded_sentence,
    noted,
    people_sentences,
    percent,
    plain_name,
    scale_of,
    shortened,
    unread_sentence,
    whole,
    without_picture_sentence,
)

_HEADS: dict[Verdict, str] = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "INCONCL.", "ERROR": "ERROR"}
_EFFECTS = 3
_NOTES = 6
_EXAMPLES = 3


def summary_lines(evidence: Evidence, width: int, report_path: str, pdf_path: str = "") -> list[str]:
    """Return the summary as plain lines no wider than `width`.

    Parameters
    ----------
    evidence : Evidence
        The record of the run.
    width : int
        Columns of the terminal; below 40 it is taken as 40.
    report_path : str
        Where report.html is; printed whole, on a line of its own when it is long.
    pdf_path : str
        Where report.pdf is; empty when there is none.

    Returns
    -------
    list of str
        Without colours or control characters, so that logs and files can hold them.
    """
    width = max(width, 40)
    lines = _table(evidence, width)
    effects = views.largest_effects(evidence, _EFFECTS)
    if effects:
        lines += ["", "Largest unwanted changes of the score:"]
        for number, audit in enumerate(effects, 1):
            lines += _effect(number, audit, width)
    lines += ["", *_answers(evidence, width)]
    for sentence in beside_sentences(evidence):
        lines += _wrapped(sentence, width)
    lines += _wrapped(damaged_sentence(evidence.run.probes.damaged), width) if evidence.run.probes.damaged else []
    for entry in evidence.not_embedded:
        lines += _wrapped(shortened(not_embedded_sentence(entry), 600), width)
    not_asked = (not_asked_sentence(entry, evidence.data.n_images) for entry in evidence.data.not_asked)
    without = without_picture_sentence(evidence.data.n_without_picture, evidence.data.n_images)
    unread = unread_sentence(evidence.data.unread_columns)
    told = (without, *people_sentences(evidence.data.units), *not_asked, unread)
    for sentence in told:
        lines += _wrapped(sentence, width) if sentence else []
    for note, n in list(evidence.data.notes.items())[:_NOTES]:
        lines += _wrapped(noted(n, note), width, "  ")
    if len(evidence.data.notes) > _NOTES:
        lines.append(f"{len(evidence.data.notes) - _NOTES} more kinds of notes on images are in the report.")
    if evidence.data.n_left_out:
        files = count(evidence.data.n_left_out, "file was", "files were")
        lines += _wrapped(f"{files} left out: names and reasons are in the report.", width)
    if evidence.not_run:
        lines += _wrapped(
            f"{count(len(evidence.not_run), 'declared audit was', 'declared audits were')} not run.", width
        )
    if evidence.data.synthetic_share:
        lines += _wrapped(f"{percent(evidence.data.synthetic_share, 0)} of the images are synthetic.", width)
    if evidence.looks:
        made, planned = len(evidence.looks), evidence.protocol.criteria.get("looks", {}).get("number", "?")
        saved = count(evidence.run.probes.saved, "question")
        lines += _wrapped(f"{count(made, 'look')} of {planned} planned were made; {saved} saved.", width)
    if evidence.run.earlier_protocols:
        first = evidence.run.earlier_protocols[0]
        when = f" on {first.first_judged[:16]}Z" if first.first_judged else ""
        lines += _wrapped(
            f"The protocol was changed after the first look: {first.sha256[:16]} was applied to this model and these "
            f"images{when}, {evidence.protocol.sha256[:16]} is applied now.",
            width,
        )
    lines.append("")
    for name, where in (("Report:", report_path), ("To sign:", pdf_path)):
        path = shortened(where, 2000)
        if path:
            lines += [f"{name} {path}"] if len(name) + 1 + len(path) <= width else [name, path]
    lines.append("")
    lines += _wrapped(f"{SYMBOLS[evidence.verdict]} {evidence.verdict}: {evidence.sentence}", width, "  ")
    return lines


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(shortened(text, 2000), width, subsequent_indent=indent) or [""]


def _table(evidence: Evidence, width: int) -> list[str]:
    table = Table(box=box.SIMPLE_HEAD, expand=False, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.add_column("Question", overflow="fold", ratio=None)
    for verdict in VERDICT_ORDER:
        table.add_column(_HEADS[verdict], justify="right", no_wrap=True)
    # A sentence needs room; on narrow terminals the family's name has to do.
    sentences = width >= 100
    for family in views.families(evidence):
        label = f"{family.heading} [{family.name}]" if sentences else plain_name(family.name)
        numbers = [whole(n) if n else "·" for n in family.counts.values()]
        table.add_row(escape(f"{SYMBOLS[family.verdict]} {shortened(label, 200)}"), *numbers)
    table.add_section()
    table.add_row("All audits", *(whole(n) for n in views.verdict_counts(evidence.deciding).values()))
    stream = io.StringIO()
    console = Console(
        file=stream, width=width, color_system=None, force_terminal=False, legacy_windows=False, emoji=False
    )
    console.print(table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def _effect(number: int, audit: Audit, width: int) -> list[str]:
    scale = scale_of(audit)
    head = f"{number}. {scale.full(audit.estimate)}, {count(audit.n_images, 'image')}: {audit.verdict}"
    lines = _wrapped(head, width, "   ")
    name = audit_name(audit)
    changed = audit.treated if audit.treated.startswith(name) else f"{name}: {audit.treated}".rstrip(" :")
    lines += textwrap.wrap(
        shortened(changed, 400), width, initial_indent="   ", subsequent_indent="   ", max_lines=3, placeholder=" …"
    )
    return lines


def _answers(evidence: Evidence, width: int) -> list[str]:
    outcomes = evidence.outcomes
    if not outcomes.total:
        return ["No question was answered."]
    lost = [line for entry in evidence.unscored[:_EXAMPLES] for line in _ending(entry, evidence, width)]
    if outcomes.scored == outcomes.total:
        return [f"All {count(outcomes.total, 'answer')} could be scored.", *lost]
    missing = ", ".join(
        f"{whole(getattr(outcomes, name))} {label.lower()}"
        for name, label in OUTCOME_NAMES.items()
        if name != "scored" and getattr(outcomes, name)
    )
    share = percent(outcomes.scored / outcomes.total)
    told = f"{whole(outcomes.scored)} of {count(outcomes.total, 'answer')} scored ({share}); {missing}."
    return [*_wrapped(told, width), *lost]


def _ending(entry: Unscored, evidence: Evidence, width: int) -> list[str]:
    """Say on one line why answers have no score, and whether it helps to run again."""
    whose = "" if entry.role == MODEL else f" by {cut(evidence.names.get(entry.role, entry.role), 40)}"
    return [_example(entry, whose, width), *(_wrapped(entry.remedy, width) if entry.remedy else ())]


def _example(entry: Unscored, whose: str, width: int) -> str:
    """Say why answers have no score: the first text, or what the server said."""
    name = OUTCOME_NAMES[entry.outcome].lower() + whose
    text = f"{cut(entry.text, width)!r}: " if entry.outcome != "error" else ""
    return cut(f"- {name}: {text}{entry.why or 'no reason is recorded'}", width)
