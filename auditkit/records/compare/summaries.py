"""One number per model, five times over, and the ranks by it. The five are declared here, before any model is seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from auditkit.evidence import Estimate
from auditkit.evidence.comparison import Difference, Standing, Summary
from auditkit.records.compare.audits import Measured
from auditkit.records.compare.describe import GUESSING
from auditkit.records.compare.effects import lost_share
from auditkit.records.compare.estimates import direction_p, estimate_of, told
from auditkit.records.compare.joint import Settings, joint_intervals
from auditkit.records.compare.ranks import letters, pairs_of, rank_bounds, rank_shares, resampled_means, ties
from auditkit.records.compare.runs import Contestant
from auditkit.records.compare.sentences import summary_sentence
from auditkit.records.compare.values import ModelsEffect
from auditkit.stats.exact import total as exact_total
from auditkit.stats.reduce import FloatArray

# Shares of ranks to half a per cent: one in 4,000 resamples has a standard error of 0.008 at most.
RESAMPLES = 4000
WORDS = "metadata"


@dataclass(frozen=True, slots=True)
class _Number:
    """What a summary is made of, before it is ranked.

    Attributes
    ----------
    estimates : list of Estimate, length M
        Per model, with intervals that hold at once.
    differences : list of Difference
        Of all pairs.
    statistic : callable
        The number in resamples of the patients, see `ranks.rank_shares`.
    """

    estimates: list[Estimate]
    differences: list[Difference]
    statistic: Callable[[NDArray[np.float64]], FloatArray]


def summaries(measured: Sequence[Measured], runs: Sequence[Contestant], settings: Settings) -> list[Summary]:
    """Return the summaries that these runs allow.

    Parameters
    ----------
    measured : sequence of Measured
        All audits with an effect; those without a value from every model are left out and counted.
    runs : sequence of Contestant
        M models.
    settings : Settings
        Error, resamples, seed.
    """
    found = []
    for own_kind, name, title in (
        (_is_fall, "fall", "Fall of the score as images get worse"),
        (_is_area, "auroc", "Clean images told from degraded ones"),
    ):
        own, left_out = _complete([m for m in measured if own_kind(m)])
        if own:
            what = f"{own[0].effect.what}, averaged over {_many(len(own), 'corruption')}{_but(left_out)}"
            number = _mean_of([m.effect for m in own], runs, settings)
            words = name, title, f"{what}; the higher the better"
            found.append(_ranked(words, number, runs, settings, lower_is_better=False))
    own, left_out = _complete([m for m in measured if m.effect.what == GUESSING])
    if own:
        what = (
            f"{own[0].effect.what}, averaged over {_many(len(own), 'question')}{_but(left_out)}; the higher the better"
        )
        number = _mean_of([m.effect for m in own], runs, settings)
        found.append(_ranked(("skill", "Better than guessing", what), number, runs, settings, lower_is_better=False))
    own, left_out = _complete([m for m in measured if m.family == WORDS and m.effect.unit == "points"])
    if own:
        what = (
            f"size of the largest mean change of the score among {_many(len(own), 'contrast')} of words"
            f"{_but(left_out)}; the lower the better. A largest value is biased upwards, the more the fewer patients"
        )
        number = _largest_of([m.effect for m in own], runs, settings)
        found.append(_ranked(("words", "Largest effect of words", what), number, runs, settings, lower_is_better=True))
    lost, unlike = lost_share([run.data for run in runs])
    what = lost.what + (f"; {_many(unlike, 'question')} not put to every model left out" if unlike else "")
    number = _mean_of([lost], runs, settings)
    found.append(
        _ranked(
            ("unusable", "Answers that cannot be used", f"{what}; the lower the better"),
            number, runs, settings, lower_is_better=True,
        )
    )  # fmt: skip
    return found


def _is_fall(measured: Measured) -> bool:
    """Whether it says by how much a score falls that must fall."""
    return measured.statistic == "mean" and bool(measured.per) and measured.verb == "at_least"


def _is_area(measured: Measured) -> bool:
    return measured.statistic == "area"


def _complete(measured: Sequence[Measured]) -> tuple[list[Measured], int]:
    own = [m for m in measured if all(counts.n_images for counts in m.effect.counts)]
    return own, len(measured) - len(own)


def _many(n: int, noun: str) -> str:
    return f"1 {noun}" if n == 1 else f"{n} {noun}s"


def _but(left_out: int) -> str:
    return f" ({left_out} without a value from every model left out)" if left_out else ""


def _mean_of(effects: Sequence[ModelsEffect], runs: Sequence[Contestant], settings: Settings) -> _Number:
    """The mean of several effects, each counting alike."""
    alone = [effect.alone() for effect in effects]
    paired = [effect.pairs() for effect in effects]
    unit, offset = effects[0].unit, alone[0][1]
    P, D = _averaged([values for values, *_ in alone]), _averaged([values for values, _ in paired])
    single = joint_intervals(P, _reach(P, alone[0][2]), settings)
    joint = joint_intervals(D, _reach(D, paired[0][1]), settings)
    n_both = np.min([effect.n_both() for effect in effects], axis=0).tolist()
    differences = [
        told(
            runs[a].label, runs[b].label, estimate_of(i, unit, settings), (n, i.n_clusters),
            joint.tails.adjusted(direction_p(i)), settings,
        )
        for (a, b), i, n in zip(pairs_of(len(runs)), joint.intervals, n_both, strict=True)
    ]  # fmt: skip
    estimates = [estimate_of(i, unit, settings, offset) for i in single.intervals]
    if unit == "AUROC":
        estimates = [_within(e, 0.0, 1.0) for e in estimates]
    return _Number(estimates, differences, resampled_means(P))


def _averaged(parts: Sequence[FloatArray]) -> FloatArray:
    """Average means over patients that are not there for every part: what each patient adds to the average of means."""
    total = np.zeros(parts[0].shape)
    there = np.isfinite(parts[0])
    for values in parts[1:]:
        there = there | np.isfinite(values)
    n = there.sum(axis=0)
    for values in parts:
        present = np.isfinite(values)
        count = np.maximum(present.sum(axis=0), 1)
        mean = exact_total(np.where(present, values, 0.0)) / count
        total += mean + np.where(present, values - mean, 0.0) * n / count
    return np.where(there, total / len(parts), np.nan)


def _reach(values: FloatArray, declared: float) -> float:
    """Where values are missing the others count for more, and may pass the range that one value has."""
    return float(np.nanmax(np.abs(values), initial=declared))


def _within(estimate: Estimate, low: float, high: float) -> Estimate:
    ends = {
        name: None if (x := getattr(estimate, name)) is None else min(max(x, low), high) for name in ("low", "high")
    }
    return estimate.model_copy(update=ends)


def _largest_of(effects: Sequence[ModelsEffect], runs: Sequence[Contestant], settings: Settings) -> _Number:
    """The largest size of several effects, from a band that holds all effects of all models at once."""
    M, level = len(runs), 1 - 2 * settings.alpha
    alone = [effect.alone() for effect in effects]
    P = np.concatenate([values for values, *_ in alone], axis=1)  # effect by effect, the models of each
    intervals = joint_intervals(P, max(reach for *_, reach in alone), settings).intervals
    estimates = []
    for model in range(M):
        own = intervals[model::M]
        low = max(max(0.0, i.low, -i.high) for i in own)
        high = max(max(abs(i.low), abs(i.high)) for i in own)
        value = max(abs(i.estimate) for i in own)
        estimates.append(Estimate(value=value, low=low, high=high, level=level))
    patients = min(i.n_clusters for i in intervals)
    n_both = np.min([effect.n_both() for effect in effects], axis=0).tolist()
    differences = []
    for (a, b), n in zip(pairs_of(M), n_both, strict=True):
        first, second = estimates[a], estimates[b]
        low, high = first.low - second.high, first.high - second.low  # type: ignore[operator]
        differences.append(
            Difference(
                first=runs[a].label,
                second=runs[b].label,
                estimate=Estimate(value=first.value - second.value, low=low, high=high, level=level),  # type: ignore[operator]
                n_images=n,
                n_clusters=patients,
                apart=(low > 0 or high < 0) and patients >= settings.min_clusters,
            )
        )
    means = resampled_means(P)

    def statistic(drawn: NDArray[np.float64]) -> FloatArray:
        return np.asarray(np.abs(means(drawn)).reshape(len(drawn), -1, M).max(axis=1))

    return _Number(estimates, differences, statistic)


def _ranked(
    words: tuple[str, str, str],
    number: _Number,
    runs: Sequence[Contestant],
    settings: Settings,
    *,
    lower_is_better: bool,
) -> Summary:
    M, sign = len(runs), 1.0 if lower_is_better else -1.0
    pairs = pairs_of(M)
    apart = [(pair, d) for pair, d in zip(pairs, number.differences, strict=True) if d.apart]
    better = [(a, b) if sign * (d.estimate.value or 0.0) < 0 else (b, a) for (a, b), d in apart]
    values = np.array([np.nan if e.value is None else sign * e.value for e in number.estimates])
    ranks = rankdata(np.round(values, 9), method="min", nan_policy="omit")
    sets = sorted(ties(M, [pair for pair, _ in apart]), key=lambda some: float(np.mean(ranks[list(some)])))
    G = int(runs[0].data.cluster.max()) + 1
    shares = rank_shares(lambda drawn: sign * number.statistic(drawn), G, M, RESAMPLES, settings.seed)
    standings = [
        Standing(
            estimate=estimate,
            rank=float(rank),
            rank_low=bounds[0],
            rank_high=bounds[1],
            shares=share.tolist(),
            letters=letter,
        )
        for estimate, rank, bounds, share, letter in zip(
            number.estimates, ranks, rank_bounds(M, better), shares, letters(sets, M), strict=True
        )
    ]
    name, title, what = words
    labels = [run.label for run in runs]
    tied = [[labels[i] for i in some] for some in sets]
    return Summary(
        name=name,
        title=title,
        what=what,
        lower_is_better=lower_is_better,
        standings=standings,
        differences=number.differences,
        ties=tied,
        sentence=summary_sentence(title, labels, standings, tied),
    )
