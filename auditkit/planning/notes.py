"""What holds for every plan, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditkit.planning.claims import levels, per_cent
from auditkit.planning.subject import Subject
from auditkit.protocol.model import Protocol
from auditkit.stats.planning import clusters_to_settle_sparse
from auditkit.stats.planning_shares import clusters_to_settle_share


def notes(protocol: Protocol, planned: Sequence[tuple[str, Subject]]) -> list[str]:
    """Return the minima and the assumptions that do not depend on where the numbers come from.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    planned : sequence of (str, Subject)
        Families, and what their audits are about.
    """
    settings, alpha = protocol.statistics, protocol.alpha
    level = levels(protocol, 1, tail=False).passes
    said = [
        f"Minima: {settings.min_clusters} patients for a mean, {settings.min_clusters_auroc} for an AUROC"
        + "".join(f"; {text}" for text in [*_sparse(protocol, planned, level), *_no_event(protocol, planned, level)])
        + ".",
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


def _sparse(protocol: Protocol, planned: Sequence[tuple[str, Subject]], level: float) -> list[str]:
    families = [protocol.families[name] for name, subject in planned if subject.in_points]
    ends = {end for family in families for together in (False, True) for end in family.ends(together=together)}
    margins = {abs(end) for end in ends if math.isfinite(end)}
    if not margins:
        return []
    least = {m: clusters_to_settle_sparse(0.0, -m, m, 0.0, level, min_clusters=2) for m in sorted(margins)}
    return [
        " and ".join(f"{n} for ± {m:g} points" for m, n in least.items())
        + " when the score never moves (sparse rule: fewer than "
        f"{protocol.statistics.min_informative} patients with a change)"
    ]


def _no_event(protocol: Protocol, planned: Sequence[tuple[str, Subject]], level: float) -> list[str]:
    caps = set()
    for name, subject in planned:
        family = protocol.families[name]
        if family.tail is not None and subject.kind == "mean":
            caps.add(family.tail.share)
        if subject.kind in ("share", "differs"):
            caps |= {end for together in (False, True) if math.isfinite(end := family.ends(together=together)[1])}
    return [
        f"{clusters_to_settle_share(0.0, cap, level)} for a share below {per_cent(cap)} without any event"
        for cap in sorted(caps)
    ]
