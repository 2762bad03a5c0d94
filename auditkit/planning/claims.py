"""One claim that an audit makes, in words and in patients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from auditkit.errors import AuditkitError
from auditkit.judge.tails import MEAN_PART
from auditkit.planning.subject import Subject
from auditkit.protocol.model import Protocol, Statistics, Tail
from auditkit.stats import planning, planning_areas, planning_excess, planning_shares
from auditkit.stats.sequential import nominal_levels
from auditkit.words import number

Settles = Literal["PASS", "FAIL"]
Limits = tuple[float, float]

# Many cells ask the same: a record of 2,000 has a few hundred different questions.
_means = lru_cache(maxsize=8192)(planning.clusters_to_settle)
_areas = lru_cache(maxsize=8192)(planning_areas.clusters_to_settle_auroc)
_shares = lru_cache(maxsize=8192)(planning_shares.clusters_to_settle_share)


@dataclass(frozen=True, slots=True)
class Claim:
    """What must be shown.

    Attributes
    ----------
    words, assumed : str
        The claim, and what is taken for the truth.
    settles : {"PASS", "FAIL"}
        The verdict that showing it leads to.
    patients : callable
        From the power to the number of patients; None when no number is enough.
    """

    words: str
    assumed: str
    settles: Settles
    patients: Callable[[float], int | None]


@dataclass(frozen=True, slots=True)
class Levels:
    """Error per side at which a PASS and, corrected for its family, a FAIL is claimed.

    Patients who were not seen are left out of either with that of a PASS, where the spread is what decides.
    """

    passes: float
    fails: float

    def of(self, settles: Settles) -> float:
        return self.passes if settles == "PASS" else self.fails


def check_power(power: float) -> None:
    """Raise AuditkitError unless 0 < power < 1."""
    if not 0 < power < 1:
        raise AuditkitError(f"power is a probability between 0 and 1, got {power:g}.", "Give --power=0.9.")


def levels(protocol: Protocol, decisions: int, *, tail: bool) -> Levels:
    """Return the levels for a family of that many decisions.

    With early looks they are those of the last look: patients are planned as if only it could decide. A FAIL is taken
    at Holm's first step, where it is hardest; beside a tail the mean has a part of the error only.
    """
    looks = protocol.looks
    fractions = tuple((look + 1) / looks.number for look in range(looks.number))
    part = MEAN_PART if tail else 1.0
    passes, fails = (
        nominal_levels(fractions, alpha, looks.spending)[-1]
        for alpha in (protocol.alpha, part * protocol.alpha / max(decisions, 1))
    )
    return Levels(passes, fails)


def mean_claim(
    spread: tuple[float, float], limits: Limits, level: Levels, settings: Statistics, subject: Subject
) -> Claim:
    """Claim about a mean: ``spread`` is its true value and the standard deviation between patients."""
    (effect, sd), (low, high) = spread, limits
    settles: Settles = "PASS" if low <= effect <= high else "FAIL"
    ends = subject.middle - subject.reach, subject.middle + subject.reach
    # Without any spread the bounded mean decides, which counts them at the level of the claim itself.
    unseen_alpha = level.passes if sd else level.of(settles)

    def patients(power: float) -> int | None:
        found = _means(sd, low, high, effect, level.of(settles), power, ends=ends, unseen_alpha=unseen_alpha)
        # With fewer patients than must have a change, the sparse rule would decide.
        return None if found is None else max(found, settings.min_informative)

    mean, scatter = number(effect, subject.unit, signed=subject.change), number(sd, subject.unit, signed=False)
    unit = "" if subject.unit == "share" else f" {subject.unit}"
    return Claim(_mean_words(low, high, subject), f"mean {mean}, sd {scatter}{unit}", settles, patients)


def tail_claim(excess: tuple[float, float], tail: Tail, unit: str, level: Levels) -> Claim:
    """Claim that few answers jump beyond noise: ``excess`` is its true mean and its spread between patients."""
    mean, sd = excess
    settles: Settles = "PASS" if mean <= tail.share else "FAIL"
    return Claim(
        f"at most {per_cent(tail.share)} more answers move by > {tail.beyond:g} {unit} than by noise",
        f"{per_cent(mean)} more answers",
        settles,
        lambda power: planning_excess.clusters_to_settle_excess(mean, sd, tail.share, level.of(settles), power),
    )


def share_claim(share: float, limits: Limits, level: Levels, what: str) -> Claim:
    """Claim about a share of the patients, which lies below an upper end or above a lower one."""
    low, high = limits
    settles: Settles = "PASS" if low <= share <= high else "FAIL"
    assumed = f"{per_cent(share)} of patients"
    if math.isfinite(high):
        return _share_claim(share, high, level.of(settles), settles, (f"{what} below {per_cent(high)}", assumed))
    # A share that must be large is one of the others that must be small.
    return _share_claim(1 - share, 1 - low, level.of(settles), settles, (f"{what} above {per_cent(low)}", assumed))


def difference_claims(
    shares: tuple[float, float], limits: Limits, level: Levels, settings: Statistics, what: str
) -> list[Claim]:
    """Claims about the change of a share, one for each end of the limit.

    ``shares`` are those with the event under the treated condition only, and under the control only.
    """
    (up, down), (low, high) = shares, limits
    assumed = f"{per_cent(up)} {what} when treated, {per_cent(down)} in control"
    found = []
    for more, less, cap, verb in ((up, down, high, "rise"), (down, up, -low, "fall")):
        if math.isfinite(cap):
            settles: Settles = "PASS" if more - less <= cap else "FAIL"
            # A fall of at least so much is a rise of less than minus that.
            size = f"by < {100 * cap:g}" if cap > 0 else f"by > {-100 * cap:g}"
            said = f"{what} answers {verb if cap > 0 else 'rise'} {size} percentage points"
            found.append(Claim(said, assumed, settles, _of_difference(more, less, cap, level, settings)))
    return found


def area_claim(estimate: tuple[float, float, int], floor: float, level: Levels) -> Claim:
    """Claim about an AUROC: ``estimate`` is its true value, a standard error, and the patients of that error."""
    area, se, n = estimate
    settles: Settles = "PASS" if area >= floor else "FAIL"
    alpha = level.of(settles)
    return Claim(
        f"AUROC above {floor:.2f}",
        f"AUROC {area:.2f}",
        settles,
        lambda power: _areas(area, se, n, floor, alpha, power, unseen_alpha=level.passes if se else alpha),
    )


def per_cent(share: float) -> str:
    """Format a share."""
    return f"{100 * share:.3g} %"


def _share_claim(share: float, cap: float, alpha: float, settles: Settles, said: tuple[str, str]) -> Claim:
    return Claim(*said, settles, lambda power: _shares(share, cap, alpha, power))


def _of_difference(
    up: float, down: float, margin: float, level: Levels, settings: Statistics
) -> Callable[[float], int | None]:
    mean, sd = up - down, math.sqrt(max(up + down - (up - down) ** 2, 0.0))
    alpha = level.passes if mean <= margin else level.fails
    return lambda power: planning_excess.clusters_to_settle_excess(
        mean, sd, margin, alpha, power, min_informative=settings.min_informative, unseen_alpha=level.passes
    )


def _mean_words(low: float, high: float, subject: Subject) -> str:
    factor, unit = (100.0, "percentage points") if subject.unit == "share" else (1.0, subject.unit)
    low, high = low * factor, high * factor
    if subject.per:
        what = "score falls by"
        if math.isinf(low) or math.isinf(high):
            return f"{what} {'less' if math.isinf(low) else 'more'} than {high if math.isinf(low) else low:g} {unit}"
        return f"{what} {low:g} to {high:g} {unit}"
    if math.isinf(low):
        return f"mean {'rise' if subject.change else 'value'} below {high:g} {unit}"
    if math.isinf(high):
        return f"mean {'rise' if subject.change else 'value'} above {low:g} {unit}"
    return f"mean {'change' if subject.change else 'value'} within ± {high:g} {unit}"
