"""Versions against published Tango intervals, McNemar's test, exact enumeration, scipy's t test, and a slow drift."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from auditkit.stats.equivalence import EMPTY, FEW, SPARSE, UNION, equivalence
from auditkit.stats.missing import worst_case
from auditkit.stats.reduce import cluster_means
from auditkit.stats.versions import (
    HANGS_ON_MISSING,
    IDENTICAL,
    Baselines,
    accuracy_noninferiority,
    against_baselines,
    score_noninferiority,
)

OPTIONS = {"alpha": 0.05, "seed": 3, "resamples": 999}


def answers(both: int, only_new: int, only_base: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Correctness of the new version and of the base, from the four cells of their table."""
    cells = [both, only_new, only_base, neither]
    return np.repeat([True, True, False, False], cells), np.repeat([True, False, True, False], cells)


def accuracy(table, margin: float, alpha: float = 0.05, clusters=None):
    new, base = answers(*table)
    return accuracy_noninferiority(new, base, np.arange(new.size) if clusters is None else clusters, margin, alpha)


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [
        # Airway hyper-responsiveness (Bentur 2009) and complete response (Cavo 2012), both in Fagerland, Lydersen &
        # Laake (2017), Statistical Analysis of Contingency Tables, chapter 8; the R package has the figures too.
        ((1, 1, 7, 12), -0.517, -0.026),
        ((59, 6, 16, 80), -0.1240, -0.0054),
    ],
)
def test_published_intervals_of_tango(table, low, high):
    """The end that a pass needs is the published one; the other claims a loss and may be corrected by half an image."""
    result = accuracy(table, 0.1, alpha=0.025)
    assert result.low == pytest.approx(low, abs=0.0005 if low == -0.517 else 0.00005)
    assert high - 0.0005 <= result.high <= high + 0.5 / sum(table)
    assert result.estimate == pytest.approx((table[1] - table[2]) / sum(table))
    turned = accuracy((table[0], table[2], table[1], table[3]), 0.1, alpha=0.025)
    assert (turned.low, turned.high, turned.estimate) == pytest.approx((-result.high, -result.low, -result.estimate))


@pytest.mark.parametrize("table", [(40, 3, 12, 9), (10, 9, 1, 30), (200, 20, 20, 60), (5, 0, 8, 5)])
def test_at_a_margin_of_next_to_nothing_it_is_mcnemars_test(table):
    result = accuracy(table, 1e-9)
    both, only_new, only_base, neither = table
    two_sided = mcnemar([[both, only_new], [only_base, neither]], exact=False, correction=False).pvalue
    worse = only_base > only_new
    expected = two_sided / 2 if worse else 1 - two_sided / 2
    assert (result.p_fail, result.p_pass) == pytest.approx((expected, 1 - expected), abs=1e-7)


