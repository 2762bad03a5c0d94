"""Which situations the gates are measured in, and how closely."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from validation.situations import Missing, Setting, Truth

HEADLINE, OTHERS, POWER = 2000, 400, 200
"""Replicates of the rows that are quoted, of the others, and of powers."""
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "equivalence": (("discrete", "noisy", "rare"), ("fine", "sticky", "sparse", "drops")),
    "equivalence, pooled": (("discrete",), ("sticky",)),
    "equivalence, opposite": (("discrete",), ("sticky",)),
    "tail": (("30 points",), ()),
    "templates": (("discrete",), ("noisy",)),
    "not raised": (("discrete",), ("noisy", "drops", "rare")),
    "monotone": (("discrete",), ()),
    "sensitivity": (("discrete",), ("noisy", "drops", "rare")),
    "discrimination": (("discrete low", "discrete high"), ("fine low", "sticky low", "sticky high")),
    "rate": (("5 independent", "10 correlated"), ("5 correlated", "10 independent")),
    "rate difference": (("10 one way", "10 both ways"), ("5 one way", "5 both ways")),
    "agreement": (("10 correlated",), ("10 independent",)),
}
"""By gate, the kinds of noise or events that are quoted, and those that are looked at with fewer replicates."""
FEWEST = {"tail": 32, "discrimination": 32, "rate": 32, "rate difference": 32, "agreement": 32}
"""Patients of the smallest rows: with fewer these gates pass nothing. 24 elsewhere."""
SAME_CORE = ("equivalence, pooled", "equivalence, opposite", "templates", "not raised", "monotone", "sensitivity")
"""Decided by the same interval as "equivalence", which is measured more closely."""
WITH_GAPS = {
    "equivalence": (("discrete", "1-4", 64), ("discrete", "1-4", 256), ("rare", "1", 64), ("rare", "1", 256)),
    "not raised": (("discrete", "1-4", 64), ("rare", "1-4", 64)),
    "sensitivity": (("discrete", "1-4", 64), ("rare", "1-4", 64)),
    "discrimination": (("discrete low", "1-4", 64), ("discrete high", "1-4", 64), ("discrete low", "1-4", 256)),
}
"""By gate, the rows in which some of the answers are missing: kind, images per patient, patients.

Where the tail is judged too, its true share is within its cap: rare jumps strike 6 % of the patients as long as each
has one image."""


def plan(replicates: int | None = None) -> dict[Setting, int]:
    """Return the settings and the replicates of each; all get `replicates` when that is given."""
    found: dict[Setting, int] = {}
    for setting, wanted in _planned():
        found[setting] = max(found.get(setting, 0), wanted if replicates is None else replicates)
    return found


def _planned() -> Iterator[tuple[Setting, int]]:
    for gate, (quoted, others) in KINDS.items():
        few = FEWEST.get(gate, 24)
        for kind in quoted:
            for layout, patients in product(("1", "1-4"), (few, 64)):
                closely = gate not in SAME_CORE or (layout, patients) == ("1-4", 64)
                yield Setting(gate, kind, layout, patients), HEADLINE if closely else OTHERS
            for layout, patients in (("1-4", 256), ("4", few), ("4", 64)):
                yield Setting(gate, kind, layout, patients), OTHERS
        for kind in others:
            for layout, patients in (("1", 64), ("1-4", few), ("1-4", 64), ("1-4", 256)):
                yield Setting(gate, kind, layout, patients), OTHERS
        for kind, layout, patients in WITH_GAPS.get(gate, ()):
            for missing in GAPS:
                yield Setting(gate, kind, layout, patients, "margin", missing), OTHERS
            yield Setting(gate, kind, layout, patients, "inside", "random"), POWER
        if gate == "equivalence, pooled":
            for patients in (64, 256):
                yield Setting(gate, "rare", "1", patients), OTHERS
        for kind, patients, truth in product((quoted[0], (*quoted, *others)[-1]), (few, 64, 256), AWAY):
            yield Setting(gate, kind, "1-4", patients, truth), POWER


GAPS: tuple[Missing, ...] = ("random", "worst")
AWAY: tuple[Truth, ...] = ("inside", "outside")
