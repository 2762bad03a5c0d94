"""Clustered rates against Clopper-Pearson, paired differences against a numerically maximised likelihood."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.proportion import proportion_confint

from auditkit.stats.rates import (
    MANY_PATIENTS,
    against_cap,
    clustered_rate,
    rate_difference,
    rate_difference_test,
    rate_test,
    tango_score,
)


def events(k: int, n: int) -> np.ndarray:
    return np.arange(n) < k


def discordant(up: int, down: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Treated and control outcomes with the given discordant counts, half of the rest events under both."""
    at = np.arange(n)
    both = (at >= up + down) & (at % 2 == 0)
    return (at < up) | both, ((at >= up) & (at < up + down)) | both


@pytest.mark.parametrize(("k", "n"), [(0, 64), (1, 64), (9, 64), (60, 64), (64, 64)])
def test_one_image_per_patient_is_clopper_pearson(k, n):
    rate = clustered_rate(events(k, n), np.arange(n), 0.05)
    assert (rate.low, rate.high) == pytest.approx(proportion_confint(k, n, 0.10, method="beta"), abs=1e-9)
    assert rate.design_effect == pytest.approx(1)
    p_pass, p_fail = rate_test(rate, 0.3)
    exact = stats.binomtest(k, n, 0.3, "less").pvalue, stats.binomtest(k, n, 0.3, "greater").pvalue
    for ours, theirs in zip((p_pass, p_fail), exact, strict=True):
        assert ours == pytest.approx(theirs if theirs < 0.5 else 1, rel=1e-6, abs=1e-11)


def test_design_effect_is_the_cluster_robust_variance_over_the_simple_one(rng):
    codes = np.sort(rng.integers(0, 80, 320))
    hit = rng.random(320) < rng.beta(0.5, 1.5, 80)[codes]
    robust = OLS(hit.astype(float), np.ones(320)).fit(
        cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False}
    )
    G = len(np.unique(codes))
    expected = robust.bse[0] ** 2 * G / (G - 1) / (hit.var(ddof=1) / 320)
    assert expected > 1.2
    assert G >= MANY_PATIENTS
    assert clustered_rate(hit, codes, 0.05).design_effect == pytest.approx(expected, rel=1e-9)


def test_patients_whose_images_fall_together_count_once():
    """Eight copies of each patient's image say no more than one image."""
    hit = events(7, 40)
    once, copied = (clustered_rate(np.repeat(hit, m), np.repeat(np.arange(40), m), 0.05) for m in (1, 8))
    assert copied.n == 320
    assert copied.high > 0.9 * once.high
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=0.015)


def test_few_events_take_the_worst_design_effect():
    codes = np.repeat(np.arange(16), 4)
    for k in (0, 1, 4, 60, 64):
        assert clustered_rate(events(k, 64), codes, 0.05).design_effect >= 4
    none = clustered_rate(events(0, 64), codes, 0.05)
    ratio = (stats.t.ppf(0.95, 63) / stats.t.ppf(0.95, 15)) ** 2
    assert none.high == pytest.approx(1 - 0.05 ** (1 / (16 * ratio)))


def test_one_patient_with_32_slices():
    codes = np.append(np.zeros(32, dtype=int), np.arange(1, 33))
    slices = clustered_rate(np.arange(64) < 32, codes, 0.05)
    assert slices.design_effect > 10
    assert slices.high > 0.9


