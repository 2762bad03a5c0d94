"""A plan as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import groupby

from auditkit.measure.columns import ALL, MODALITY
from auditkit.planning.result import EACH, SampleSize, Where, hardest
from auditkit.words import modality_label, plain_name

WIDTH = 120
STEPS = (32, 64, 128, 256, 512, 1024)


def as_text(plan: SampleSize) -> str:
    """Return the plan as lines of at most 120 characters: what each family or audit takes, totals, assumptions."""
    protocol = plan.protocol
    head = (
        f"Patients needed under the protocol “{protocol.name}”, profile {protocol.profile} "
        f"(alpha {protocol.alpha:g} per side), with probability {plan.power:g}:"
    )
    pilot = any(need.audit for need in plan.needs)
    body = _audits(plan) if pilot else _families(plan)
    assumed = bullets(*plan.notes)
    return "\n".join([head, "", *body, "", *_totals(plan), "", "What this assumes", *assumed])


def _families(plan: SampleSize) -> list[str]:
    rows = [("family", "where", "to be shown", "if the truth is", "one audit", "all audits")]
    for need in plan.needs:
        where = "together" if need.where.level == ALL else "each modality"
        rows.append((need.family, where, need.claim, need.assumed, _count(need.one_audit), _count(need.whole_gate)))
    return [
        *table(rows, right=2),
        "",
        "one audit: patients with which an audit of that family passes; all audits: with which every audit passes",
        f"({plan.audits} audits making {plan.claims:,} claims).",
    ]


def _audits(plan: SampleSize) -> list[str]:
    rows = [("audit", "verdict", "hardest", "if the truth is", "one audit", "in total", "all audits")]
    for audit, some in groupby(plan.needs, key=lambda need: need.audit):
        needs = list(some)
        worst = hardest(needs)
        verdict = "FAIL" if any(need.settles == "FAIL" for need in needs) else "PASS"
        alone, whole = (plan.patients(needs, whole_gate=gate).total for gate in (False, True))
        place = _place(worst.where)
        rows.append((audit, verdict, place, worst.assumed, _count(worst.one_audit), _count(alone), _count(whole)))
    steps = [
        ("patients in each modality", *map(str, STEPS)),
        ("audits settled", *(str(plan.settled(n)) for n in STEPS)),
    ]
    return [
        *table(rows, right=3),
        "",
        *table(steps, right=len(STEPS)),
        "",
        "verdict: where the audit ends if the pilot's estimates are the truth; one audit: patients of the hardest",
        "modality with which that is settled; in total: of all modalities; all audits: in total, to settle every audit",
        f"({plan.audits} audits making {plan.claims:,} claims).",
    ]


def _totals(plan: SampleSize) -> list[str]:
    alone, whole = (plan.patients(plan.needs, whole_gate=gate) for gate in (False, True))
    rows = [("", "any one audit", "all audits")]
    for where, times in plan.strata.items():
        label = _place(where)
        if where.level == EACH:
            label = "in each modality" if times > 1 else "in the modality"
        rows.append((label, _count(alone.by_stratum[where]), _count(whole.by_stratum[where])))
    rows.append(("in total", _count(alone.total), _count(whole.total)))
    said = table(rows, right=2)
    failing = {need.audit for need in plan.needs if need.settles == "FAIL"}
    if failing:
        said += [
            "",
            f"{len(failing)} of {plan.audits} audits end in FAIL if the pilot is right: no number makes all pass.",
        ]
    hopeless = sorted({need.audit or need.family for need in plan.needs if need.whole_gate is None})
    if hopeless:
        said += ["", *textwrap.wrap(f"No number of patients settles: {', '.join(hopeless)}.", WIDTH)]
    return said


def bullets(*notes: str) -> list[str]:
    """Return notes as wrapped lines, a dash before each."""
    return [line for note in notes for line in textwrap.wrap(note, WIDTH, initial_indent="- ", subsequent_indent="  ")]


def table(rows: Sequence[Sequence[str]], *, right: int) -> list[str]:
    """Return rows with their columns aligned; the last ``right`` of them hold numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first = len(widths) - right
    return [
        "  ".join(
            cell.ljust(width) if at < first else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _place(where: Where) -> str:
    if where.column == MODALITY or where.level == ALL:
        return modality_label(where.level)
    return f"{plain_name(where.column)}: {where.level}"


def _count(n: int | None) -> str:
    return "none is enough" if n is None else f"{n:,}"
