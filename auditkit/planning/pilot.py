"""Planning from a pilot: how many patients if its estimates are the truth."""

from __future__ import annotations

import math
from collections.abc import Iterator

from scipy import special, stats

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Cell, Estimate, Evidence, Outcomes
from auditkit.measure.columns import ALL
from auditkit.planning.claims import (
    Claim,
    Levels,
    area_claim,
    check_power,
    difference_claims,
    levels,
    mean_claim,
    per_cent,
    share_claim,
    tail_claim,
)
from auditkit.planning.notes import notes
from auditkit.planning.result import SampleSize, Where, hardest, need_of
from auditkit.planning.subject import Subject, can_be_planned, own_audits, recorded_effect, subject_of
from auditkit.protocol.model import Family, Protocol
from auditkit.protocol.recorded import own_protocol
from auditkit.stats.planning_excess import spread_of_excess
from auditkit.words import and_listed, column_name, whole


def plan_from_pilot(evidence: Evidence, protocol: Protocol | None = None, *, power: float = 0.9) -> SampleSize:
    """Return the patients that would settle every audit of a run if its estimates were the truth.

    Parameters
    ----------
    evidence : Evidence
        The record of the pilot.
    protocol : Protocol, optional
        Criteria to plan for; the pilot's own by default.
    power : float
        Probability that an audit (or all of them) is settled.

    Raises
    ------
    AuditkitError
        An impossible power, a record without the spread between patients, or a protocol that does not fit it.
    """
    check_power(power)
    chosen = protocol or own_protocol(evidence)
    held = [audit for audit in own_audits(evidence) if not _family(audit, chosen).shown]
    effects = {audit.id: recorded_effect(audit) for audit in held}
    # How far a mean over classes spreads depends on how many patients each class has, which is not planned.
    by_class = [audit for audit in held if any(part.balanced for part in effects[audit.id].parts)]
    others = [audit for audit in held if audit not in by_class and not can_be_planned(effects[audit.id], chosen)]
    planned = [audit for audit in held if audit not in by_class and audit not in others]
    in_family: dict[str, int] = {}
    for audit in planned:
        in_family[audit.family] = in_family.get(audit.family, 0) + len(_required(audit))
    subjects = {audit.id: subject_of(effects[audit.id], chosen) for audit in planned}
    provided = [audit for audit in planned if any(part.provided for part in effects[audit.id].parts)]
    judged: list[tuple[Audit, list[tuple[Cell, list[Claim]]]]] = []
    for audit in planned:
        tail = _family(audit, chosen).tail is not None and subjects[audit.id].kind == "mean"
        level = levels(chosen, in_family[audit.family], tail=tail)
        cells = [(cell, _claims(cell, audit, subjects[audit.id], level, chosen)) for cell in _required(audit)]
        judged.append((audit, _decisive(cells, power)))
    sizes = {audit.id: sum(len(claims) for _, claims in cells) for audit, cells in judged}
    in_all = sum(sizes.values())
    if not in_all:
        raise AuditkitError("the pilot has no audit that was judged, so there is nothing to plan from.")
    needs = []
    for audit, cells in judged:
        for cell, claims in cells:
            place = audit.family, audit.id, _where(cell)
            needs.append(hardest(need_of(claim, place, power, (sizes[audit.id], in_all)) for claim in claims))
    strata = {_where(cell) for audit in planned for cell in _required(audit) if cell.stratum.level != ALL}
    return SampleSize(
        protocol=chosen,
        power=power,
        strata=dict.fromkeys(sorted(strata, key=lambda where: (where.column, where.level)), 1),
        audits=len(judged),
        claims=in_all,
        needs=tuple(needs),
        notes=(
            *_said(evidence),
            *notes(chosen, [(audit.family, subjects[audit.id]) for audit in planned]),
            *_of_classes(by_class, provided, others),
            *_of_gaps(evidence, chosen),
        ),
    )


def _family(audit: Audit, protocol: Protocol) -> Family:
    family = protocol.families.get(audit.family)
    if family is None or (family.verb != (audit.verb or None) and not family.shown):
        declared = (f"{name} ({family.verb or 'shown'})" for name, family in protocol.families.items())
        raise AuditkitError(
            f"the pilot's audit {audit.id} is held to {audit.verb or 'nothing'}, which the protocol does not declare "
            f"for the family {audit.family!r}; declared: {', '.join(declared)}.",
            "Plan with a protocol that asks what the pilot was asked.",
        )
    return family


def _where(cell: Cell) -> Where:
    return Where(cell.stratum.level, cell.stratum.column)


def _required(audit: Audit) -> list[Cell]:
    return [cell for cell in audit.parts if cell.required]


def _decisive(cells: list[tuple[Cell, list[Claim]]], power: float) -> list[tuple[Cell, list[Claim]]]:
    """A PASS takes every claim of every cell; one that leads to a FAIL is enough for it, the easiest to show."""
    failing = [(cell, claim) for cell, claims in cells for claim in claims if claim.settles == "FAIL"]
    if not failing:
        return cells
    cell, claim = min(failing, key=lambda pair: pair[1].patients(power) or math.inf)
    return [(cell, [claim])]


