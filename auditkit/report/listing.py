"""The list of every audit: one line each, and the details of as many as a page can hold, the worst verdicts first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from auditkit.evidence import VERDICTS, Audit
from auditkit.report.views import Family, by_category
from auditkit.words import audit_name

# Characters of HTML. The demo's 170 audits take 1.1 million, 6,000 each: they are whole.
DETAILS = 2_000_000
# Lists up to this length are not cut into categories.
SHORT = 12


@dataclass(frozen=True)
class Line:
    """One audit in the list."""

    audit: Audit
    slug: str
    name: str
    rank: int
    """Place in the order of effects, the largest first; see `by_effect`."""
    marks: str
    """First letter of the verdict in each modality of the page, ``.`` where the audit has no decision on it."""
    body: Markup | None
    """Everything else about it; none when the page has no room."""


@dataclass(frozen=True)
class Part:
    """The audits of one question and category."""

    heading: str
    lines: Sequence[Line]


def by_effect(audits: Iterable[Audit]) -> dict[str, int]:
    """Return the rank of each audit id by the size of its estimate, unit by unit, those not measured last.

    Sizes in different units have no order among each other: units come in the order of their first audit.
    """
    units: dict[str, int] = {}
    keys = []
    for audit in audits:
        unit = units.setdefault(audit.unit, len(units))
        value = audit.estimate.value
        keys.append((value is None, unit, -abs(value or 0.0), audit.id))
    return {id_: rank for rank, (*_, id_) in enumerate(sorted(keys), 1)}


def marks(audit: Audit, modalities: Sequence[str]) -> str:
    """Return one letter per modality: its verdict over the cells that count, or over all where none counts.

    ``s`` where the audit is shown for information.
    """
    verdicts: dict[str, list[tuple[bool, str]]] = {}
    for cell in audit.parts:
        verdicts.setdefault(cell.stratum.level, []).append((cell.required, cell.verdict))
    letters = []
    for modality in modalities:
        cells = verdicts.get(modality, [])
        counting = [verdict for required, verdict in cells if required] or [verdict for _, verdict in cells]
        letter = next((v[0] for v in VERDICTS if v in counting), ".")
        letters.append("s" if audit.shown and letter != "." else letter)
    return "".join(letters)


def details(audits: Sequence[Audit], render: Callable[[Audit], Markup], budget: int = DETAILS) -> dict[str, Markup]:
    """Render the details of audits until `budget` characters are spent, the worst verdicts first.

    Returns
    -------
    dict of str to markupsafe.Markup
        Audit id -> its details; an audit that is not in it has none on the page.
    """
    result: dict[str, Markup] = {}
    # Of those that passed, the model's own audits come before comparisons with earlier runs.
    for audit in sorted(audits, key=lambda a: (a.shown, VERDICTS.index(a.verdict), a.statistic == "worsening")):
        body = render(audit)
        budget -= len(body)
        if budget < 0:
            break
        result[audit.id] = body
    return result


def parts(
    family: Family, slugs: Mapping[str, str], ranks: Mapping[str, int], modalities: Sequence[str],
    bodies: Mapping[str, Markup],
) -> list[Part]:  # fmt: skip
    """Return the lines of one family, in the record's order, by category where it is long."""
    groups = by_category(family.audits) if len(family.audits) > SHORT else {"": family.audits}
    return [
        Part(
            heading if len(groups) > 1 else "",
            [Line(a, slugs[a.id], audit_name(a), ranks[a.id], marks(a, modalities), bodies.get(a.id)) for a in own],
        )
        for heading, own in groups.items()
    ]
