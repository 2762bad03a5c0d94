"""Gaps between groups: what can be told with its sign and size, and what cannot be told is said."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from auditkit.errors import AuditkitError
from auditkit.judge.gap_levels import MAX_LEVELS
from auditkit.judge.judge import Judge
from auditkit.judge.looks import Look
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import Measurements
from auditkit.protocol.effects import areas, between, change, corruptions, falls, mean, share
from auditkit.protocol.shipped import subgroups
from auditkit.vocabulary import ATTRIBUTES, Perturbation
from tests.judge.build import FAMILIES, SCORE, answered, images, judged, measured, protocol

JPEG = Perturbation("jpeg", 3)


def rules(**statistics):
    families = {**FAMILIES, "mine": {"shown": True}}
    return protocol(families=families, statistics={"resamples": 1000, **statistics})


def gap(effect, column="sex", name=""):
    return between(column, effect, name=name, family="mine")


def of(audit):
    """The largest gap, and the levels in their order."""
    together, *levels = audit.parts
    assert together.stratum.level == "all"
    return together, {cell.stratum.level: cell for cell in levels}


def scores(records, per_level, column="sex", seed=1):
    """Scores by level: a mean and a standard deviation each."""
    rng = np.random.default_rng(seed)
    level = [r.attributes[column] for r in records]
    return np.clip([per_level[s][0] + rng.normal(0, per_level[s][1]) for s in level], 0, 100)


def test_a_planted_gap_is_found_with_its_sign_and_size():
    records = images(120, column=lambda i: {"sex": "FM"[i % 2]})
    values = scores(records, {"F": (45, 6), "M": (70, 12)})
    audit = judged(gap(mean()), measured(records, {(): answered(values)}), rules())
    together, levels = of(audit)
    women = np.array([r.attributes["sex"] == "F" for r in records])
    expected = values[women].mean() - values[~women].mean()
    assert together.estimate.value == pytest.approx(expected, abs=1e-6)
    assert together.estimate.low < expected < together.estimate.high < -15
    assert "F minus M" in together.sentence
    assert together.n_clusters == 120
    assert levels["F"].estimate.value == pytest.approx(values[women].mean(), abs=1e-6)
    assert levels["M"].estimate.value == pytest.approx(values[~women].mean(), abs=1e-6)
    assert audit.estimate == together.estimate
    assert audit.sentence.startswith("For information. Largest gap: −")
    assert (audit.shown, audit.between, audit.n_clusters) == (True, "sex", 120)
    assert not any(cell.required for cell in audit.parts)
    assert not any(cell.sentence.startswith("+") for cell in levels.values()), "a level is no change"


def test_the_interval_of_two_levels_is_at_least_welchs():
    """By scipy's t test of unequal variances; the bootstrap and the unseen patients joined to it can only widen it."""
    records = images(160, column=lambda i: {"sex": "FM"[i % 4 > 0]})
    values = scores(records, {"F": (50, 4), "M": (55, 15)}, seed=4)
    together, _ = of(judged(gap(mean()), measured(records, {(): answered(values)}), rules()))
    women = np.array([r.attributes["sex"] == "F" for r in records])
    welch = stats.ttest_ind(values[women], values[~women], equal_var=False).confidence_interval(0.90)
    assert together.estimate.level == pytest.approx(0.90)
    assert together.estimate.low <= welch.low + 1e-6
    assert together.estimate.high >= welch.high - 1e-6
    # One in 14 like the 40 women could be at either end of the scale: 1 - 0.05^(1/40) of 50 points to either side.
    room = 1 - 0.05 ** (1 / 40)
    ends = {"F": values[women].mean(), "M": values[~women].mean()}
    assert together.estimate.low == pytest.approx(ends["F"] - ends["M"] - room * ends["F"], abs=1e-5)
    assert together.estimate.high == pytest.approx(ends["F"] - ends["M"] + room * (100 - ends["F"]), abs=1e-5)


