"""Many questions at once. A gate that asks for every PASS needs none of this; naming one FAIL among many does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from auditkit.stats.equivalence import Decision
from auditkit.stats.reduce import FloatArray


def holm(p_values: ArrayLike, family_size: int) -> FloatArray:
    """Adjust p-values for the size of their declared family by Holm's step-down method.

    Parameters
    ----------
    p_values : array_like, shape (k,)
        P-values of the members that were run, 0-1; NaN counts as 1.
    family_size : int
        Number of members declared, k or more. Members that were not run count as p = 1, so running a subset never
        makes a result significant.

    Returns
    -------
    ndarray, shape (k,)
        Adjusted p-values in the order given. Rejecting those at or below alpha keeps the probability of any false
        rejection in the family at alpha, whatever the dependence [1]_.

    References
    ----------
    .. [1] Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scand. J. Statistics 6, 65-70.
    """
    p = _checked(p_values, family_size)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * (family_size - np.arange(p.size)))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _checked(p_values: ArrayLike, family_size: int) -> FloatArray:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"p_values must be one-dimensional, got shape {p.shape}")
    if family_size < p.size:
        raise ValueError(f"{p.size} members in a family declared with {family_size} members; declare all of them")
    p = np.where(np.isnan(p), 1.0, p)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie between 0 and 1, got {p.min():g} to {p.max():g}")
    return p


@dataclass(frozen=True, slots=True)
class Joint:
    """One answer to several questions that must all be passed.

    Attributes
    ----------
    p_pass : float
        P-value of "all are inside": the largest of the questions'.
    p_fail : float
        P-value of "at least one is beyond": the smallest Holm-adjusted one. It can be a member of a larger family.
    p_fail_adjusted : tuple of float
        Holm-adjusted p-value of "beyond" for each question, in the order given.
    decision : {"inside", "beyond", "open"}
        All inside; at least one beyond after Holm; neither.
    """

    p_pass: float
    p_fail: float
    p_fail_adjusted: tuple[float, ...]
    decision: Decision


def all_of(decisions: Sequence[Decision], p_pass: Sequence[float], p_fail: Sequence[float], alpha: float) -> Joint:
    """Join the answers to questions that must all be passed.

    Parameters
    ----------
    decisions : sequence of {"inside", "beyond", "open"}
        Each question's own answer; not empty.
    p_pass, p_fail : sequence of float
        Their p-values.
    alpha : float
        Error per side.

    Notes
    -----
    The pass needs no correction: if one question's truth is not inside, that one already passes with probability alpha
    at most (intersection-union [1]_). A fail names a culprit among several and is therefore corrected by Holm.

    References
    ----------
    .. [1] Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24, 295-300.
    """
    adjusted = holm(p_fail, len(decisions))
    decision: Decision = "open"
    if all(each == "inside" for each in decisions):
        decision = "inside"
    elif adjusted.min() <= alpha:
        decision = "beyond"
    return Joint(max(p_pass), float(adjusted.min()), tuple(adjusted.tolist()), decision)
