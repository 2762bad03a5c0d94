"""Cluster means against a plain loop, and their invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auditkit.stats.reduce import cluster_means

VALUES = arrays(np.float64, (9, 3), elements=st.one_of(st.floats(-100, 100), st.just(float("nan"))))
CODES = arrays(np.int64, (9,), elements=st.integers(0, 4))


def by_hand(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    out = np.full((codes.max() + 1, values.shape[1]), np.nan)
    for g in range(len(out)):
        for c in range(values.shape[1]):
            present = [v for v in values[codes == g, c] if v == v]
            if present:
                out[g, c] = sum(present) / len(present)
    return out


@given(VALUES, CODES)
def test_equals_a_plain_loop_with_missing_values_left_out(values, codes):
    np.testing.assert_allclose(cluster_means(values, codes), by_hand(values, codes), rtol=1e-12, atol=1e-12)


@given(VALUES, CODES, st.randoms(use_true_random=False))
def test_order_of_the_images_does_not_matter(values, codes, random):
    order = list(range(9))
    random.shuffle(order)
    np.testing.assert_allclose(cluster_means(values[order], codes[order]), cluster_means(values, codes), atol=1e-12)


def test_a_patient_with_32_slices_weighs_as_much_as_one_with_a_single_image():
    values = np.append(np.full(32, 10.0), [0.0, -10.0])[:, None]
    means = cluster_means(values, np.append(np.zeros(32, dtype=int), [1, 2]))
    assert means.ravel().tolist() == [10.0, 0.0, -10.0]


def test_a_code_without_images_gives_a_missing_row():
    assert np.isnan(cluster_means(np.ones((2, 1)), np.array([0, 2]))[1, 0])


def test_no_images_give_no_clusters():
    assert cluster_means(np.empty((0, 4)), np.empty(0, dtype=int)).shape == (0, 4)


@pytest.mark.parametrize(
    ("values", "codes", "words"),
    [
        (np.ones(3), np.zeros(3, dtype=int), r"values\[:, None\]"),
        (np.ones((3, 1)), np.zeros(2, dtype=int), "one code per row"),
        (np.ones((2, 1)), np.array([0.0, 1.0]), "return_inverse"),
        (np.ones((2, 1)), np.array([0, -1]), "start at 0"),
        (np.array([[np.inf]]), np.array([0]), "infinite"),
    ],
)
def test_unusable_input_is_named(values, codes, words):
    with pytest.raises(ValueError, match=words):
        cluster_means(values, codes)
