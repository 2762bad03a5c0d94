"""How many patients audits of right answers take, and how many of them must have the disease."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from auditkit.errors import AuditkitError
from auditkit.planning.claims import (
    Claim,
    Limits,
    check_power,
    difference_claims,
    levels,
    mean_claim,
    per_cent,
    share_claim,
)
from auditkit.planning.subject import Subject, subject_of
from auditkit.planning.text import bullets, table
from auditkit.protocol.diagnosis import OF_ANSWERS
from auditkit.protocol.model import Family, Protocol
from auditkit.tasks import ABOVE_CHANCE, CORRECT, Task
from auditkit.tasks.truth import COLUMN_OF
from auditkit.vocabulary import Effect, Part


@dataclass(frozen=True, slots=True)
class AssumedRight:
    """What is taken for the truth.

    Attributes
    ----------
    accuracy : float
        Share of right answers, in every class, 0-1.
    prevalence : float
        Share of the patients who have the disease, where there are two answers; several kinds are taken for equally
        frequent.
    changed : float
        Share of the patients whose answer turns from right to wrong or back, half of them each way: by a corruption,
        another wording or another order.
    lost : float
        Share of the patients with a refused or unusable answer.
    """

    accuracy: float
    prevalence: float = 0.5
    changed: float = 0.05
    lost: float = 0.01


@dataclass(frozen=True, slots=True)
class RightNeed:
    """What the audits of a family take that claim the same of the same patients; of several the hardest.

    Attributes
    ----------
    family : str
        Of the protocol.
    audits : int
        How many claim this.
    about : str
        The patients who count.
    claim : str
        What must be shown.
    counting, in_all : int or None
        Patients who count, and those it takes to have so many of them; None where no number is enough.
    """

    family: str
    audits: int
    about: str
    claim: str
    counting: int | None
    in_all: int | None


def plan_right(
    protocol: Protocol, assumed: AssumedRight, effects: Sequence[Effect] | None = None, power: float = 0.9
) -> list[RightNeed]:
    """Return the patients with which each audit of right answers passes with a probability, if the model is as assumed.

    Parameters
    ----------
    protocol : Protocol
        The criteria.
    assumed : AssumedRight
        What is taken for the truth.
    effects : sequence of Effect, optional
        By default those of the diagnosis pack's families that the protocol declares.
    power : float
        For one audit by itself.

    Raises
    ------
    AuditkitError
        Shares that are none, or no family of right answers.
    """
    check_power(power)
    for field in fields(assumed):
        value = getattr(assumed, field.name)
        if not 0 <= value <= 1 or (field.name == "prevalence" and value in (0, 1)):
            raise AuditkitError(f"--{field.name} is a share, 0 to 1, got {value:g}.", "Write 10 % as 0.1.")
    if effects is None:
        effects = [e for name, make in OF_ANSWERS.items() if name in protocol.families for e in make()]
    found: dict[tuple[str, str, str], RightNeed] = {}
    for effect in effects:
        family = protocol.family_of(effect)
        if family is None or family.shown:
            continue
        need = _need(effect, family, assumed, protocol, power)
        key = need.family, need.about, need.claim
        found[key] = _harder(found[key], need) if key in found else need
    if not found:
        raise AuditkitError(
            f"the protocol {protocol.name!r} declares no family of right answers: {', '.join(protocol.families)}.",
            "Give one that does, as --protocol=packs/diagnosis/protocol.toml, or plan from --model-sd or --pilot.",
        )
    return list(found.values())


def _harder(one: RightNeed, other: RightNeed) -> RightNeed:
    """The one that takes more patients, standing for the audits of both."""
    chosen = max(one, other, key=lambda need: math.inf if need.in_all is None else need.in_all)
    return replace(chosen, audits=one.audits + other.audits)


def right_text(needs: Sequence[RightNeed], assumed: AssumedRight, protocol: Protocol, power: float) -> str:
    """Return the plan as lines of text."""
    rows: list[tuple[str, ...]] = [("family", "audits", "who counts", "to be shown", "count", "in all")]
    for need in needs:
        numbers = ("none is enough" if n is None else f"{n:,}" for n in (need.counting, need.in_all))
        rows.append((need.family, str(need.audits), need.about, need.claim, *numbers))
    known = [need.in_all for need in needs]
    every = "no number" if None in known else f"{max(n for n in known if n is not None):,}"
    return "\n".join([
        f"Patients needed under the protocol “{protocol.name}”, profile {protocol.profile} "
        f"(alpha {protocol.alpha:g} per side),",
        f"with probability {power:g} for each audit:",
        "",
        *table(rows, right=2),
        "",
        "count: patients who count for the audit; in all: patients of whom so many have, or have not, the disease.",
        f"The audit that takes most passes with {every} patients in all, of one image each.",
        "",
        "What this assumes",
        *bullets(
            f"{per_cent(assumed.accuracy)} of the answers are right in every class, and {per_cent(assumed.prevalence)} "
            "of the patients have the disease; several kinds are equally frequent.",
            f"{per_cent(assumed.changed)} of the answers turn from right to wrong or back under a corruption, another "
            f"wording or another order, half of them each way; {per_cent(assumed.lost)} are refused or unusable.",
            *_left_out(needs, protocol),
            "Patients are independent. Power is that of Student's interval: read the numbers as the least that is "
            "needed.",
        ),
    ])  # fmt: skip


def _left_out(needs: Sequence[RightNeed], protocol: Protocol) -> list[str]:
    """Say which families decide and have no number here."""
    planned = {need.family for need in needs}
    left = [name for name, family in protocol.families.items() if not family.shown and name not in planned]
    return [f"Not planned, because nothing is assumed of it: {', '.join(left)}."] if left else []


def _need(effect: Effect, family: Family, assumed: AssumedRight, protocol: Protocol, power: float) -> RightNeed:
    """The hardest claim of an effect, in each modality."""
    part = protocol.resolved(effect).parts[0]
    task = protocol.catalogue.task(part.terms[0][1].question.task)
    subject, limits = subject_of(effect, protocol), family.ends(together=False)
    claims = _claims(effect, part, task, subject, limits, assumed, protocol)
    # All decisions of an audit must pass together.
    each = 1 - (1 - power) / (len(effect.parts) * len(claims))
    numbers = [claim.patients(each) if claim.settles == "PASS" else None for claim in claims]
    counting = max(numbers, key=lambda n: math.inf if n is None else n)
    about, share = _who(part, task, assumed)
    in_all = None if counting is None else math.ceil(counting / share - 1e-9)
    return RightNeed(effect.family, 1, about, _words(effect, part, limits), counting, in_all)


def _words(effect: Effect, part: Part, limits: Limits) -> str:
    """Say what must be shown, in a few words."""
    low, high = limits
    counted = {CORRECT.name: "right", ABOVE_CHANCE.name: "skill", "": "changed"}
    name = counted.get(part.terms[0][1].name, part.terms[0][1].name)
    what = name if name == "skill" else f"{name} answers"
    if math.isinf(high):
        return f"{what} above {per_cent(low)}"
    if effect.statistic == "differs":
        return f"{what}, less noise, below {per_cent(high)}"
    if len(part.terms) == 1:
        return f"{what} below {per_cent(high)}"
    return f"{what} {'fall' if math.isinf(low) else 'change'} by < {100 * high:g} points"


def _claims(
    effect: Effect,
    part: Part,
    task: Task,
    subject: Subject,
    limits: Limits,
    assumed: AssumedRight,
    protocol: Protocol,
) -> list[Claim]:
    level, name = levels(protocol, 1, tail=False), part.terms[0][1].name
    if name == ABOVE_CHANCE.name and part.balanced:
        return [mean_claim(*_balanced(task, limits, assumed), level, protocol.statistics, _scaled(task, assumed))]
    if subject.kind == "share":
        share = assumed.accuracy if name == CORRECT.name else assumed.lost
        return [share_claim(share, limits, level, f"{'right' if name == CORRECT.name else name} answers")]
    changed = (assumed.changed if name == CORRECT.name or effect.statistic == "differs" else 2 * assumed.lost) / 2
    counted = {CORRECT.name: "right", "": "changed"}.get(name, name)
    return difference_claims((changed, changed), limits, level, protocol.statistics, counted)


def _classes(task: Task, assumed: AssumedRight) -> list[float]:
    """Share of the patients by right answer."""
    if task.positive:
        return [assumed.prevalence, 1 - assumed.prevalence]
    return [1 / len(task.answers)] * len(task.answers)


def _balanced(task: Task, limits: Limits, assumed: AssumedRight) -> tuple[tuple[float, float], Limits]:
    """Mean and spread between patients of a skill: classes that are rare weigh more, and scatter more."""
    classes, number = _classes(task, assumed), len(task.answers)
    chance = 1 / number
    mean = (assumed.accuracy - chance) / (1 - chance)
    within = assumed.accuracy * (1 - assumed.accuracy) / (1 - chance) ** 2
    # An answer of a class weighs 1/(number x share): its square times the share, over all classes.
    weight = sum(1 / share for share in classes) / number**2
    between = sum((mean / (number * share)) ** 2 * share for share in classes) - mean**2
    return (mean, math.sqrt(within * weight + max(between, 0.0))), limits


def _scaled(task: Task, assumed: AssumedRight) -> Subject:
    """The range of an answer's weighted skill, which is wider where a class is rare."""
    largest = max(1 / (len(task.answers) * share) for share in _classes(task, assumed))
    return Subject("mean", "share", reach=max(largest, 1.0))


def _who(part: Part, task: Task, assumed: AssumedRight) -> tuple[str, float]:
    """The patients who count, and their share of all."""
    if part.where is None or part.where[0] != COLUMN_OF + task.id:
        return "all", 1.0
    answer = part.where[1]
    if not task.positive:
        return "one kind of several", 1 / len(task.answers)
    return ("with the disease", assumed.prevalence) if answer == task.positive else (
        "without the disease", 1 - assumed.prevalence,
    )  # fmt: skip
