import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auditkit.ask.half import Half, pack, unpack

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays(np.float32, st.integers(0, 40), elements=FLOAT32))
def test_every_finite_vector_comes_back_within_the_promised_error(vector):
    there = unpack(pack(vector))
    given_ = vector.astype(np.float64)
    largest = np.abs(given_).max(initial=0.0)
    assert there.shape == vector.shape
    assert (np.abs(there - given_) <= np.maximum(np.abs(given_) * 2.0**-11, largest * 2.0**-39)).all()
    full = np.abs(given_) >= largest * 2.0**-28
    assert (np.abs(there - given_)[full] <= np.abs(given_)[full] * 2.0**-11).all()


@given(arrays(np.float32, 8, elements=FLOAT32))
def test_what_was_stored_once_is_stored_the_same_again(vector):
    there = unpack(pack(vector))
    assert np.array_equal(unpack(pack(there)), there)


@pytest.mark.parametrize("largest", [1e-45, 1e-8, 1.0, 65504.0, 65520.0, 1e6, 3.4028235e38])
def test_nothing_overflows_and_nothing_fades_away(largest):
    vector = np.array([largest, -largest / 3, 0.0], dtype=np.float32)
    there = unpack(pack(vector))
    assert np.isfinite(there).all()
    assert there == pytest.approx(vector, rel=2.0**-11)
    if largest > 65504:
        with np.errstate(over="ignore"):
            assert np.isinf(vector.astype(np.float16)[0]), "what plain float16 would have made of it"


def test_two_bytes_per_number_little_endian():
    half = pack(np.array([1.0, -2.0], dtype=np.float32))
    assert (half.d, half.scale, half.blob) == (2, 2.0**-13, b"\x00\x70\x00\xf4")


@pytest.mark.parametrize("vector", [np.array([1.0, np.nan]), np.array([np.inf]), np.zeros((2, 2)), np.float64(3.0)])
def test_what_is_no_finite_vector_is_refused(vector):
    with pytest.raises(ValueError, match="embedding must"):
        pack(np.asarray(vector))


def test_bytes_that_are_too_few_are_seen():
    with pytest.raises(ValueError, match="3 bytes are not 2 numbers"):
        unpack(Half(2, 1.0, b"abc"))
