"""What holds for every plan, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditkit.planning.claims import levels, per_cent
from auditkit.planning.least import SHARE, fewest
from auditkit.planning.subject import Subject
from auditkit.protocol.model import Protocol
from auditkit.words import and_listed


def notes(protocol: Protocol, planned: Sequence[tuple[str, Subject]]) -> list[str]:
    """Return the minima and the assumptions that do not depend on where the numbers come from.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    planned : sequence of (str, Subject)
        Families, and what their audits are about.
    """
    alpha = protocol.alpha
    level = levels(protocol, 1, tail=False).passes
    minima = [rule for found in (_still, _no_event, _told_apart) for rule in found(protocol, planned, level)]
    unseen = "Minima, because patients who were not seen may be quite unlike the others: "
    said = [unseen + "; ".join(minima) + "."] if minima else []
    said += [
        "Every modality is decided by itself and all must pass. Claims that must hold together share the probability "
        "of missing one (Bonferroni), which is enough whatever their dependence.",
        "Patients are independent, and every answer is readable: missing scores count against a PASS.",
        "Power is that of Student's interval. The interval that decides joins it with the bootstrap's and is a little "
        "wider: read the numbers as the least that is needed.",
    ]
    if protocol.looks.number > 1:
        said.append(
            f"{protocol.looks.number} looks are planned; the numbers are for the last, at level {level:.4f} instead of "
            f"{alpha:g}, as if nothing could be settled earlier."
        )
    return said


def _still(protocol: Protocol, planned: Sequence[tuple[str, Subject]], level: float) -> list[str]:
    least: dict[float, int | None] = {}
    for family, subject in ((protocol.families[name], subject) for name, subject in planned if subject.in_points):
        limits = [family.ends(together=together) for together in (False, True)]
        # Where no change at all is asked for or not allowed, a score that never moves passes with no number.
        ends = {min(abs(low), high) for low, high in limits if low < 0 < high}
        reach = (-subject.reach, subject.reach)
        least |= {margin: fewest(0.0, (-margin, margin), reach, level) for margin in ends if margin < subject.reach}
    if not least:
        return []
    counts = (f"{n} for ± {margin:g} points" for margin, n in sorted(least.items()))
    return [and_listed(list(counts)) + " when the score never moves"]


def _no_event(protocol: Protocol, planned: Sequence[tuple[str, Subject]], level: float) -> list[str]:
    caps = set()
    for name, subject in planned:
        family = protocol.families[name]
        if family.tail is not None and subject.kind == "mean":
            caps.add(family.tail.share)  # a share of jumps without any jump
        if subject.kind in ("share", "differs"):
            caps |= {end for together in (False, True) if 0 < (end := family.ends(together=together)[1]) < 1}
    return [
        f"{fewest(0.0, (-math.inf, cap), SHARE, level)} for a share below {per_cent(cap)} without any event"
        for cap in sorted(caps)
    ]


def _told_apart(protocol: Protocol, planned: Sequence[tuple[str, Subject]], level: float) -> list[str]:
    areas = (protocol.families[name] for name, subject in planned if subject.kind == "area")
    floors = {floor for family in areas if 0 < (floor := family.ends(together=False)[0]) < 1}
    least = ((floor, fewest(1.0, (floor, math.inf), SHARE, level, 2)) for floor in sorted(floors))
    return [f"{n} for an AUROC above {floor:.2f} when all images are told apart" for floor, n in least]
