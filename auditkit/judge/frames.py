"""What the means of one stratum are judged by, and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auditkit.evidence import Estimate
from auditkit.judge.rules import Rules
from auditkit.measure.columns import Measurements, Stratum
from auditkit.stats.equivalence import Interval, equivalence
from auditkit.stats.reduce import cluster_means

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """What one stratum of one call is judged by.

    Attributes
    ----------
    stratum : Stratum
        Its items.
    mask : ndarray of bool, shape (n,)
        The same.
    clusters : ndarray of int, shape (mask.sum(),)
        Their patients.
    limits : (float, float)
        Ends of the region that the effects must stay in.
    middle, reach : float
        Every value lies within ``middle - reach`` and ``middle + reach``.
    """

    stratum: Stratum
    mask: NDArray[np.bool_]
    clusters: NDArray[np.int64]
    limits: tuple[float, float]
    middle: float
    reach: float


def frame_of(stratum: Stratum, limits: tuple[float, float], ends: tuple[float, float], data: Measurements) -> Frame:
    """Return the frame of a stratum's items whose values lie between two ends."""
    mask = data.where(stratum)
    middle, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    return Frame(stratum, mask, data.clusters(mask), limits, middle, half)


def intervals_in(values: NDArray[np.float64], frame: Frame, rules: Rules) -> list[Interval]:
    """Return the interval of every column; what bounds a value is the same to either side of the middle."""
    settings = rules.statistics
    low, high = (limit - frame.middle for limit in frame.limits)
    open_ended = np.isinf(low) and np.isinf(high)
    return equivalence(
        cluster_means(values - frame.middle, frame.clusters),
        -frame.reach - 1 if open_ended else low,  # what is only shown has no limit; any beyond the range will do
        high,
        alpha=rules.alpha(frame.stratum),
        resamples=settings.resamples,
        seed=rules.seed(frame.stratum),
        value_range=frame.reach,
        min_informative=settings.min_informative,
    )


def estimate_in(interval: Interval, frame: Frame, unit: str) -> Estimate:
    """Return what an interval says of the values, which it was given from the middle."""
    value, low, high = (end + frame.middle for end in (interval.estimate, interval.low, interval.high))
    return Estimate(value=value, low=low, high=high, level=interval.level, unit=unit)
