"""Figures with their uncertainty, as the model card prints them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats


def wilson(right: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion; ``(0, 1)`` when nothing was counted."""
    if n == 0:
        return 0.0, 1.0
    interval = stats.binomtest(right, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def accuracy(answers: list[str], truths: list[str]) -> dict[str, Any]:
    """Share of exact answers with n and a 95 % Wilson interval."""
    right = sum(a == t for a, t in zip(answers, truths, strict=True))
    low, high = wilson(right, len(truths))
    return {"share": right / max(1, len(truths)), "low": low, "high": high, "n": len(truths)}


def rank_correlation(first: Any, second: Any) -> float:
    """Spearman's correlation; 0 when one side is constant, because then nothing is ordered."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(stats.spearmanr(a, b).statistic)
