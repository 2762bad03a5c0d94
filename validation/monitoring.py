"""How often `auditkit history` errs about new patients and about slow drift; nothing passes or fails by either.

``python -m validation.monitoring [BANDS [DRIFTS]]`` prints the tables of docs/history.md, by default with 200
replicates of the bands and 1,000 of the drifts. Seeds follow from the row's name.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from auditkit.records.compare.joint import Settings
from auditkit.records.history.trends import Line, corrected, weights_of
from auditkit.stats.anytime import first_beyond

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, Values], Values]
MONTHS, LIMIT, ALPHA = 24, 5.0, 0.05
SIZES: dict[str, Sequence[int]] = {"30 each": (30,) * MONTHS, "5, 100, 20, ...": (5, 100, 20) * (MONTHS // 3)}
"""Patients of every month."""


def grid(rng: np.random.Generator, means: Values) -> Values:
    """Means of 1, 1, 2 and 4 images of a patient, each a score difference on a grid of 5 with sd 7."""
    images = np.resize([1, 1, 2, 4], means.size)
    sd = 7.0 * np.sqrt(0.3 + 0.7 / images)
    exact = (means + sd * rng.standard_normal(means.size)) * images / 5.0
    low = np.floor(exact)
    return np.asarray((low + (rng.random(means.size) < exact - low)) * 5.0 / images).clip(-100, 100)


def rare(rng: np.random.Generator, means: Values) -> Values:
    """All of the effect in few patients: 100 points or nothing."""
    return np.where(rng.random(means.size) < means / 100.0, 100.0, 0.0)


KINDS: dict[str, Draw] = {"grid of 5, sd 7": grid, "100 points in few": rare}
TRUTHS: dict[str, tuple[float, float]] = {
    "no effect": (0.0, 0.0),
    "on the limit": (LIMIT, LIMIT),
    "drift to half the limit": (0.0, LIMIT / 2),
    "drift to the limit": (0.0, LIMIT),
    "drift to twice the limit": (0.0, 2 * LIMIT),
    "drift to four times the limit": (0.0, 4 * LIMIT),
    "twice the limit": (2 * LIMIT, 2 * LIMIT),
}
"""Mean in the first and in the last month."""


def seed_of(*names: str) -> int:
    """Return the seed of a row."""
    return zlib.crc32("|".join(names).encode())


def told(draw: Draw, sizes: Sequence[int], truth: tuple[float, float], rng: np.random.Generator) -> int:
    """Return the first month at which the effect is told to be above the limit; 0 for none in 24."""
    means = np.repeat(np.linspace(*truth, MONTHS), sizes)
    values = draw(rng, means)
    found = first_beyond(values, np.cumsum(sizes).tolist(), -100.0, 100.0, LIMIT, ALPHA)
    return 0 if found is None else found[0] + 1


def bands(replicates: int) -> list[str]:
    """Return the table of bands."""
    lines = [
        "| patients a month | values | mean of the effect | beyond within 24 months | month, median |",
        "|---|---|---|---|---|",
    ]
    for layout, sizes in SIZES.items():
        for kind, draw in KINDS.items():
            for truth, ends in TRUTHS.items():
                rng = np.random.default_rng(seed_of(layout, kind, truth))
                found = [told(draw, sizes, ends, rng) for _ in range(replicates)]
                months = [month for month in found if month]
                when = f"{np.median(months):g}" if len(months) > replicates / 2 else "–"
                lines.append(f"| {layout} | {kind} | {truth} | {len(months) / replicates:.3f} | {when} |")
    return lines


def drifts(replicates: int, audits: int = 20, versions: int = 10) -> list[str]:
    """Return the table of named drifts: any audit where none drifts, and the one of half a margin where it does."""
    lines = [
        "| patients | values | any named rise | any named fall | drift of 2.5 points named |",
        "|---|---|---|---|---|",
    ]
    for patients in (32, 64, 128, 300):
        for kind in ("sd 7 in each version", "one patient in 20 jumps 30 in each version"):
            rng = np.random.default_rng(seed_of(str(patients), kind))
            up = down = power = 0
            for number in range(replicates):
                shape = patients, versions, audits
                if kind.startswith("sd"):
                    values = 7.0 * rng.standard_normal(shape)
                else:
                    values = np.where(rng.random(shape) < 0.05, 30.0, 0.0)
                settings = Settings(ALPHA, 2000, number, 24, 10)
                named, rise = _named(values, settings)
                up += bool((named & (rise > 0)).any())
                down += bool((named & (rise < 0)).any())
                values[:, :, 0] += np.linspace(0.0, LIMIT / 2, versions)
                named, rise = _named(values, settings)
                power += bool(named[0] and rise[0] > 0)
            shares = " | ".join(f"{n / replicates:.3f}" for n in (up, down, power))
            lines.append(f"| {patients} | {kind} | {shares} |")
    return lines


def _named(values: Values, settings: Settings) -> tuple[NDArray[np.bool_], Values]:
    weights = weights_of(range(1, values.shape[1] + 1))
    rises = (values * weights[:, None]).sum(axis=1)
    lines = [Line("", "", "", "points", [], rise, weights, weights, 0, 0) for rise in rises.T]
    p = np.array(corrected(lines, settings, 1))
    return p <= settings.alpha, rises.mean(axis=0)


def main(arguments: Sequence[str]) -> None:
    """Print both tables."""
    of_bands = int(arguments[0]) if arguments else 200
    of_drifts = int(arguments[1]) if len(arguments) > 1 else 1000
    print("\n".join([f"{of_bands} replicates, limit {LIMIT:g}, alpha {ALPHA:g}", "", *bands(of_bands), ""]), flush=True)
    print("\n".join([f"{of_drifts} replicates", "", *drifts(of_drifts)]))


if __name__ == "__main__":
    main(sys.argv[1:])