@given(
    st.integers(0, 40), st.integers(0, 12), st.integers(0, 12), st.integers(1, 40),
    st.sampled_from([1, 2, 4]), st.sampled_from([0.03, 0.1, 0.2]), st.sampled_from([0.025, 0.05]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_decision_interval_and_p_values_of_accuracy_agree(both, up, down, neither, images, margin, alpha):
    n = both + up + down + neither
    result = accuracy((both, up, down, neither), margin, alpha, np.random.default_rng(n).permutation(n) // images)
    assert -1 <= result.low <= result.estimate <= result.high <= 1
    assert (result.n_events, result.n_reversed, result.n) == (up, down, n)
    if result.n_clusters > 1 and min(abs(result.low + margin), abs(result.high + margin)) > 1e-9:
        assert (result.decision == "inside") == (result.low > -margin) == (result.p_pass < alpha)
        assert (result.decision == "beyond") == (result.high < -margin) == (result.p_fail < alpha)


def exact_pass_rate(n: int, margin: float, up: float, down: float) -> float:
    """Probability of a pass with one image per patient: a sum over all tables, no simulation."""
    total = 0.0
    for discordant in range(n + 1):
        chance = stats.binom.pmf(discordant, n, up + down)
        if chance < 1e-7:
            continue
        # In a given number of discordant images the pass is lost once, as more of them go to the base.
        few, many = -1, discordant + 1
        while many - few > 1:
            middle = (few + many) // 2
            passed = accuracy((n - discordant, discordant - middle, middle, 0), margin).decision == "inside"
            few, many = (middle, many) if passed else (few, middle)
        total += chance * stats.binom.cdf(few, discordant, down / (up + down))
    return total


@pytest.mark.parametrize(("n", "margin", "up"), [(24, 0.1, 0.02), (64, 0.1, 0.04), (48, 0.05, 0.01)])
def test_a_loss_of_exactly_the_margin_passes_no_more_often_than_stated(n, margin, up):
    assert 0.01 < exact_pass_rate(n, margin, up, up + margin) <= 0.062


@pytest.mark.parametrize(
    ("n", "margin", "power"), [(32, 0.1, 0.436), (64, 0.1, 0.803), (64, 0.05, 0.311), (128, 0.05, 0.578)]
)
def test_power_without_a_loss_is_what_the_notes_say(n, margin, power):
    assert exact_pass_rate(n, margin, 0.04, 0.04) == pytest.approx(power, abs=0.002)


def test_copies_of_an_image_are_no_evidence():
    new, base = answers(50, 2, 3, 9)
    alone = accuracy((50, 2, 3, 9), 0.1)
    copied = accuracy_noninferiority(np.repeat(new, 8), np.repeat(base, 8), np.repeat(np.arange(64), 8), 0.1, 0.05)
    assert (alone.decision, copied.n) == ("inside", 512)
    assert copied.design_effect == pytest.approx(8, abs=0.2)
    assert (copied.low, copied.high) == pytest.approx((alone.low, alone.high), abs=0.02)


def test_accuracy_of_one_patient_settles_nothing():
    one = accuracy((3, 0, 2, 1), 0.1, clusters=np.zeros(6, dtype=int))
    assert (one.low, one.high, one.p_pass, one.p_fail, one.decision) == (-1, 1, 1, 1, "open")
    assert one.estimate == pytest.approx(-1 / 3)


def test_a_fall_of_scores_is_tested_one_sided():
    rng = np.random.default_rng(0)
    base = rng.uniform(20, 80, 100)
    new = base - 2 + rng.normal(0, 6, 100)
    result = score_noninferiority(new, base, np.arange(100), 5.0, **OPTIONS)
    assert (result.decision, result.rule) == ("inside", UNION)
    assert result.p_pass == pytest.approx(DescrStatsW(new - base).ttest_mean(-5, alternative="larger")[1], rel=1e-9)
    assert result.p_pass == pytest.approx(stats.ttest_1samp(new - base, -5, alternative="greater").pvalue, rel=1e-9)
    better = score_noninferiority(base + 15, base, np.arange(100), 5.0, **OPTIONS)
    assert (better.decision, better.p_fail) == ("inside", 1)
    worse = score_noninferiority(new - 6, base, np.arange(100), 5.0, **OPTIONS)
    assert worse.p_fail == pytest.approx(stats.ttest_1samp(new - 6 - base, -5, alternative="less").pvalue, rel=1e-9)
    assert (worse.decision, worse.estimate) == ("beyond", pytest.approx((new - 6 - base).mean()))


def drift(steps: int, n: int = 128, fall: float = 2.0, sd: float = 6.0) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    versions = [np.full(n, 70.0) + rng.normal(0, 5, n)]
    for _ in range(steps):
        versions.append(versions[-1] - fall + rng.normal(0, sd, n).clip(-15, 15))
    return versions


def compare(new, references, margin=5.0, missing_points=25.0, clusters=None, **options) -> Baselines:
    codes = np.arange(len(new)) if clusters is None else clusters
    return against_baselines(new, references, codes, margin, missing_points=missing_points, **(OPTIONS | options))


def test_a_drift_passes_every_step_but_not_the_anchor():
    """Eight versions at -2 points each, margin 5: 16 points are gone and no single comparison has seen it."""
    versions = drift(8)
    found = [compare(v, {"previous": versions[k], "anchor": versions[0]}) for k, v in enumerate(versions[1:])]
    assert [f.against[0].decision for f in found] == ["inside"] * 8
    assert found[0].decision == "inside"
    assert all(f.decision != "inside" for f in found[2:])
    assert found[-1].decision == "beyond"
    assert found[-1].against[1].worst.complete.estimate == pytest.approx(-16, abs=2.5)


def test_all_references_must_be_passed_and_a_fail_is_corrected():
    rng = np.random.default_rng(4)
    new = rng.uniform(30, 70, 60)
    shifts = {"a": 0.0, "b": 7.0, "c": -3.0}
    references = {name: new + shift + rng.normal(0, 5, 60) for name, shift in shifts.items()}
    result = compare(new, references)
    assert [a.name for a in result.against] == ["a", "b", "c"]
    p = [stats.ttest_1samp(new - r, -5, alternative="less").pvalue for r in references.values()]
    assert result.p_fail == pytest.approx(multipletests(p, method="holm")[1].min(), rel=1e-6)
    assert result.p_pass == max(a.p_pass for a in result.against)
    alone = score_noninferiority(new, references["a"], np.arange(60), 5.0, **OPTIONS)
    complete = result.against[0].worst.complete
    assert (complete.low, complete.high) == pytest.approx((alone.low, alone.high), abs=1e-9)
    assert (complete.p_pass, complete.p_fail) == pytest.approx((alone.p_pass, alone.p_fail), abs=1e-12)


def test_a_fail_that_holm_does_not_confirm_is_open():
    rng = np.random.default_rng(5)
    base = rng.uniform(40, 60, 60)
    noise = rng.normal(0, 6, 60)
    shift = -5 - stats.t.ppf(1 - 0.03, 59) * stats.sem(noise) - noise.mean()
    new = base + noise + shift
    assert compare(new, {"previous": base}).decision == "beyond"
    two = compare(new, {"previous": base, "anchor": new + rng.normal(0, 3, 60)})
    assert [a.decision for a in two.against] == ["beyond", "inside"]
    assert (two.decision, two.p_fail) == ("open", pytest.approx(0.06, rel=1e-6))


def test_identical_answers_pass_by_name_with_the_interval_they_deserve():
    rng = np.random.default_rng(6)
    scores = np.where(rng.random(30) < 0.1, np.nan, 5 * np.round(rng.uniform(0, 20, 30)))
    result = compare(scores, {"previous": scores.copy()}, min_clusters=20)
    (only,) = result.against
    assert (only.decision, only.rule, result.decision) == ("inside", IDENTICAL, "inside")
    assert only.n_unscored == np.isnan(scores).sum() > 0
    # The core alone would have asked for 59 patients.
    n = 30 - only.n_unscored
    assert (only.worst.complete.rule, only.worst.complete.decision) == (SPARSE, "open")
    assert only.p_pass == pytest.approx(0.95**n, abs=1e-8)
    one_changed = scores.copy()
    one_changed[np.flatnonzero(~np.isnan(scores))[0]] += 5
    assert compare(one_changed, {"previous": scores}, min_clusters=20).decision == "open"
    one_gap = scores.copy()
    one_gap[np.flatnonzero(~np.isnan(scores))[0]] = np.nan
    assert compare(one_gap, {"previous": scores}, min_clusters=20).against[0].rule != IDENTICAL


def test_identity_of_a_handful_or_of_nothing_is_no_pass():
    few = compare(np.full(5, 60.0), {"previous": np.full(5, 60.0)})
    assert (few.decision, few.against[0].rule) == ("open", FEW)
    one_patient = compare(np.full(40, 60.0), {"p": np.full(40, 60.0)}, clusters=np.zeros(40, dtype=int))
    assert one_patient.decision == "open"
    silent = compare(np.full(40, np.nan), {"p": np.full(40, np.nan)})
    assert (silent.decision, silent.against[0].rule, silent.against[0].n_unscored) == ("open", EMPTY, 40)


def test_refusals_of_the_new_version_cannot_hide_a_loss():
    """It refuses every tenth image. What it still answers is as good as before; at -25 points each it would not be."""
    rng = np.random.default_rng(7)
    base = rng.uniform(40, 80, 120)
    new = base - 2.5 + rng.normal(0, 5, 120)
    new[::10] = np.nan
    result = compare(new, {"anchor": base})
    (only,) = result.against
    assert only.worst.complete.decision == "inside"
    assert (only.decision, only.rule, result.decision) == ("open", HANGS_ON_MISSING, "open")
    assert (only.worst.n_missing, only.worst.n) == (12, 120)
    filled = np.where(np.isnan(new), -25.0, new - base)
    core = equivalence(cluster_means(filled[:, None], np.arange(120)), -5, np.inf, **OPTIONS)[0]
    assert only.p_pass == pytest.approx(core.p_pass, abs=1e-9)
    assert only.p_pass > 0.05
    # The same gaps at 5 points each do not decide anything.
    assert compare(new, {"anchor": base}, missing_points=5.0).decision == "inside"
    # Gaps of the reference count alike: nothing is dropped without being asked.
    turned = compare(base - 2.5, {"anchor": np.where(np.isnan(new), np.nan, base + rng.normal(0, 5, 120))})
    assert turned.against[0].worst.n_missing == 12
    assert turned.against[0].rule == HANGS_ON_MISSING


@given(st.integers(0, 1000), st.floats(0, 0.3), st.floats(0, 0.3), st.sampled_from([0.0, 10.0, 100.0]))
@settings(max_examples=12, deadline=None)
def test_inside_is_what_all_three_worst_cases_say(seed, gaps_new, gaps_base, points):
    rng = np.random.default_rng(seed)
    base = 5 * np.round(rng.uniform(0, 20, 90))
    new = np.clip(base + 5 * rng.integers(-2, 4, 90), 0, 100)
    new[rng.random(90) < gaps_new], base[rng.random(90) < gaps_base] = np.nan, np.nan
    codes = np.arange(90) // 2
    (only,) = compare(new, {"b": base}, missing_points=points, clusters=codes).against
    asked = ~(np.isnan(new) & np.isnan(base))
    fills = {"lowest": -points, "highest": points}
    cases = worst_case((new - base)[asked], codes[asked], -5, np.inf, **fills, **OPTIONS)
    three = [cases.complete, cases.lowest, cases.highest]
    assert only.n_unscored == (~asked).sum()
    assert (only.decision == "inside") == all(c.decision == "inside" for c in three) == (only.p_pass <= 0.05)
    assert (only.decision == "beyond") == (cases.complete.decision == "beyond") == (only.p_fail <= 0.05)


def test_a_fall_on_the_margin_passes_no_more_often_than_promised():
    passes = 0
    for replicate in range(300):
        rng = np.random.default_rng(replicate)
        base = rng.uniform(30, 80, 32)
        passes += (
            compare(base - 5 + 6 * rng.normal(size=32).clip(-3, 3), {"p": base}, resamples=199).decision == "inside"
        )
    assert passes / 300 <= 0.065 + 3 * math.sqrt(0.065 * 0.935 / 300)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare(np.zeros(4), {"anchor": np.zeros(3)}), r"\(4,\), reference 'anchor' of shape \(3,\)"),
        (lambda: compare(np.zeros(4), {}), "references is empty"),
        (lambda: compare(np.zeros(4), {"a": np.zeros(4)}, missing_points=101.0), "missing_points lies between"),
        (lambda: compare(np.zeros(4), {"a": np.zeros(4)}, missing_points=math.nan), "missing_points lies between"),
        (lambda: compare(np.zeros(4), {"a": np.zeros(4)}, margin=0.0), "points above 0"),
        (lambda: compare(np.zeros(4), {"a": np.full(4, np.inf)}), "'a' holds an infinite number"),
        (lambda: compare(np.zeros((4, 1)), {"a": np.zeros(4)}), r"new must have shape \(n,\)"),
        (
            lambda: score_noninferiority(np.zeros(4), np.zeros(5), np.arange(4), 5.0, **OPTIONS),
            "align both by image id",
        ),
        (lambda: score_noninferiority(np.zeros(4), np.zeros(4), np.arange(4), -5.0, **OPTIONS), "points above 0"),
        (lambda: accuracy((5, 1, 1, 1), 5.0), "between 0 and 1"),
        (lambda: accuracy_noninferiority([True], [True, False], [0], 0.1, 0.05), "align both by image id"),
        (lambda: accuracy_noninferiority([1, 0], [1, 1], [0, 1], 0.1, 0.05), "one bool per image"),
    ],
)
def test_unusable_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
