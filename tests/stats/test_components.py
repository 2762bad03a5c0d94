"""Shares of the variance: the analysis of variance by hand, and tables whose parts are known."""

import numpy as np
import pytest
from scipy import optimize, stats

from auditkit.stats.components import CONSTANT, FEW, _Patients, components

WORDINGS = np.array([-3.0, 0.0, 1.0, 2.0])


def table(n: int, seed: int, *, wording: float = 1.0, image: float = 5.0, noise: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return wording * WORDINGS + rng.normal(0, image, (n, 1)) + rng.normal(0, noise, (n, WORDINGS.size))


def anova(x: np.ndarray) -> tuple[float, float, float]:
    """Image, wording, residual from the mean squares of a two-way table."""
    n, k = x.shape
    rows, columns = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True)
    ms_rows = k * ((rows - x.mean()) ** 2).sum() / (n - 1)
    ms_columns = n * ((columns - x.mean()) ** 2).sum() / (k - 1)
    ms_rest = ((x - rows - columns + x.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    return (ms_rows - ms_rest) / k, (ms_columns - ms_rest) / n, ms_rest


def test_one_image_per_patient_is_the_analysis_of_variance():
    x = table(40, 1)
    found = components(x, np.arange(40), alpha=0.05)
    assert found.variances == pytest.approx(anova(x))
    image, wording, rest = anova(x)
    assert found.wording.estimate == pytest.approx(wording / (image + wording + rest))
    assert found.interaction.estimate == pytest.approx(rest / (image + wording + rest))
    assert found.image == pytest.approx(image / (image + wording + rest))


def test_the_mean_squares_are_those_of_statsmodels():
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    x = table(12, 2)
    n, k = x.shape
    long = pd.DataFrame({"y": x.ravel(), "i": np.repeat(np.arange(n), k), "w": np.tile(np.arange(k), n)})
    mean_sq = anova_lm(ols("y ~ C(i) + C(w)", long).fit())["mean_sq"]
    found = components(x, np.arange(n), alpha=0.05).variances
    rest = mean_sq["Residual"]
    assert found == pytest.approx(((mean_sq["C(i)"] - rest) / k, (mean_sq["C(w)"] - rest) / n, rest))


def test_copies_of_an_image_change_nothing():
    """A patient of whom every image is there three times says what he says once."""
    x = table(30, 3)
    times = np.where(np.arange(30) < 10, 3, 1)
    again = components(np.repeat(x, times, axis=0), np.repeat(np.arange(30), times), alpha=0.05)
    once = components(x, np.arange(30), alpha=0.05)
    assert again.variances == pytest.approx(once.variances)
    assert again.wording.high == pytest.approx(once.wording.high)
    assert (again.n_items, again.n_clusters) == (50, 30)


def test_components_of_several_images_per_patient_are_unbiased():
    """Mean over 400 tables of 12 patients with 1, 1, 2 and 4 images that share part of image and interaction."""
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(12), np.resize([1, 1, 2, 4], 12))
    found = []
    for _ in range(400):
        image = rng.normal(0, 3, 12)[codes] + rng.normal(0, 4, codes.size)
        rest = rng.normal(0, 1, (12, 4))[codes] + rng.normal(0, 2, (codes.size, 4))
        found.append(components(WORDINGS + image[:, None] + rest, codes, alpha=0.05).variances)
    error = np.std(found, axis=0) / 20
    truth = 25.0, WORDINGS.var(ddof=1), 5.0
    assert (np.abs(np.mean(found, axis=0) - truth) < 4 * error).all()


def test_wordings_that_only_shift_the_score_have_no_interaction():
    x = WORDINGS + np.arange(20.0)[:, None]
    found = components(x, np.arange(20), alpha=0.05)
    wording, image = WORDINGS.var(ddof=1), np.arange(20.0).var(ddof=1)
    assert found.wording.estimate == pytest.approx(wording / (wording + image))
    assert found.interaction.estimate == pytest.approx(0, abs=1e-12)
    assert np.isnan([found.interaction.low, found.interaction.high]).all()
    assert found.reason


def test_equal_wordings_have_a_lower_end_of_zero():
    found = components(table(50, 6, wording=0.0), np.arange(50), alpha=0.05)
    assert found.wording.low == 0
    assert 0 < found.wording.high < 0.1


def test_the_ends_of_the_noncentral_f_are_scipys():
    """Two wordings: F is the square of Student's t, so the noncentral t has to give the same ends."""
    rng = np.random.default_rng(9)
    x = rng.normal(0, 5, (400, 1)) + rng.normal(0, 1, (400, 2)) + [0.0, 0.5]
    found = components(x, np.arange(400), alpha=0.05)
    difference = x[:, 1] - x[:, 0]
    se, df = stats.sem(difference), 399
    t = difference.mean() / se
    others = found.variances[0] + found.variances[2]

    def share(quantile: float) -> float:
        """At the noncentral t whose square has this probability below the observed one."""
        # Below -t there is next to nothing.
        shift = se * optimize.brentq(lambda moved: stats.nct.cdf(t, df, moved) - quantile, 1, t + 5)
        return (shift**2 / 2) / (shift**2 / 2 + others)

    assert found.wording.low <= share(0.95) + 1e-4
    assert found.wording.high >= share(0.05) - 1e-4
    own = _Patients.of(x, np.arange(400)).wording_ends(np.array(found.variances), 0.05)
    assert own == pytest.approx((share(0.95), share(0.05)), rel=1e-4)


def test_ends_beyond_what_scipy_computes():
    """20,000 images and a clear difference: both ends are had, and lie where the normal distribution puts them."""
    x = np.random.default_rng(10).normal(0, 1, (20_000, 2)) + np.array([0.0, 1.0])
    patients = _Patients.of(x, np.arange(20_000))
    variances = patients.variances(patients.whole(), 20_000)
    d = x[:, 1] - x[:, 0]
    # The spread is estimated too: of a noncentral t far from 0 the variance is 1 + t^2 / (2 df).
    reach = stats.norm.ppf(0.95) * stats.sem(d) * np.sqrt(1 + (d.mean() / d.std(ddof=1)) ** 2 / 2)
    others = np.maximum(variances[[0, 2]], 0).sum()
    expected = [(d.mean() + sign * reach) ** 2 / 2 for sign in (-1, 1)]
    assert patients.wording_ends(variances, 0.05) == pytest.approx([w / (w + others) for w in expected], rel=1e-3)


def test_an_image_with_a_missing_answer_is_left_out_and_counted():
    x = table(40, 7)
    gaps = x.copy()
    gaps[3, 1] = gaps[20, 0] = gaps[20, 2] = np.nan
    found = components(gaps, np.arange(40), alpha=0.05)
    kept = np.delete(np.arange(40), [3, 20])
    assert found.n_left_out == 2
    assert found.variances == pytest.approx(anova(x[kept]))


def test_nothing_to_share_out_is_said_and_no_number():
    constant = components(np.full((30, 3), 50.0), np.arange(30), alpha=0.05)
    assert (constant.reason, np.isnan(constant.wording.estimate)) == (CONSTANT, True)
    few = components(np.array([[1.0, 2.0], [3.0, np.nan]]), [0, 1], alpha=0.05)
    assert (few.reason, few.n_clusters, few.n_left_out) == (FEW, 1, 1)


@pytest.mark.parametrize(("x", "words"), [(np.zeros((4, 1)), r"\(4, 1\)"), (np.zeros(4), r"\(4,\)")])
def test_what_is_no_table_is_refused(x, words):
    with pytest.raises(ValueError, match=words):
        components(x, np.arange(4), alpha=0.05)