def test_the_gap_is_picked_so_its_interval_holds_for_every_pair():
    """Of four levels there are six pairs: Welch's interval of the two furthest apart at a sixth of the error."""
    records = images(160, column=lambda i: {"site": "abcd"[i % 4]})
    means = {"a": (40, 9), "b": (50, 9), "c": (52, 9), "d": (60, 9)}
    values = scores(records, means, "site", seed=8)
    together, _ = of(judged(gap(mean(), "site"), measured(records, {(): answered(values)}), rules()))
    a, d = (values[[r.attributes["site"] == s for r in records]] for s in "ad")
    welch = stats.ttest_ind(a, d, equal_var=False).confidence_interval(1 - 0.1 / 6)
    assert "Furthest apart of 4 levels of site: a minus d." in together.sentence
    assert together.estimate.value == pytest.approx(a.mean() - d.mean(), abs=1e-6)
    assert together.estimate.low <= welch.low + 1e-6
    assert together.estimate.high >= welch.high - 1e-6
    # One in 14 like the 40 of either could be at an end of the scale: 1 - 0.05^(1/40) of what lies between.
    room = 1 - 0.05 ** (1 / 40)
    down = max(a.mean(), 100 - d.mean())
    assert together.estimate.low == pytest.approx(min(welch.low, a.mean() - d.mean() - room * down), abs=0.3)


@pytest.mark.parametrize(
    ("level_of", "said"),
    [
        (lambda i: {"sex": "unknown"}, "^No image has a known sex: nothing can be told about it.$"),
        (lambda i: {}, "^No image has a known sex"),
        (lambda i: {"sex": "F" if i < 10 else "M"}, r"Too few patients \(fewer than 24\): F \(5\)\."),
        (lambda i: {"sex": "FM"[i % 2]}, "Some patients have images of two levels of sex"),
    ],
)
def test_what_cannot_be_told_is_said(level_of, said):
    """Two images of every patient, one after the other."""
    records = images(120, per_patient=2, column=level_of)
    audit = judged(gap(mean()), measured(records, {(): answered(np.linspace(30, 70, 120))}), rules())
    together, levels = of(audit)
    assert together.estimate.value is None
    assert (together.n_images, together.n_clusters) == (0, 0)
    assert re.search(said, together.sentence)
    assert together.sentence in audit.sentence
    assert audit.estimate.value is None
    assert all(cell.estimate.value is not None for cell in levels.values())
    assert [("too few" in cell.rule) for cell in levels.values()] == [c.n_clusters < 24 for c in levels.values()]


def test_unknown_is_shown_last_and_never_compared():
    """The many images without a site lie 40 points away from both sites."""
    records = images(200, column=lambda i: {"site": "ab"[i % 2] if i < 80 else ""})
    values = scores(records, {"a": (50, 5), "b": (52, 5), "": (92, 5)}, "site")
    together, levels = of(judged(gap(mean(), "site"), measured(records, {(): answered(values)}), rules()))
    assert list(levels) == ["a", "b", "unknown"]
    assert levels["unknown"].n_clusters == 120
    assert together.n_clusters == 80
    assert abs(together.estimate.value) < 6


def test_sizes_count_patients_with_a_value():
    """Site a has 60 patients, 50 of whom are refused: it is smaller than b's 30, and too small to be compared."""
    records = images(90, column=lambda i: {"site": "a" if i < 60 else "b"})
    values = np.linspace(30, 70, 90)
    values[:50] = np.nan
    data = measured(records, {(): answered(values)})
    together, levels = of(judged(gap(mean(), "site"), data, rules()))
    assert list(levels) == ["b", "a"]
    assert (levels["a"].n_images, levels["a"].n_clusters, levels["a"].rule) == (10, 10, "too few clusters")
    assert levels["a"].outcomes.refused == 50
    assert "a (10)" in together.sentence
    assert together.estimate.value is None
    together, levels = of(judged(gap(share("lost"), "site"), data, rules()))
    assert (list(levels), levels["a"].n_clusters, levels["a"].rule) == (["a", "b"], 60, "")
    assert together.estimate.value == pytest.approx(50 / 60, abs=1e-6)


