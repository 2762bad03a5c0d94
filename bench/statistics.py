"""All conditions of a run at once against one scipy.stats.bootstrap per condition: time, memory, and the same ends.

300 conditions, 256 patients, 1 % of the values missing, 10,000 resamples, one thread, one process. The two do not do
the same work: `equivalence` also gives Student's interval, the sparse bound, p-values and decisions, and keeps the
conditions' correlation; scipy gives intervals of unrelated resamples of the mean, unstudentised. The ends are therefore
compared where the method is the same: scipy's percentile method on the studentised mean, from the same seed, which
draws the same resamples.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from auditkit.stats import bootstrap, bounded
from auditkit.stats.equivalence import equivalence

CONDITIONS = 300
PATIENTS = 256
MANY_PATIENTS = 10_000
RESAMPLES = 10_000
ALPHA = 0.05
SEED = 20261122
REPEATS = 7
STUDENTISED = 30
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

T = TypeVar("T")


def differences(patients: int = PATIENTS, step: float = 5.0, sparse: float = 0.0) -> NDArray[np.float64]:
    """Scores on a grid (step 0: none), a true mean of -8 to 3 points per condition, values missing at random.

    A share of the conditions can be sparse: no more than eight patients with another difference than 0.
    """
    rng = np.random.default_rng(SEED)
    means = rng.normal(rng.uniform(-8, 3, CONDITIONS), 6, (patients, CONDITIONS))
    if step:
        means = step * np.round(means / step)
    for c in range(int(sparse * CONDITIONS)):
        means[rng.permutation(patients)[rng.integers(0, 9) :], c] = 0.0
    means[rng.random(means.shape) < 0.01] = np.nan
    return means


def main() -> None:
    """Measure in a process of its own, since a BLAS library reads its number of threads when it is loaded."""
    sys.stdout.flush()
    one_thread = os.environ | dict.fromkeys(THREADS, "1")
    subprocess.run([sys.executable, "-m", "bench.statistics"], env=one_thread, check=True)


def measure() -> None:
    """Print times and ratios, the largest difference of an end from the same resamples, and memory."""
    grid = differences()
    looped = {method: _timed(lambda method=method: _looped(grid, method))[1:] for method in ("BCa", "percentile")}
    print(f"{CONDITIONS} conditions x {PATIENTS} patients, {RESAMPLES:,} resamples, 1 % missing, one thread\n")
    print("| what | wall, s | CPU, s | CPU of scipy, BCa / ours | percentile / ours |\n|---|---|---|---|---|")
    for method, (wall, cpu) in looped.items():
        print(f"| scipy.stats.bootstrap one by one, {method} | {wall:.2f} | {cpu:.2f} | | |")
    kinds = {
        "scores on a grid of 5": grid,
        "continuous scores": differences(step=0.0),
        "grid of 5, 30 % of the conditions sparse": differences(sparse=0.3),
    }
    for kind, means in kinds.items():
        for state, forget in (("resamples drawn", True), ("resamples kept", False)):
            wall, cpu = _repeated(means, forget)
            ratios = " | ".join(f"{looped[method][1] / cpu:.0f}" for method in ("BCa", "percentile"))
            print(f"| auditkit, {kind}, {state} | {wall:.3f} | {cpu:.3f} | {ratios} |", flush=True)

    print(f"\nThe same resamples, studentised, percentile method of scipy, {STUDENTISED} conditions:")
    for kind in list(kinds)[:2]:
        gap, unequal = _same_resamples(kinds[kind])
        print(f"- {kind}: ends differ by at most {gap:.0e} points, p-values that differ: {unequal}")
    print("\nThe first call of a process:")
    for patients in (PATIENTS, MANY_PATIENTS):
        command = [sys.executable, "-m", "bench.statistics", str(patients)]
        print(subprocess.run(command, capture_output=True, text=True, check=True).stdout, end="", flush=True)


def large(patients: int) -> None:
    """Print time and peak memory of one run in this process."""
    means = differences(patients)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _, wall, cpu = _timed(lambda: equivalence(means, -5.0, 5.0, alpha=ALPHA, resamples=RESAMPLES, seed=SEED))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    whole = 8e-6 * patients * RESAMPLES
    print(
        f"- {patients:,} patients: {wall:.2f} s, {cpu:.2f} s CPU, peak {peak:.0f} MB, of which {before:.0f} MB before",
        end="",
    )
    print(f" it; all multiplicities in double precision would be {whole:.0f} MB")


def _repeated(means: NDArray[np.float64], forget: bool) -> tuple[float, float]:
    """Return the median wall and CPU time; the first of the calls is not counted."""
    times = []
    for _ in range(REPEATS + 1):
        if forget:
            bootstrap._kept.cache_clear()
        bounded._quantile.cache_clear()
        times.append(_timed(lambda: equivalence(means, -5.0, 5.0, alpha=ALPHA, resamples=RESAMPLES, seed=SEED))[1:])
    return median(wall for wall, _ in times[1:]), median(cpu for _, cpu in times[1:])


def _looped(means: NDArray[np.float64], method: str) -> None:
    for c in range(CONDITIONS):
        x = means[~np.isnan(means[:, c]), c]
        stats.bootstrap((x,), np.mean, confidence_level=1 - 2 * ALPHA, n_resamples=RESAMPLES, method=method, rng=SEED)


def _same_resamples(means: NDArray[np.float64]) -> tuple[float, int]:
    """Return the largest difference of an end, and the number of p-values that are not the same."""
    margins = np.array([[-5.0], [5.0]])
    ours = bootstrap.bootstrap_t(means, margins, alpha=ALPHA, resamples=RESAMPLES, seed=SEED)
    # At this level scipy's interpolation falls on the order statistics that the studentised interval is made of.
    level = 1 - 2 * (int(ALPHA * (RESAMPLES + 1)) - 1) / (RESAMPLES - 1)
    gap, unequal = 0.0, 0
    for c in range(0, CONDITIONS, CONDITIONS // STUDENTISED):
        x = means[:, c]
        centre, se = np.nanmean(x), stats.sem(x, nan_policy="omit")

        def studentised(sample: NDArray[np.float64], axis: int, centre: float = centre) -> NDArray[np.float64]:
            n = (~np.isnan(sample)).sum(axis=axis)
            return (np.nanmean(sample, axis=axis) - centre) / np.nanstd(sample, axis=axis, ddof=1) * np.sqrt(n)

        theirs = stats.bootstrap(
            (x,), studentised, n_resamples=RESAMPLES, method="percentile", confidence_level=level, rng=SEED, batch=1000
        )
        ends = centre - theirs.confidence_interval.high * se, centre - theirs.confidence_interval.low * se
        gap = max(gap, abs(ours.low[c] - ends[0]), abs(ours.high[c] - ends[1]))
        t = theirs.bootstrap_distribution
        for k, observed in enumerate((centre - margins[:, 0]) / se):
            p = (
                (1 + (t >= observed - 1e-10).sum()) / (RESAMPLES + 1),
                (1 + (t <= observed + 1e-10).sum()) / (RESAMPLES + 1),
            )
            unequal += int(p[0] != ours.p_above[k, c]) + int(p[1] != ours.p_below[k, c])
    return gap, unequal


def _timed(call: Callable[[], T]) -> tuple[T, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return result, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    large(int(sys.argv[1])) if len(sys.argv) > 1 else measure()
