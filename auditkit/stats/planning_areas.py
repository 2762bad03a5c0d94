"""How many patients does it take to show that an area lies above a floor, or below it?"""

from __future__ import annotations

import math

from scipy import special

from auditkit.stats.planning import check, first_with_power, power_inside
from auditkit.stats.unseen import seen_share


def auroc_power(
    n: int, area: float, sd_logit: float, floor: float, alpha: float, *, unseen_alpha: float | None = None
) -> float:
    """Return the probability that the interval of `auroc.auroc` lies above a floor, or below it if the area does.

    Parameters
    ----------
    n : int
        Clusters.
    area : float
        True area, 0-1.
    sd_logit : float
        Standard error of the area for n clusters times sqrt(n) / (area (1 - area)): its spread on the logit scale for
        one cluster. Taken as 0 when the area is 0 or 1.
    floor : float
        Smallest area to be accepted, 0 < floor < 1.
    alpha : float
        Error per side.
    unseen_alpha : float, optional
        As in `planning.power_inside`.

    Notes
    -----
    The estimate is taken as normal on the logit scale with Student's t for the spread. No interval is narrower than
    the clusters not seen allow (area q ** 2, q = unseen_alpha ** (1 / n)), so a high floor takes many clusters even
    when separation is perfect.
    """
    check(sd_logit, alpha)
    if not (0 <= area <= 1 and 0 < floor < 1):
        raise ValueError(f"areas lie between 0 and 1, got {area} against a floor of {floor}")
    if n < 2:
        return 0.0
    if area < floor:
        area, floor = 1 - area, 1 - floor
    least = floor / float(seen_share(unseen_alpha or alpha, n)) ** 2  # that the estimate must be above
    if least >= 1:
        return 0.0
    if area == 1 or sd_logit == 0:
        return float(area > least)
    truth = float(special.logit(area))
    shown = power_inside(n, sd_logit, truth, float(special.logit(floor)), math.inf, alpha)
    # An estimate that Student's interval puts above the floor is nearly always one that also leaves the room, or the
    # other way round: the smaller of the two probabilities.
    return min(shown, float(special.ndtr((truth - special.logit(least)) * math.sqrt(n) / sd_logit)))


def clusters_to_settle_auroc(
    area: float,
    se: float,
    n: int,
    floor: float,
    alpha: float,
    power: float = 0.9,
    *,
    unseen_alpha: float | None = None,
) -> int | None:
    """Return the smallest number of clusters that shows an area above the floor, or below it if it is below.

    Parameters
    ----------
    area, se, n : float, float, int
        An estimate, its standard error (not of its logit) and the clusters it rests on; the error shrinks with the
        square root of the clusters.
    floor, alpha, power, unseen_alpha : float
        See `auroc_power`.

    Returns
    -------
    int or None
        None when the area is the floor, or more than a million clusters would be needed, or area or se are NaN.
    """
    if math.isnan(area) or math.isnan(se) or area == floor:
        return None
    check(se, alpha, power)
    sd_logit = se * math.sqrt(n) / (area * (1 - area)) if 0 < area < 1 else 0.0
    return first_with_power(
        lambda clusters: auroc_power(clusters, area, sd_logit, floor, alpha, unseen_alpha=unseen_alpha), power, 2
    )


def auroc_se(area: float, n: int) -> float:
    """Return the standard error to expect of an area from n clean and n treated images, one of each per patient.

    Hanley, J. A. & McNeil, B. J. (1982), Radiology 143, 29-36, for exponential scores. It takes clean and treated
    images as unrelated; those of one patient are alike, and the area then is more certain.
    """
    if not 0 <= area <= 1 or n < 1:
        raise ValueError(f"an area lies between 0 and 1 and rests on one image or more, got {area} from {n}")
    clean, treated = area / (2 - area) - area**2, 2 * area**2 / (1 + area) - area**2
    return math.sqrt(max(area * (1 - area) + (n - 1) * (clean + treated), 0.0)) / n
