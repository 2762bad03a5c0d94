"""The cache of decoded pixels: bounded, least recently used first out, shared between equal contents."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.images.cache import PixelCache
from auditkit.images.item import Picture, UnreadableImage


class Source:
    """Counts how often each content is decoded."""

    def __init__(self):
        self.decoded = []

    def record(self, content, size=100):
        def read():
            self.decoded.append(content)
            return np.full((1, size), ord(content[0]), np.uint8)

        return Picture(content, read)


def test_decodes_once_while_kept():
    source, cache = Source(), PixelCache(1000)
    first = cache.get(source.record("a"))
    assert cache.get(source.record("a")) is first
    assert source.decoded == ["a"]
    assert cache.held_bytes == 100
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_least_recently_used_goes_first():
    source, cache = Source(), PixelCache(250)
    for content in ("a", "b", "a", "c", "a", "b"):
        cache.get(source.record(content))
    assert source.decoded == ["a", "b", "c", "b"]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 60)), max_size=60), st.integers(0, 150))
def test_the_bound_holds_and_pixels_are_right(requests, bound):
    source, cache, sizes = Source(), PixelCache(bound), {}
    for content, size in requests:
        size = sizes.setdefault(content, size)
        pixels = cache.get(source.record(content, size))
        assert pixels.shape == (1, size)
        assert (pixels == ord(content)).all()
        assert cache.held_bytes <= bound
    assert cache.held_bytes == sum(array.nbytes for array in cache._kept.values())


def test_failures_are_not_kept():
    calls = []

    def read():
        calls.append(1)
        raise UnreadableImage("the image data is truncated")

    cache = PixelCache(1000)
    record = Picture("x", read)
    for _ in range(2):
        with pytest.raises(UnreadableImage, match="truncated"):
            cache.get(record)
    assert len(calls) == 2
    assert len(cache) == 0


def test_threads_share_it():
    source, cache = Source(), PixelCache(350)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda content: (content, cache.get(source.record(content))), "abcdefgh" * 50))
    assert all((pixels == ord(content)).all() for content, pixels in results)
    assert cache.held_bytes == 100 * len(cache) <= 350


def test_negative_bound():
    with pytest.raises(ValueError, match="must not be negative"):
        PixelCache(-1)
