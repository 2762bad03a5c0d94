"""The delete-one-patient jackknife: a standard error from what an estimate is without each patient."""

from __future__ import annotations

import numpy as np

from auditkit.stats.bootstrap import TIE
from auditkit.stats.reduce import FloatArray

# A standard error below this is rounding: a coefficient that is 0 whoever is left out has none.
FLAT = 1e-9


def standard_error(without: FloatArray) -> float:
    """Return the standard error of an estimate.

    Parameters
    ----------
    without : ndarray, shape (G,)
        The estimate without each of the G patients.
    """
    G = len(without)
    return float(np.sqrt((G - 1) / G * np.square(without - without.mean()).sum()))


def on_fisher_z(whole: float, without: FloatArray) -> tuple[float, float] | None:
    """Return Fisher's z (the artanh) of a coefficient and its standard error; None where they have none.

    Parameters
    ----------
    whole : float
        The coefficient, -1 to 1.
    without : ndarray, shape (G,)
        The same without each of the G patients.
    """
    if len(without) < 2 or not (np.abs(np.append(without, whole)) < 1 - TIE).all():
        return None
    se = standard_error(np.arctanh(without))
    return (float(np.arctanh(whole)), se) if se > FLAT else None
