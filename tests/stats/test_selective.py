"""The most confident share: against counting by hand, and its spread against drawing again and again."""

import numpy as np
import pytest

from auditkit.stats.reduce import cluster_means
from auditkit.stats.selective import kept


def mean_of(found, clusters):
    return float(np.mean(cluster_means(found.values[:, None], np.asarray(clusters))))


def test_so_many_of_the_most_confident_are_counted():
    sure, right = [0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0]
    for share, wanted in ((0.2, 1.0), (0.4, 1 / 2), (0.6, 2 / 3), (0.8, 3 / 4), (1.0, 3 / 5)):
        assert mean_of(kept(sure, right, range(5), share), range(5)) == pytest.approx(wanted)


def test_of_equal_confidences_as_many_as_fit_are_counted_whatever_their_order(rng):
    """Half of four: the one at 0.9, and of the three at 0.8, of whom one is right, a third each."""
    sure, right = np.array([0.9, 0.8, 0.8, 0.8]), np.array([1, 1, 0, 0])
    for _ in range(5):
        order = rng.permutation(4)
        found = kept(sure[order], right[order], range(4), 0.5)
        assert mean_of(found, range(4)) == pytest.approx((1 + 1 / 3) / 2)


def test_what_has_no_confidence_comes_last():
    found = kept([0.1, np.nan, 0.2, np.nan], [1, 0, 1, 0], range(4), 0.5)
    assert mean_of(found, range(4)) == 1.0
    assert mean_of(kept([0.1, np.nan, 0.2, np.nan], [1, 0, 1, 0], range(4), 1.0), range(4)) == 0.5


def test_patients_have_equal_weight():
    """A patient's three images weigh a third each: half of the weight is the first patient's."""
    sure, right = [0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0]
    assert mean_of(kept(sure, right, [0, 0, 0, 1], 0.5), [0, 0, 0, 1]) == pytest.approx(2 / 3)


def test_the_spread_of_the_values_is_that_of_the_number(rng):
    """The chance to be right rises with the confidence, so that the threshold's own spread counts."""
    shares, spreads = [], []
    for _ in range(400):
        sure = rng.random(200)
        found = kept(sure, rng.random(200) < sure, range(200), 0.5)
        shares.append(mean_of(found, range(200)))
        spreads.append(np.std(found.values, ddof=1) / np.sqrt(200))
    assert np.mean(shares) == pytest.approx(0.75, abs=0.01)  # of confidences of 50 to 100 %
    # With the threshold taken as fixed it would be 0.0433 instead of 0.0468; the further side makes it a little wider.
    true = np.sqrt((0.5 * 0.75 * 0.25 + 0.25 * 0.25**2) / 0.25 / 200)
    assert np.std(shares) == pytest.approx(true, rel=0.1)
    assert true <= np.mean(spreads) <= 1.1 * true


def test_where_right_answers_jump_at_the_threshold_the_further_side_counts():
    """Half are kept and all right, the others all wrong: another threshold takes off as many as it lets in."""
    found = kept(np.linspace(1, 0, 40), [1] * 20 + [0] * 20, range(40), 0.5)
    assert sorted(set(found.values.tolist())) == [0.0, 2.0]


def test_values_lie_within_their_range(rng):
    for share in (0.1, 0.5, 0.8, 1.0):
        found = kept(rng.random(50), rng.random(50) < 0.5, range(50), share)
        assert found.least <= found.values.min()
        assert found.values.max() <= found.most
    assert (found.least, found.most) == pytest.approx((0.0, 1.0), abs=1e-6)


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_other_shares_are_refused(share):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        kept([0.5], [1], [0], share)


def test_right_answers_are_never_missing():
    with pytest.raises(ValueError, match="none is missing"):
        kept([0.5, 0.6], [1, np.nan], [0, 1], 0.5)