def _claims(cell: Cell, audit: Audit, subject: Subject, level: Levels, protocol: Protocol) -> list[Claim]:
    value, settings, family = cell.estimate.value, protocol.statistics, protocol.families[audit.family]
    limits = family.ends(together=cell.stratum.level == ALL)
    if value is None:
        return [Claim("not measured in the pilot", "nothing", "PASS", _never)]
    if subject.kind == "area":
        return [area_claim(_area(cell, value), limits[0], level)]
    if subject.kind == "share difference":
        shares = _discordant(cell, value, audit.quantity)
        return difference_claims(shares, limits, level, settings, audit.quantity)
    if subject.kind in ("share", "differs"):
        what = "changed" if subject.kind == "differs" else audit.quantity
        return [share_claim(value, limits, level, f"{what} answers")]
    if cell.sd is None:
        if cell.n_clusters < 2:
            return [Claim("one patient shows no spread", "nothing", "PASS", _never)]
        raise AuditkitError(
            f"the record does not say how far the patients of {audit.id} spread.",
            "Run the audits again with the same store; what it holds is not asked again.",
        )
    # Levels of few patients lie apart by chance: their own estimates would ask for too many in some, too few in others.
    likely = value if cell.shrunken is None else cell.shrunken
    claims = [mean_claim((likely, cell.sd), limits, level, settings, subject)]
    if family.tail is not None and cell.tail is not None and cell.tail.value is not None:
        claims.append(
            tail_claim((cell.tail.value, _spread(cell.tail, cell.n_clusters)), family.tail, subject.unit, level)
        )
    return claims


def _spread(tail: Estimate, n: int) -> float:
    """The standard deviation between patients that the upper end goes with; it has room for missing scores too."""
    if tail.value is None or tail.high is None or tail.level is None or n < 2:
        return math.inf
    return spread_of_excess(tail.value, tail.high, n, (1 - tail.level) / 2)


def _never(power: float) -> int | None:
    return None


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


def _discordant(cell: Cell, difference: float, quantity: str) -> tuple[float, float]:
    """The largest shares that had the event under one condition only.

    The record says how many had it under each, not which images had it under both; none is the case that takes most
    patients. Of values that are no outcome it does not say how many, but how far the patients spread: the mean square
    of values that are 1, 0 and -1 is the share of those that are not 0.
    """
    treated, control = _share(cell.outcomes, quantity), _share(cell.control_outcomes, quantity)
    if treated is None or control is None:
        n = cell.n_clusters
        changed = 1.0 if cell.sd is None or n < 2 else cell.sd**2 * (n - 1) / n + difference**2
        changed = min(max(changed, abs(difference)), 1.0)
        return (changed + difference) / 2, (changed - difference) / 2
    both = max(0.0, treated + control - 1)
    down = control - both
    return min(max(down + difference, 0.0), 1 - down), down


def _share(outcomes: Outcomes, quantity: str) -> float | None:
    """The share of the answers that a value counts; None where that is not an outcome."""
    answered = outcomes.total - outcomes.error
    lost = answered - outcomes.scored
    counted = {"lost": lost, "refused": outcomes.refused, "unusable": lost - outcomes.refused}.get(quantity)
    return None if counted is None else counted / answered if answered else 0.0


def _of_classes(by_class: list[Audit], provided: list[Audit], others: list[Audit]) -> list[str]:
    """Say what of the audits of right answers is not planned for."""
    said = []
    if by_class:
        names = and_listed(list(dict.fromkeys(audit.family for audit in by_class)))
        said.append(
            "Not planned for, because every kind of right answer counts alike, and what that takes depends on how many "
            f"patients each has: {names}."
        )
    if others:
        names = and_listed(list(dict.fromkeys(audit.family for audit in others)))
        said.append(
            f"Not planned for, because it is no mean or share of the answers of one patient after the other: {names}."
        )
    if provided:
        names = and_listed(list(dict.fromkeys(audit.family for audit in provided)))
        said.append(
            f"A PASS of {names} also takes that the model is shown to be better than guessing: not counted, because "
            "it depends on how many patients each right answer has."
        )
    return said


def _of_gaps(evidence: Evidence, protocol: Protocol) -> Iterator[str]:
    """Say what every gap between groups would take, as its own record tells under the criteria that it was held to."""
    for audit in evidence.deciding:
        family = protocol.families.get(audit.family)
        if not audit.between or family is None or family.shown:
            continue
        for cell in (cell for cell in audit.parts if cell.required and cell.verdict == "INCONCLUSIVE"):
            name = f"{audit.id} between levels of {column_name(audit.between)}"
            if cell.more_clusters is None:
                yield f"{name}: no number of patients can be promised from this pilot."
            else:
                total = whole(cell.n_clusters + cell.more_clusters)
                yield f"{name}: about {total} patients in all, each level as often among them as in the pilot."


def _said(evidence: Evidence) -> list[str]:
    data = evidence.data
    said = [
        f"The estimates of the pilot ({data.n_clusters} patients, {data.n_images} images) are taken for the truth: "
        "means, spreads, and shares, also a share of 0. They are estimates, and the plan is no better than they are. "
        "Means of three modalities or more are drawn together as far as their differences are chance.",
        "A sum over modalities counts every modality with the most that any of its claims takes; further patients have "
        "as many images as those of the pilot. For shares a patient counts as one image.",
        "A FAIL is planned at Holm's first step within its family as far as the pilot ran it.",
    ]
    if data.synthetic_share:
        said.append(f"{per_cent(data.synthetic_share)} of the pilot's images are synthetic; patients may spread more.")
    if evidence.not_run:
        said.append(f"The pilot did not run {len(evidence.not_run)} declared audits; they are not planned for.")
    return said