@given(st.integers(0, 40), st.sampled_from([1, 2, 4]), st.floats(0.02, 0.9), st.sampled_from([0.01, 0.025, 0.05]))
@settings(deadline=None, max_examples=50)
def test_decision_and_p_values_of_a_rate_agree(k, images, cap, alpha):
    order = np.random.default_rng(k).permutation(40)
    result = against_cap(clustered_rate(events(k, 40)[order], np.arange(40) // images, alpha), cap)
    if min(abs(result.high - cap), abs(result.low - cap)) > 1e-7:
        assert (result.decision == "inside") == (result.p_pass < alpha)
        assert (result.decision == "beyond") == (result.p_fail < alpha)
    mirrored = clustered_rate(~events(k, 40)[order], np.arange(40) // images, alpha)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((result.low, result.high), abs=1e-9)


def likelihood_score(up: int, down: int, n: int, difference: float) -> float:
    """Tango's statistic with the nuisance parameter found by maximising the likelihood numerically."""

    def loss(q: float) -> float:
        both = 1 - 2 * q - difference
        return -(
            (up * np.log(q + difference) if up else 0)
            + (down * np.log(q) if down else 0)
            + ((n - up - down) * np.log(both) if n - up - down else 0)
        )

    ends = max(0.0, -difference) + 1e-11, (1 - difference) / 2 - 1e-11
    q = optimize.minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    return (up - down - n * difference) / np.sqrt(n * (2 * q + difference * (1 - difference)))


@pytest.mark.parametrize(("up", "down", "n"), [(0, 5, 44), (9, 0, 60), (12, 9, 80), (1, 14, 30), (20, 20, 50)])
def test_tangos_score_uses_the_maximum_likelihood_under_the_hypothesis(up, down, n):
    for difference in (-0.6, -0.2, -0.05, 0.03, 0.15, 0.5):
        ours, theirs = tango_score(up, down, n, difference), likelihood_score(up, down, n, difference)
        gap = up - down - n * difference
        if gap * difference > 0:  # farther from 0 than the hypothesis: half a count nearer, not past it
            theirs *= max(0, 1 - min(0.5, n * abs(difference)) / abs(gap))
        assert ours == pytest.approx(theirs, abs=2e-4)


@given(st.integers(0, 30), st.integers(0, 30), st.floats(1, 4), st.floats(-0.9, 0.9))
@settings(deadline=None, max_examples=60)
def test_the_score_falls_with_the_hypothesis_and_mirrors(up, down, effect, difference):
    counts = up / effect, down / effect, 64 / effect
    line = [tango_score(*counts, d) for d in np.linspace(-0.95, 0.95, 191)]
    assert (np.diff(line) <= 1e-9).all()
    mirrored = tango_score(counts[1], counts[0], counts[2], -difference)
    assert mirrored == pytest.approx(-tango_score(*counts, difference), abs=1e-9)
    gap = counts[0] - counts[1] - counts[2] * difference
    assert tango_score(*counts, difference) * gap >= 0


def test_against_no_difference_it_is_mcnemars_test():
    for up, down in ((3, 9), (12, 2), (0, 4)):
        assert tango_score(up, down, 50, 0.0) == pytest.approx((up - down) / np.sqrt(up + down))


def sizes(n: int, up: float, down: float) -> tuple[float, float]:
    """Exact probability that n single images bound a difference below and above the true one: a sum over all counts."""
    ups, downs = np.divmod(np.arange((n + 1) ** 2), n + 1)
    possible = ups + downs <= n
    table = np.array([ups, downs, n - ups - downs])[:, possible]
    chance = stats.multinomial.pmf(table.T, n, [up, down, 1 - up - down])
    z = stats.norm.ppf(0.95)
    score = np.array(
        [
            tango_score(int(u), int(d), n, up - down) if p > 1e-12 else 0.0
            for u, d, p in zip(*table[:2], chance, strict=True)
        ]
    )
    return float(chance[score < -z].sum()), float(chance[score > z].sum())


@pytest.mark.parametrize(
    ("n", "up", "down"),
    # Each was found larger in 0.060 to 0.074 without the correction.
    [(32, 0.18, 0.08), (48, 0.10, 0.05), (48, 0.15, 0.05), (64, 0.08, 0.03), (128, 0.06, 0.01), (256, 0.02, 0.0)],
)
def test_single_images_at_the_cap_err_with_about_alpha_computed_exactly(n, up, down):
    below, above = sizes(n, up, down)
    assert 0.02 < below < 0.057
    assert 0.02 < above < 0.057


def test_tangos_published_example():
    """Contact lens study of the paper: 43 pairs good in both, 0 / 1 discordant, n = 44; 95 % interval -0.1184, 0.0571.

    Its end points are checked by what defines them: the score there is +-1.96.
    """
    treated, control = discordant(0, 1, 44)
    result = rate_difference(treated, control, np.arange(44), 0.025)
    for end, z in ((result.low, 1.959964), (result.high, -1.959964)):
        assert likelihood_score(0, 1, 44, end) == pytest.approx(z, abs=2e-3)


def test_no_discordant_image_has_the_closed_form():
    result = rate_difference(*discordant(0, 0, 100), np.arange(100), 0.05)
    z2 = stats.norm.ppf(0.95) ** 2
    assert result.estimate == 0
    assert (result.low, result.high) == pytest.approx((-z2 / (100 + z2), z2 / (100 + z2)), abs=1e-9)


def test_no_discordant_image_of_clustered_ones_is_wider():
    alone = rate_difference(*discordant(0, 0, 100), np.arange(100), 0.05)
    four = rate_difference(*discordant(0, 0, 100), np.arange(100) // 4, 0.05)
    t2 = stats.t.ppf(0.95, 24) ** 2
    assert four.high == pytest.approx(t2 / (25 + t2))  # as of 25 patients with an image each
    assert four.high > 2 * alone.high


def test_clustered_images_count_as_their_effective_number():
    """Copies of an image add nothing; the scores at the ends, of the effective counts, are Student's quantiles."""
    treated, control = discordant(14, 4, 60)
    once, copied = (
        rate_difference(np.repeat(treated, m), np.repeat(control, m), np.repeat(np.arange(60), m), 0.05) for m in (1, 8)
    )
    assert once.design_effect == pytest.approx(1)
    assert copied.design_effect == pytest.approx(8, rel=0.02)
    assert (copied.low, copied.high) == pytest.approx((once.low, once.high), abs=0.012)
    t = stats.t.ppf(0.95, 59)
    counts = np.array([copied.n_events, copied.n_reversed, copied.n]) / copied.design_effect
    assert tango_score(*counts, copied.low) == pytest.approx(t, abs=1e-6)
    assert tango_score(*counts, copied.high) == pytest.approx(-t, abs=1e-6)


def test_few_patients_with_a_discordant_image_take_the_worst_design_effect():
    """Nine patients whose images differ on their own show no correlation, and too few patients to say so."""
    codes = np.repeat(np.arange(64), 4)
    nine, ten = (np.isin(np.arange(256), 4 * np.arange(k)) for k in (9, 10))
    nothing = np.zeros(256, dtype=bool)
    assert rate_difference(nine, nothing, codes, 0.05).design_effect == 4
    assert rate_difference(ten, nothing, codes, 0.05).design_effect == pytest.approx(1)
    assert rate_difference(nothing, np.isin(codes, [1, 2, 3]), codes, 0.05).design_effect >= 4  # 12 images of 3


@given(st.integers(0, 15), st.integers(0, 15), st.sampled_from([1, 2, 5]), st.sampled_from([0.025, 0.05]))
@settings(deadline=None, max_examples=40)
def test_decision_and_p_values_of_a_difference_agree_and_mirror(up, down, images, alpha):
    treated, control = discordant(up, down, 40)
    codes = np.random.default_rng(up).permutation(40) // images
    result = rate_difference(treated, control, codes, alpha)
    assert -1 <= result.low <= result.estimate <= result.high <= 1
    for cap in (-0.3, -0.05, 0.0, 0.04, 0.1, 0.5):
        p_pass, p_fail = rate_difference_test(result, cap)
        assert p_pass + p_fail == pytest.approx(1)
        if min(abs(result.high - cap), abs(result.low - cap)) > 1e-7:
            assert (p_pass < alpha) == (result.high < cap)
            assert (p_fail < alpha) == (result.low > cap)
    mirrored = rate_difference(control, treated, codes, alpha)
    assert (mirrored.low, mirrored.high) == pytest.approx((-result.high, -result.low), abs=1e-9)


def test_all_images_change():
    result = rate_difference(np.ones(30, dtype=bool), np.zeros(30, dtype=bool), np.arange(30), 0.05)
    assert (result.estimate, result.high) == (1, 1)
    z2 = stats.norm.ppf(0.95) ** 2
    assert (30 * (1 - result.low) - 0.5) ** 2 == pytest.approx(z2 * 30 * (1 - result.low**2), abs=1e-9)
    assert 0.75 < result.low < (30 - z2) / (30 + z2)  # without the correction
    assert against_cap(result, 0.1).decision == "beyond"


def test_one_cluster_and_no_images_settle_nothing():
    one = clustered_rate(events(2, 6), np.zeros(6, dtype=int), 0.05)
    assert (one.low, one.high, one.n_events) == (0, 1, 2)
    assert rate_test(one, 0.1) == (1, 1)
    none = clustered_rate(np.empty(0, dtype=bool), np.empty(0, dtype=int), 0.05)
    assert np.isnan(none.estimate)
    assert against_cap(none, 0.1).decision == "open"
    pair = rate_difference(events(2, 6), events(0, 6), np.zeros(6, dtype=int), 0.05)
    assert (pair.low, pair.high) == (-1, 1)
    assert rate_difference_test(pair, 0.1) == (1, 1)


def test_unusable_input_is_named():
    codes = np.arange(4)
    with pytest.raises(ValueError, match="one bool per image"):
        clustered_rate(np.zeros(4), codes, 0.05)
    with pytest.raises(ValueError, match="control must be"):
        rate_difference(events(1, 4), np.zeros(4), codes, 0.05)
    with pytest.raises(ValueError, match="error per side"):
        clustered_rate(events(1, 4), codes, 0.5)
    with pytest.raises(ValueError, match="cap is a rate"):
        rate_test(clustered_rate(events(1, 4), codes, 0.05), 5)
    with pytest.raises(ValueError, match="difference of rates"):
        rate_difference_test(rate_difference(events(1, 4), events(0, 4), codes, 0.05), 1)


@pytest.mark.parametrize("sizes", [(1, 1), (1, 2), (1, 1, 1), (2, 1, 1), (1, 1, 1, 1, 1), (3, 2), (8, 1, 1, 1)])
def test_a_handful_of_patients_gives_a_verdict_and_no_nan(sizes):
    """Five DICOM files of five patients crashed the test against a cap: scipy's t quantile is 0 / 0 near one half."""
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    for events in range(len(clusters) + 1):
        hit = np.arange(len(clusters)) < events
        result = against_cap(clustered_rate(hit, clusters, 0.05), 0.10)
        assert 0 <= result.low <= result.estimate <= result.high <= 1
        assert 0 < result.p_pass <= 1
        assert 0 < result.p_fail <= 1
        assert (result.decision == "inside") == (result.high < 0.10)


@pytest.mark.parametrize("difference", [False, True])
def test_a_rare_patient_in_whom_all_fails_is_not_hidden_by_events_that_fall_anywhere(difference):
    """32 patients of 20 images exactly at the limit: 4 % of them fail throughout, and 1 % of all images anyhow."""
    rng, limit, passed = np.random.default_rng(5), 0.05, 0
    codes = np.repeat(np.arange(32), 20)
    for _ in range(200):
        hit = (rng.random(32) < 0.04)[codes] | (rng.random(codes.size) < 0.01 / 0.96)
        before = rng.random(codes.size) < 0.0 if difference else None
        found = rate_difference(hit, before, codes, 0.05) if difference else clustered_rate(hit, codes, 0.05)
        passed += found.high < limit
    assert passed <= 0.09 * 200