def test_a_share_has_the_interval_of_a_share():
    """Clopper-Pearson, by scipy: 3 of 40 in one level, none of 40 in the other."""
    records = images(80, column=lambda i: {"sex": "FM"[i % 2]})
    values = np.full(80, 50.0)
    values[[0, 10, 20]] = np.nan
    audit = judged(gap(share("refused")), measured(records, {(): answered(values)}), rules())
    together, levels = of(audit)
    exact = stats.binomtest(3, 40).proportion_ci(0.90, method="exact")
    assert levels["F"].estimate.value == pytest.approx(3 / 40)
    assert (levels["F"].estimate.low, levels["F"].estimate.high) == pytest.approx((exact.low, exact.high), abs=1e-5)
    assert levels["M"].estimate.value == 0.0
    assert together.estimate.value == pytest.approx(3 / 40)
    assert together.estimate.low < 0 < together.estimate.high
    assert audit.unit == "share"


def test_patients_count_once_however_many_images_they_have():
    """A patient with three images at 90 weighs as much as one with a single image at 30."""
    records = [
        replace(r, cluster=f"p{i}" if i >= 90 else f"p{i // 3}", attributes={"sex": "FM"[i >= 150]})
        for i, r in enumerate(images(200))
    ]
    values = np.where(np.arange(200) < 90, 90.0, 30.0)
    together, levels = of(judged(gap(mean()), measured(records, {(): answered(values)}), rules()))
    assert levels["F"].n_clusters == 90
    assert levels["F"].estimate.value == pytest.approx((30 * 90 + 60 * 30) / 90)
    assert together.estimate.value == pytest.approx(50 - 30)


def test_many_levels_are_cut_and_those_with_a_value_stand_first():
    """Forty sites of three patients; the first is refused altogether and so the smallest."""
    records = images(130, column=lambda i: {"site": f"s{i % 40:02d}" if i < 120 else ""})
    values = np.linspace(20, 80, 130)
    values[0:120:40] = np.nan
    together, levels = of(judged(gap(mean(), "site"), measured(records, {(): answered(values)}), rules()))
    assert len(levels) == MAX_LEVELS + 1
    assert next(iter(levels)) == "s01"
    assert list(levels)[-1] == "unknown"
    assert "s00" not in levels
    assert "28 smaller levels are not shown." in together.sentence
    assert "and 32 more" in together.sentence


def test_a_level_without_any_value_says_so():
    records = images(60, column=lambda i: {"sex": "FM"[i % 2]})
    values = np.where(np.arange(60) % 2, np.nan, 50.0)
    _, levels = of(judged(gap(mean()), measured(records, {(): answered(values)}), rules()))
    assert levels["M"].estimate.value is None
    assert (levels["M"].n_clusters, levels["M"].outcomes.refused) == (0, 30)
    assert "too few to be compared" in levels["M"].sentence


def test_a_change_is_compared_too_and_is_written_with_its_sign():
    """Under compression the images of site a lose ten points, those of b gain two."""
    records = images(80, column=lambda i: {"site": "ab"[i % 2]})
    rng = np.random.default_rng(3)
    clean = rng.uniform(40, 60, 80)
    moved = clean + np.where(np.arange(80) % 2, 2.0, -10.0) + rng.normal(0, 1, 80)
    data = measured(records, {(): answered(clean), (JPEG,): answered(moved)})
    audit = judged(gap(change(JPEG), "site"), data, rules())
    together, levels = of(audit)
    difference = moved - clean
    assert together.estimate.value == pytest.approx(difference[::2].mean() - difference[1::2].mean(), abs=1e-6)
    assert levels["b"].sentence.startswith("+")
    assert audit.change
    assert audit.series == []


