"""Planning from a pilot: how many patients if its estimates are the truth."""

from __future__ import annotations

import math

from scipy import special, stats

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Cell, Evidence, Outcomes
from auditkit.measure.columns import ALL
from auditkit.planning.claims import (
    POINTS,
    STEPS,
    Claim,
    Levels,
    area_claim,
    check_power,
    difference_claim,
    levels,
    margins_of,
    mean_claim,
    per_cent,
    rate_words,
    share_claim,
    tail_claim,
)
from auditkit.planning.notes import notes
from auditkit.planning.result import SampleSize, hardest, need_of
from auditkit.protocol.model import (
    AgreementFamily,
    DiscriminationFamily,
    EquivalenceFamily,
    Family,
    Protocol,
    RateDifferenceFamily,
    RateFamily,
    SensitivityFamily,
)
from auditkit.protocol.recorded import own_protocol


def plan_from_pilot(evidence: Evidence, protocol: Protocol | None = None, *, power: float = 0.9) -> SampleSize:
    """Return the patients that would settle every audit of a run if its estimates were the truth.

    Parameters
    ----------
    evidence : Evidence
        The record of the pilot.
    protocol : Protocol, optional
        Criteria to plan for; the pilot's own by default.
    power : float
        Probability that an audit (or the whole gate) is settled.

    Raises
    ------
    AuditkitError
        A power that is none, a record without the spread between patients, or a protocol that does not fit it.
    """
    check_power(power)
    chosen = protocol or own_protocol(evidence)
    in_family: dict[str, int] = {}
    for audit in evidence.audits:
        in_family[audit.family] = in_family.get(audit.family, 0) + len(_required(audit))
    judged: list[tuple[Audit, list[tuple[Cell, list[Claim]]]]] = []
    for audit in evidence.audits:
        family = _family(audit, chosen)
        level = levels(chosen, family, in_family[audit.family])
        judged.append((audit, _decisive([(c, _claims(c, family, level, chosen)) for c in _required(audit)], power)))
    sizes = {audit.id: sum(len(claims) for _, claims in cells) for audit, cells in judged}
    in_gate = sum(sizes.values())
    if not in_gate:
        raise AuditkitError("the pilot has no audit that was judged, so there is nothing to plan from.")
    needs = []
    for audit, cells in judged:
        for cell, claims in cells:
            place = audit.family, audit.id, cell.modality
            needs.append(hardest(need_of(claim, place, power, (sizes[audit.id], in_gate)) for claim in claims))
    modalities = {cell.modality for audit in evidence.audits for cell in _required(audit)} - {ALL}
    return SampleSize(
        protocol=chosen,
        power=power,
        modalities=dict.fromkeys(sorted(modalities), 1),
        audits=len(judged),
        claims=in_gate,
        needs=tuple(needs),
        notes=(*_said(evidence), *notes(chosen)),
    )


def _family(audit: Audit, protocol: Protocol) -> Family:
    family = protocol.families.get(audit.family)
    if family is None or family.gate != audit.gate:
        raise AuditkitError(
            f"the pilot's audit {audit.id} has the gate {audit.gate!r}, which the protocol does not declare for the "
            f"family {audit.family!r}; declared: "
            f"{', '.join(f'{name} ({family.gate})' for name, family in protocol.families.items())}."
        )
    return family


def _required(audit: Audit) -> list[Cell]:
    return [cell for cell in audit.by_modality if cell.required]


def _decisive(cells: list[tuple[Cell, list[Claim]]], power: float) -> list[tuple[Cell, list[Claim]]]:
    """A PASS takes every claim of every cell; one that leads to a FAIL is enough for it, the easiest to show."""
    failing = [(cell, claim) for cell, claims in cells for claim in claims if claim.settles == "FAIL"]
    if not failing:
        return cells
    cell, claim = min(failing, key=lambda pair: pair[1].patients(power) or math.inf)
    return [(cell, [claim])]


def _claims(cell: Cell, family: Family, level: Levels, protocol: Protocol) -> list[Claim]:
    value, settings = cell.estimate.value, protocol.statistics
    if value is None:
        return [Claim("not measured in the pilot", "nothing", "PASS", lambda power: None)]
    if isinstance(family, DiscriminationFamily):
        return [area_claim(_area(cell, value), family.floor, level, settings.min_clusters_auroc)]
    if isinstance(family, RateDifferenceFamily):
        up, down = _discordant(value, _lost(cell.outcomes), _lost(cell.control_outcomes))
        return [difference_claim(up, down, family.margin, level)]
    if isinstance(family, RateFamily | AgreementFamily):
        return [share_claim(value, family.cap, level, rate_words(family))]
    if cell.sd is None:
        if cell.n_clusters < 2:
            return [Claim("one patient shows no spread", "nothing", "PASS", lambda power: None)]
        raise AuditkitError(
            "the record does not say how far the patients spread: an earlier auditkit wrote it.",
            "Run the audits again with the same store; nothing is asked anew.",
        )
    sparse = cell.rule.startswith("sparse") or cell.sd == 0
    margins = margins_of(family, together=cell.modality == ALL)
    unit = STEPS if isinstance(family, SensitivityFamily) else POINTS
    claims = [mean_claim((value, cell.sd), margins, level, settings, unit, sparse=sparse)]
    if isinstance(family, EquivalenceFamily) and cell.tail is not None and cell.tail.value is not None:
        claims.append(tail_claim(cell.tail.value, family, level))
    return claims


def _area(cell: Cell, area: float) -> tuple[float, float, int]:
    """The AUROC, its standard error, and the patients behind it.

    The interval is symmetric on the logit scale except where the patients not seen make it wider: the shorter arm is
    Student's.
    """
    n, low, high, level = cell.n_clusters, cell.estimate.low, cell.estimate.high, cell.estimate.level
    if area in (0.0, 1.0):
        return area, 0.0, n
    if n < 2 or low is None or high is None or level is None:
        return area, math.nan, n
    arm = min(special.logit(area) - special.logit(low), special.logit(high) - special.logit(area))
    se = float(arm / stats.t.ppf((1 + level) / 2, n - 1) * area * (1 - area))
    return area, se if math.isfinite(se) else math.nan, n


def _discordant(difference: float, treated: float, control: float) -> tuple[float, float]:
    """The largest shares that lost an answer under one condition only, given the two shares and their difference.

    The record does not say which images lost it under both; none is the case that takes most patients.
    """
    both = max(0.0, treated + control - 1)
    down = control - both
    return min(max(down + difference, 0.0), 1 - down), down


def _lost(outcomes: Outcomes) -> float:
    answered = outcomes.total - outcomes.error
    return (answered - outcomes.scored) / answered if answered else 0.0


def _said(evidence: Evidence) -> list[str]:
    data = evidence.data
    said = [
        f"The estimates of the pilot ({data.n_clusters} patients, {data.n_images} images) are taken for the truth: "
        "means, spreads, and shares, also a share of 0. They are estimates, and the plan is no better than they are.",
        "A sum over modalities counts every modality with the most that any of its claims takes; further patients have "
        "as many images as those of the pilot. For shares a patient counts as one image.",
        "A FAIL is planned at Holm's first step within its family as far as the pilot ran it.",
    ]
    if data.synthetic_share:
        said.append(f"{per_cent(data.synthetic_share)} of the pilot's images are synthetic; patients may spread more.")
    if evidence.not_run:
        said.append(f"The pilot did not run {len(evidence.not_run)} declared audits; they are not planned for.")
    return said
