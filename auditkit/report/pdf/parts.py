"""The parts of the PDF: chapters that are read and signed, and annexes to look things up in."""

from __future__ import annotations

from dataclasses import dataclass

CHAPTERS = (
    ("goals", "Goals and intended use"),
    ("criteria", "Criteria declared before the run"),
    ("data", "Data"),
    ("methods", "Methods in brief"),
    ("findings", "What did not pass"),
    ("results", "Results by question"),
    ("change", "Change against an earlier run"),
    ("hazards", "From hazard to verdict"),
    ("limits", "Limits and what was not tested"),
    ("signature", "Decision and signatures"),
)
"""Id and heading; the number is the place in this list. Order of ISO/IEC TR 24029-1: goals, plan, conduct, analysis."""
ANNEXES = (
    ("audits", "Every audit, by question"),
    ("degradation", "Degraded images"),
    ("subgroups", "Patients and equipment"),
    ("answers", "Answers and prompts"),
    ("gallery", "Failing cases"),
    ("clauses", "Clause map"),
    ("protocol", "The protocol"),
    ("images", "Data in detail"),
    ("provenance", "Provenance and packages"),
)
"""Id and heading; the letter is the place in this list."""


@dataclass(frozen=True)
class Part:
    """A chapter or an annex."""

    id: str
    title: str
    name: str
    """``chapter 3``, ``Annex B``."""
    heading: str
    """``3 Data``, ``Annex B: Degraded images``."""


def chapters() -> list[Part]:
    """Return the chapters in their order."""
    return [Part(id_, title, f"chapter {n}", f"{n} {title}") for n, (id_, title) in enumerate(CHAPTERS, 1)]


def annexes() -> list[Part]:
    """Return the annexes in their order."""
    named = [(id_, title, f"Annex {chr(ord('A') + n)}") for n, (id_, title) in enumerate(ANNEXES)]
    return [Part(id_, title, name, f"{name}: {title}") for id_, title, name in named]
