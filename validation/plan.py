"""Which situations the gates are measured in, and how closely."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from validation.setting import Missing, Setting, Truth

HEADLINE, OTHERS, POWER = 500, 200, 80
"""Replicates of the rows that are quoted, of the others, and of powers."""
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "equivalence": (("discrete", "noisy", "rare"), ("fine", "sticky", "sparse", "drops")),
    "equivalence, pooled": (("discrete",), ("sticky",)),
    "equivalence, opposite": (("discrete",), ("sticky",)),
    "tail": (("vs neutral sd 8.5",), ("vs neutral sd 0", "pair sd 12", "vs no sentence sd 8.5", "vs neutral sd 12")),
    "templates": (("discrete",), ("noisy",)),
    "not raised": (("discrete",), ("noisy", "drops", "rare")),
    "monotone": (("discrete",), ()),
    "sensitivity": (("discrete",), ("noisy", "drops", "rare")),
    "discrimination": (("discrete low", "discrete high"), ("fine low", "sticky low", "sticky high")),
    "rate": (("5 independent", "10 correlated"), ("5 correlated", "10 independent")),
    "rate difference": (("10 one way", "10 both ways"), ("5 one way", "5 both ways")),
    "agreement": (("10 correlated",), ("10 independent",)),
    "worse, within": (("sd 8.5",), ("discrete", "sd 8.5 from 8", "jump 75", "jump 100 alone")),
    "worse, at most": (("sd 8.5",), ("sd 8.5 from 8", "jump 75")),
    "worse, at least": (("sd 8.5",), ("inverted",)),
    "worse, share": (("5 correlated",), ("5 independent",)),
    "worse, share difference": (("5 independent",), ()),
    "worse, differs": (("5 correlated",), ()),
    "worse, area": (("fall by 0.05",), ("swap by 0.05", "swap by 0.10", "swap alone by 0.05")),
}
"""By gate, the kinds of noise or events that are quoted, and those that are looked at with fewer replicates."""
FEWEST = {"tail": 64, "discrimination": 32, "rate": 32, "rate difference": 32, "agreement": 32}
"""Patients of the smallest rows: with fewer these gates pass nothing. 24 elsewhere."""
SAME_CORE = ("equivalence, pooled", "equivalence, opposite", "templates", "not raised", "monotone", "sensitivity")
"""Decided by the same interval as "equivalence", which is measured more closely."""
WITH_GAPS: dict[str, tuple[tuple[str, str, int], ...]] = {
    "equivalence": (("discrete", "1-4", 64), ("discrete", "1-4", 256), ("rare", "1", 256), ("sd 8.5", "1", 200)),
    "not raised": (("discrete", "1-4", 64), ("rare", "1-4", 64)),
    "sensitivity": (("discrete", "1-4", 64), ("rare", "1-4", 64), ("sd 8.5", "1", 200)),
    "discrimination": (("discrete low", "1-4", 64), ("discrete high", "1-4", 64), ("discrete low", "1-4", 256)),
    "tail": (("vs neutral sd 8.5", "1", 200),),
    "worse, within": (("discrete", "1", 200),),
    "worse, at least": (("sd 8.5", "1", 200),),
    "worse, area": (("fall by 0.05", "1", 96), ("fall by 0.05", "1", 200)),
}
"""By gate, the rows in which some of the answers are missing: kind, images per patient, patients."""
SCATTERED = ("equivalence", "equivalence, pooled", "equivalence, opposite", "templates", "not raised", "sensitivity")
"""Gates that are measured with answers of sd 8.5 and 12 too."""
UNEQUAL: dict[str, tuple[str, ...]] = {
    "equivalence": ("sd 8.5", "sd 8.5 by size"),
    "tail": ("vs neutral sd 8.5",),
    "not raised": ("discrete",),
    "discrimination": ("discrete low",),
    "rate": ("10 correlated", "10 correlated by size"),
    "rate difference": ("10 one way", "10 one way by size"),
    "agreement": ("10 correlated", "10 correlated by size"),
    "worse, within": ("sd 8.5",),
    "worse, share": ("5 correlated",),
    "worse, differs": ("5 correlated",),
    "worse, area": ("fall by 0.05",),
}
"""By gate, the kinds that are measured where one patient in eight has twelve images."""
RARE: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "equivalence": (("jump 100", "jump 75", "jump 50", "against the rest"), (24, 32, 48, 64, 96, 200)),
    "not raised": (("jump 75", "against the rest"), (32, 64, 96)),
    "sensitivity": (("inverted",), (24, 32, 48, 96, 200)),
}
"""By gate, the kinds in which a few patients are unlike the others beside noise, and the patients."""


def plan(replicates: int | None = None) -> dict[Setting, int]:
    """Return the settings and the replicates of each; all get `replicates` when that is given."""
    found: dict[Setting, int] = {}
    for setting, wanted in _planned():
        found[setting] = max(found.get(setting, 0), wanted if replicates is None else replicates)
    return found


def _planned() -> Iterator[tuple[Setting, int]]:
    for gate, (quoted, others) in KINDS.items():
        yield from _of_versions(gate, quoted, others) if gate.startswith("worse") else _alone(gate, quoted, others)
        yield from _special(gate)


def _alone(gate: str, quoted: tuple[str, ...], others: tuple[str, ...]) -> Iterator[tuple[Setting, int]]:
    few = FEWEST.get(gate, 24)
    for kind in quoted:
        for layout, patients in product(("1", "1-4"), (few, 2 * few if gate == "tail" else 64)):
            closely = gate not in SAME_CORE or (layout, patients) == ("1-4", 64)
            if closely or layout == "1-4":
                yield Setting(gate, kind, layout, patients), HEADLINE if closely else OTHERS
        for layout, patients in (("1-4", 256), ("4", 64)):
            yield Setting(gate, kind, layout, patients), OTHERS
    for kind in others:
        for layout, patients in (("1", 64), ("1-4", 64), ("1-4", 256)):
            yield Setting(gate, kind, layout, patients), OTHERS
    if gate == "equivalence, pooled":
        for patients in (64, 256):
            yield Setting(gate, "rare", "1", patients), OTHERS
    ends = quoted[0], (*quoted, *others)[-1]
    for kind, patients, truth in product(ends, (few, 64, 256), AWAY):
        yield Setting(gate, kind, "1-4", patients, truth), POWER


def _of_versions(gate: str, quoted: tuple[str, ...], others: tuple[str, ...]) -> Iterator[tuple[Setting, int]]:
    for kind, patients in product((*quoted, *others), (32, 64, 200)):
        if patients == 32 and "alone" not in kind:
            continue  # too few for any PASS, but where all answers are the same as before
        yield Setting(gate, kind, "1", patients), OTHERS
    for patients, truth in product((64, 200), AWAY):
        yield Setting(gate, quoted[0], "1", patients, truth), POWER


def _special(gate: str) -> Iterator[tuple[Setting, int]]:
    """What the gates were found wanting in: scatter, patients with many images, a few hit hard, gaps for a reason."""
    if gate in SCATTERED:
        for kind, (layout, patients) in product(("sd 8.5", "sd 12"), (("1", 32), ("1", 96), ("1-4", 200))):
            yield Setting(gate, kind, layout, patients), OTHERS
    for kind, patients in product(UNEQUAL.get(gate, ()), (64, 96, 200)):
        yield Setting(gate, kind, "1 or 12", patients), OTHERS
    kinds, sizes = RARE.get(gate, ((), ()))
    for kind, patients in product(kinds, sizes):
        yield Setting(gate, kind, "1", patients), OTHERS
    for kind, layout, patients in WITH_GAPS.get(gate, ()):
        for missing in GAPS:
            yield Setting(gate, kind, layout, patients, "margin", missing), OTHERS
        yield Setting(gate, kind, layout, patients, "inside", "random"), POWER
    if gate == "tail":  # fair models, whatever their noise
        for kind, patients in product(("vs neutral sd 8.5", "vs neutral sd 12", "pair sd 12"), (100, 200, 400)):
            yield Setting(gate, kind, "1", patients, "inside"), POWER
            yield Setting(gate, kind, "1", patients), OTHERS


GAPS: tuple[Missing, ...] = ("random", "worst", "best")
AWAY: tuple[Truth, ...] = ("inside", "outside")