def test_the_same_level_has_the_same_interval_whoever_else_there_is():
    """Seeds depend on names, so taking other levels away moves nothing."""
    records = images(90, column=lambda i: {"site": "abc"[i % 3]})
    values = scores(records, {"a": (50, 9), "b": (60, 9), "c": (55, 9)}, "site")
    kept = [i for i, r in enumerate(records) if r.attributes["site"] != "c"]
    some = measured([records[i] for i in kept], {(): answered(values[kept])})
    _, every = of(judged(gap(mean(), "site"), measured(records, {(): answered(values)}), rules()))
    _, two = of(judged(gap(mean(), "site"), some, rules()))
    assert (two["a"], two["b"]) == (every["a"], every["b"])


def test_gaps_are_of_means_alone():
    with pytest.raises(AuditkitError, match="levels are compared by their means, not by the statistic 'area'"):
        check_limits([gap(areas("pixelate"))], rules())
    check_limits([gap(mean()), gap(falls("pixelate"))], rules())


def test_the_shipped_gaps_are_score_lost_and_mean_fall_of_every_attribute():
    effects = subgroups()
    assert [e.name for e in effects] == [f"{column}{s}" for column in ATTRIBUTES for s in ("", "-lost", "-falls")]
    fall = next(e for e in effects if e.name == "sex-falls")
    assert len(fall.parts) == 1
    assert len(fall.parts[0].terms) == 5 * len(corruptions()) + 1
    weights = {value.question: weight for weight, value in fall.parts[0].terms}
    assert sum(weights.values()) == pytest.approx(0, abs=1e-12)


def test_the_mean_fall_is_the_mean_of_the_falls():
    """Least squares by numpy over six steps, for every corruption by itself; then the mean over corruptions."""
    records = images(60, column=lambda i: {"sex": "FM"[i % 2]})
    rng = np.random.default_rng(5)
    clean = rng.uniform(60, 90, 60)
    columns, slopes = {(): answered(clean)}, []
    for name in corruptions():
        ladder = [clean - rng.uniform(0, 10) * step + rng.normal(0, 2, 60) for step in range(1, 6)]
        columns |= {(Perturbation(name, step),): answered(np.clip(v, 0, 100)) for step, v in enumerate(ladder, 1)}
        seen = np.stack([clean, *(np.clip(v, 0, 100) for v in ladder)])
        slopes.append(-np.polyfit(range(6), seen, 1)[0])
    truth = np.mean(slopes, axis=0)
    shipped = protocol(families={**FAMILIES, "subgroups": {"shown": True}})
    effect = next(e for e in subgroups() if e.name == "sex-falls")
    audit = judged(effect, measured(records, columns), shipped)
    together, levels = of(audit)
    assert levels["F"].estimate.value == pytest.approx(truth[::2].mean(), abs=1e-6)
    assert abs(together.estimate.value) == pytest.approx(abs(truth[::2].mean() - truth[1::2].mean()), abs=1e-6)
    assert audit.unit == "points per severity step"


def test_gaps_shown_of_questions_that_others_decide_keep_no_question_alive():
    """Of a decided placebo nothing more is asked because its gap is shown; what only the gap asks goes on."""
    own = gap(change(Perturbation("institution.neutral")), name="own")
    shown_of_both = gap(change(JPEG), name="others")
    settled = change(JPEG, name="settled", family="metadata")
    still = change(Perturbation("again", 1), name="open", family="metadata")
    records = images(60, column=lambda i: {"sex": "FM"[i % 2]})
    flat = answered(np.full(60, 60.0))
    noise = answered(60 + np.random.default_rng(2).normal(0, 15, 60))
    data = Measurements(
        records,
        {SCORE: flat, **{SCORE.under(p): flat for p in (JPEG, Perturbation("institution.neutral"))},
         SCORE.under(Perturbation("again", 1)): noise},
    )  # fmt: skip
    judge = Judge(rules(), data, [settled, still, own, shown_of_both], Look())
    assert judge.undecided() == (still, own)


def test_estimates_are_finite_numbers_or_missing():
    records = images(30, column=lambda i: {"sex": "FM"[i > 27]})
    audit = judged(gap(mean()), measured(records, {(): answered(np.full(30, 100.0))}), rules())
    for cell in audit.parts:
        for end in (cell.estimate.value, cell.estimate.low, cell.estimate.high):
            assert end is None or math.isfinite(end)
