"""Figure data: mean score, change, AUROC and dose per severity, pooled and per modality."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from auditkit.conditions import Series
from auditkit.evidence import Estimate, Point
from auditkit.measure import ALL, Measurements
from auditkit.protocol import Protocol
from auditkit.stats.auroc import auroc
from auditkit.stats.reduce import cluster_means

if TYPE_CHECKING:
    from numpy.typing import NDArray


def series_points(series: Series, data: Measurements, protocol: Protocol) -> list[Point]:
    """Return one point per modality (and pooled) and severity, the clean image included."""
    return [
        _point(series, severity, modality, data, protocol)
        for modality in (ALL, *data.modalities)
        for severity in (0, *series.severities)
    ]


def _point(series: Series, severity: int, modality: str, data: Measurements, protocol: Protocol) -> Point:
    template = protocol.resolve_template(series.template)
    condition = series.control if severity == 0 else series.treated[series.severities.index(severity)]
    mask = data.where(modality)
    clusters = data.clusters(mask)
    clean = data.column(series.control, template).scores[mask]
    scores = data.column(condition, template).scores[mask]
    found = None
    if severity:
        result = auroc(clean, scores, clusters, clusters, protocol.alpha)
        found = Estimate(value=result.estimate, low=result.low, high=result.high, level=result.level, unit="AUROC")
    dose = data.doses.get(condition, np.full((len(data.records), 2), np.nan))[mask]
    present = np.isfinite(scores)
    return Point(
        modality=modality,
        condition=f"severity {severity}" if severity else "clean",
        severity=severity,
        n_images=int(present.sum()),
        n_clusters=int(np.unique(clusters[present]).size),
        score=mean_estimate(scores, clusters, protocol.alpha, (0.0, 100.0)),
        change=mean_estimate(scores - clean, clusters, protocol.alpha, (-100.0, 100.0)) if severity else None,
        auroc=found,
        ssim=_mean(dose[:, 0]),
        psnr=_mean(dose[:, 1]) if np.isfinite(dose[:, 1]).all() else None,
    )


def mean_estimate(
    values: NDArray[np.float64], clusters: NDArray[np.int64], alpha: float, bounds: tuple[float, float]
) -> Estimate:
    """Return the mean over patients with Student's interval, for display (verdicts rest on the gates' intervals)."""
    means = cluster_means(values[:, None], clusters)[:, 0] if values.size else np.empty(0)
    means = means[np.isfinite(means)]
    if not means.size:
        return Estimate(level=1 - 2 * alpha)
    centre = float(means.mean())
    if means.size < 2:
        return Estimate(value=centre, level=1 - 2 * alpha)
    reach = float(_quantile(alpha, means.size - 1) * means.std(ddof=1) / np.sqrt(means.size))
    low, high = max(centre - reach, bounds[0]), min(centre + reach, bounds[1])
    return Estimate(value=centre, low=low, high=high, level=1 - 2 * alpha)


@lru_cache(maxsize=4096)
def _quantile(alpha: float, df: int) -> float:
    return float(stats.t.ppf(1 - alpha, df))


def _mean(values: NDArray[np.float64]) -> float | None:
    present = values[np.isfinite(values)]
    return float(present.mean()) if present.size else None
