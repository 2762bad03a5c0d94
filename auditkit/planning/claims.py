"""One claim that a gate asks for, in words and in patients."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from auditkit.errors import AuditkitError
from auditkit.protocol.model import (
    AgreementFamily,
    EquivalenceFamily,
    Family,
    MonotoneFamily,
    NotRaisedFamily,
    Protocol,
    RateFamily,
    SensitivityFamily,
    Statistics,
    TemplateFamily,
)
from auditkit.stats import planning, planning_shares
from auditkit.stats.sequential import nominal_levels
from auditkit.stats.trend import slope_range

Settles = Literal["PASS", "FAIL"]
SEVERITIES = (0, 1, 2, 3, 4, 5)
POINTS, STEPS = "points", "points per step"

# Many cells ask the same: a record of 2,000 has a few hundred different questions.
_means = lru_cache(maxsize=8192)(planning.clusters_to_settle)
_sparse = lru_cache(maxsize=8192)(planning.clusters_to_settle_sparse)
_areas = lru_cache(maxsize=8192)(planning.clusters_to_settle_auroc)
_shares = lru_cache(maxsize=8192)(planning_shares.clusters_to_settle_share)
_differences = lru_cache(maxsize=8192)(planning_shares.clusters_to_settle_rate_difference)


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
    """Error per side at which a PASS and, corrected for its family, a FAIL is claimed."""

    passes: float
    fails: float

    def of(self, settles: Settles) -> float:
        return self.passes if settles == "PASS" else self.fails


def check_power(power: float) -> None:
    """Raise AuditkitError unless 0 < power < 1."""
    if not 0 < power < 1:
        raise AuditkitError(f"power is a probability between 0 and 1, got {power:g}.", "Give --power=0.9.")


def levels(protocol: Protocol, family: Family, decisions: int) -> Levels:
    """Return the levels for a family of that many decisions.

    With early looks they are those of the last look: patients are planned as if only it could decide. A FAIL is taken
    at Holm's first step, where it is hardest.
    """
    looks = protocol.looks
    fractions = tuple((look + 1) / looks.number for look in range(looks.number))
    ways = 2 if isinstance(family, EquivalenceFamily) else 1  # by the mean or by the tail
    passes, fails = (
        nominal_levels(fractions, alpha, looks.spending)[-1]
        for alpha in (protocol.alpha, protocol.alpha / (ways * max(decisions, 1)))
    )
    return Levels(passes, fails)


MeanFamily = EquivalenceFamily | TemplateFamily | NotRaisedFamily | MonotoneFamily | SensitivityFamily


def margins_of(family: MeanFamily, *, together: bool = False) -> tuple[float, float]:
    """Return the ends of the acceptance region of a mean, in each modality or for all patients together."""
    if isinstance(family, SensitivityFamily):
        return -math.inf, -family.floor
    if isinstance(family, MonotoneFamily):
        return -math.inf, family.tolerance
    if isinstance(family, NotRaisedFamily):
        return -math.inf, family.margin
    if isinstance(family, EquivalenceFamily) and family.modality_margin is not None and not together:
        return -family.modality_margin, family.modality_margin
    return -family.margin, family.margin


def mean_claim(
    spread: tuple[float, float],
    margins: tuple[float, float],
    level: Levels,
    settings: Statistics,
    unit: str = POINTS,
    *,
    sparse: bool = False,
) -> Claim:
    """Claim about a mean: ``spread`` is its true value and the standard deviation between patients."""
    (effect, sd), (low, high) = spread, margins
    settles: Settles = "PASS" if low <= effect <= high else "FAIL"
    alpha, minimum = level.of(settles), settings.min_clusters
    value_range = 100.0 if unit == POINTS else slope_range(SEVERITIES)

    def patients(power: float) -> int | None:
        if sparse:
            return _sparse(sd, low, high, effect, alpha, power, value_range=value_range, min_clusters=minimum)
        found = _means(sd, low, high, effect, alpha, power, min_clusters=minimum)
        # With fewer patients than must have a change, the sparse rule would decide.
        return None if found is None else max(found, settings.min_informative)

    assumed = f"{'sparse, ' if sparse else ''}mean {effect:+.1f}, sd {sd:.1f} {unit}".replace("-", "−")
    return Claim(_mean_words(low, high, unit), assumed, settles, patients)


def or_still(claim: Claim, margins: tuple[float, float], level: Levels, settings: Statistics) -> Claim:
    """Make sure that a score which never moves passes too: then the sparse rule decides, which takes more patients."""
    still = mean_claim((0.0, 0.0), margins, level, settings, sparse=True)

    def patients(power: float) -> int | None:
        found, least = claim.patients(power), still.patients(power)
        return None if found is None or least is None else max(found, least)

    return replace(claim, patients=patients)


def tail_claim(share: float, family: EquivalenceFamily, level: Levels) -> Claim:
    """Claim that few patients jump."""
    words = f"at most {per_cent(family.tail_share)} of patients move by > {family.tail_points:g} points"
    return share_claim(share, family.tail_share, level, words)


def share_claim(share: float, cap: float, level: Levels, words: str) -> Claim:
    """Claim about a share of the patients."""
    settles: Settles = "PASS" if share <= cap else "FAIL"
    alpha = level.of(settles)
    return Claim(words, f"{per_cent(share)} of patients", settles, lambda power: _shares(share, cap, alpha, power))


def per_cent(share: float) -> str:
    """Format a share."""
    return f"{100 * share:.3g} %"


def rate_words(family: RateFamily | AgreementFamily) -> str:
    """Say what the share is of."""
    what = "refused or unusable answers" if isinstance(family, RateFamily) else "changed answers"
    return f"{what} below {per_cent(family.cap)}"


def difference_claim(up: float, down: float, margin: float, level: Levels) -> Claim:
    """Claim about the rise of the share of unusable answers, ``up`` and ``down`` being the discordant shares."""
    settles: Settles = "PASS" if up - down <= margin else "FAIL"
    alpha = level.of(settles)
    return Claim(
        f"unusable answers rise by < {100 * margin:g} percentage points",
        f"{per_cent(up)} lost when treated, {per_cent(down)} in control",
        settles,
        lambda power: _differences(up, down, margin, alpha, power),
    )


def area_claim(estimate: tuple[float, float, int], floor: float, level: Levels, minimum: int) -> Claim:
    """Claim about an AUROC: ``estimate`` is its true value, a standard error, and the patients of that error."""
    area, se, n = estimate
    settles: Settles = "PASS" if area >= floor else "FAIL"
    alpha = level.of(settles)
    return Claim(
        f"AUROC above {floor:.2f}",
        f"AUROC {area:.2f}",
        settles,
        lambda power: _areas(area, se, n, floor, alpha, power, min_clusters=minimum),
    )


def _mean_words(low: float, high: float, unit: str) -> str:
    if unit == STEPS:
        return f"score falls by more than {-high:g} {unit}"
    if math.isinf(low):
        return f"mean rise below {high:g} {unit}"
    return f"mean change within ± {high:g} {unit}"
