"""What the judge's procedures say, asked in several ways, printed in full: run under several kernels by the tests.

Run as ``python -m tests.stats.kernels``: one JSON object, ``plain`` (a matrix product, for which kernels differ),
``company`` (what depends on the company of a column; empty if nothing does) and ``found`` (every number).
"""

from __future__ import annotations

import json

import numpy as np

from auditkit.records.compare.joint import Settings, joint_intervals
from auditkit.records.compare.ranks import resampled_means
from auditkit.stats.auroc import auroc
from auditkit.stats.auroc_difference import auroc_difference
from auditkit.stats.bootstrap import bootstrap_t, multiplicities, resampled_t
from auditkit.stats.calibration import expected_calibration_error, reliability
from auditkit.stats.equivalence import equivalence
from auditkit.stats.pairs import Comparison
from auditkit.stats.rates import clustered_rate
from auditkit.stats.reduce import cluster_means
from auditkit.stats.sequential import nominal_levels
from auditkit.stats.subgroups import subgroup_gap
from auditkit.stats.tail import excess_of_jumps
from auditkit.stats.versions import ROUTES, worsening

PATIENTS = 61
OPTIONS = {"alpha": 0.05, "resamples": 799, "seed": 5}


def columns() -> np.ndarray:
    """Differences of every kind that a run has: grids, shares of them, no grid, sparse, constant, with gaps."""
    rng = np.random.default_rng(17)
    grid = np.round(rng.normal(-2, 6, (PATIENTS, 4)) / 5) * 5
    free = rng.normal(-2, 6, (PATIENTS, 5)) * [1, 1, 3, 1e-3, 1]
    rare = np.where(rng.random((PATIENTS, 2)) < 0.08, rng.normal(-40, 9, (PATIENTS, 2)), 0.0)
    shares = [grid[:, :1] + 5 / 3, grid[:, 1:2] / 7, grid[:, 2:3] + 5 / 6 * rng.integers(0, 6, (PATIENTS, 1))]
    found = np.hstack([grid, free, rare, *shares, np.full((PATIENTS, 1), 3.3)])
    found[:, ::2] = np.where(rng.random(found[:, ::2].shape) < 0.04, np.nan, found[:, ::2])
    return found


def ways(P: np.ndarray) -> dict[str, tuple[list[int], np.ndarray]]:
    """The same columns in other company, another order, another layout in memory."""
    C = P.shape[1]
    orders = {
        "turned round": range(C)[::-1],
        "every third": range(0, C, 3),
        "shuffled": np.random.default_rng(3).permutation(C).tolist(),
        "many times": list(range(C)) * 9,
    } | {f"alone {c}": [c] for c in range(C)}
    made = {name: (list(order), np.ascontiguousarray(P[:, list(order)])) for name, order in orders.items()}
    made["by columns"] = list(range(C)), np.asfortranarray(P)
    made["a view"] = list(range(0, C, 2)), P[:, ::2]
    return made


def main() -> None:
    """Print the object."""
    P = columns()
    margins = np.array([[-5.0], [4.0]])
    drawn = multiplicities(2, 50, PATIENTS).astype(np.float64)

    def judged(Q: np.ndarray) -> list[list[str]]:
        boot = bootstrap_t(Q, margins, **OPTIONS)
        t = resampled_t(Q, resamples=799, seed=5)
        worse = [worsening(dict.fromkeys(ROUTES[harm], Q), harm, 4.0, **OPTIONS) for harm in ROUTES]
        parts = [
            [repr(each) for each in equivalence(Q, -5.0, 4.0, **OPTIONS)],
            *([repr(each) for each in some] for some in worse),
            [(boot.low[c].hex(), boot.p_above[:, c].tolist(), t[c].tobytes().hex()) for c in range(Q.shape[1])],
            [column.tobytes().hex() for column in resampled_means(Q)(drawn).T],
            [column.tobytes().hex() for column in cluster_means(Q, np.arange(PATIENTS) // 2).T],
        ]
        return [[repr(part[c]) for part in parts] for c in range(Q.shape[1])]

    straight = judged(P)
    company = [
        f"{name}: column {c}"
        for name, (order, Q) in ways(P).items()
        for c, mine in zip(order, judged(Q), strict=True)
        if mine != straight[c]
    ]
    settings = Settings(alpha=0.05, resamples=799, seed=5, min_clusters=24, min_informative=10)
    joint = joint_intervals(P, 200.0, settings)
    for name, (order, Q) in ways(P).items():
        if sorted(order) == list(range(P.shape[1])):
            other = joint_intervals(Q, 200.0, settings)
            same = other.level == joint.level and [repr(joint.intervals[c]) for c in order] == [
                repr(each) for each in other.intervals
            ]
            company += [] if same else [f"joint, {name}"]
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(30), 4)
    scores = rng.normal(60, 9, (120, 6)).round(1)
    hit = rng.random((2, 120)) < 0.2
    found = {
        "judged": straight,
        "joint": [joint.level, repr(joint.intervals), joint.tails.up.tolist(), joint.tails.down.tolist()],
        "auroc": repr(auroc(scores[:, 0], scores[:, 1] - 5, codes, codes, 0.05)),
        "auroc_difference": repr(
            auroc_difference((scores[:, 0], scores[:, 1]), (scores[:, 2], scores[:, 3] - 3), codes, 0.05, codes % 3)
        ),
        "subgroups": repr(
            subgroup_gap(scores[:, 0], codes % 2, codes, Comparison(5.0, 0.05, min_clusters=9), seed=5, resamples=799)
        ),
        "tail": repr(excess_of_jumps(hit[0].astype(float) - 0.25 * hit[1], 0.1, 0.05)),
        "rates": repr(clustered_rate(hit[0], codes, 0.05)),
        "calibration": [
            expected_calibration_error(scores[:, 0] / 100, hit[0]),
            repr(reliability(scores[:, 0] / 100, hit[0], codes, 10, 0.05)),
        ],
        "looks": nominal_levels((0.25, 0.5, 0.75, 1.0), 0.05, "obrien_fleming"),
    }
    left, right = rng.normal(size=(33, 257)), rng.normal(size=(257, 99))
    print(json.dumps({"plain": (left @ right).tobytes().hex(), "company": company, "found": found}))


if __name__ == "__main__":
    main()
