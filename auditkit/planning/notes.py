"""What holds for every plan, in words."""

from __future__ import annotations

from auditkit.planning.claims import MeanFamily, levels, margins_of, per_cent
from auditkit.protocol.model import AgreementFamily, EquivalenceFamily, Protocol, RateFamily, SensitivityFamily
from auditkit.stats.planning import clusters_to_settle_sparse
from auditkit.stats.planning_shares import clusters_to_settle_share


def notes(protocol: Protocol) -> list[str]:
    """Return the gate's minima and the assumptions that do not depend on where the numbers come from."""
    settings, alpha = protocol.statistics, protocol.alpha
    level = levels(protocol, next(iter(protocol.families.values())), 1).passes
    said = [
        f"Minima of the gate: {settings.min_clusters} patients for a mean, {settings.min_clusters_auroc} for an AUROC"
        + "".join(f"; {text}" for text in [*_sparse(protocol, level), *_no_event(protocol, level)])
        + ".",
        "Every modality is decided by itself and all must pass. Claims that must hold together share the probability "
        "of missing one (Bonferroni), which is enough whatever their dependence.",
        "Patients are independent, and every answer is readable: missing scores count against a PASS.",
        "Power is that of Student's interval. The gate's interval joins it with the bootstrap's and is a little wider: "
        "read the numbers as the least that is needed.",
    ]
    if protocol.looks.number > 1:
        said.append(
            f"{protocol.looks.number} looks are planned; the numbers are for the last, at level {level:.4f} instead of "
            f"{alpha:g}, as if nothing could be settled earlier."
        )
    return said


def _sparse(protocol: Protocol, level: float) -> list[str]:
    families = [
        f for f in protocol.families.values() if isinstance(f, MeanFamily) and not isinstance(f, SensitivityFamily)
    ]
    margins = {margins_of(family, together=together)[1] for family in families for together in (False, True)}
    if not margins:
        return []
    least = {m: clusters_to_settle_sparse(0.0, -m, m, 0.0, level, min_clusters=2) for m in sorted(margins)}
    return [
        " and ".join(f"{n} for ± {m:g} points" for m, n in least.items())
        + " when the score never moves (sparse rule: fewer than "
        f"{protocol.statistics.min_informative} patients with a change)"
    ]


def _no_event(protocol: Protocol, level: float) -> list[str]:
    caps = set()
    for family in protocol.families.values():
        if isinstance(family, EquivalenceFamily):
            caps.add(family.tail_share)
        elif isinstance(family, RateFamily | AgreementFamily):
            caps.add(family.cap)
    return [
        f"{clusters_to_settle_share(0.0, cap, level)} for a share below {per_cent(cap)} without any event"
        for cap in sorted(caps)
    ]
