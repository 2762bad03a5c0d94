import numpy as np
import pytest

from auditkit.ask.keys import pixel_digest
from auditkit.ask.render import Renderer
from auditkit.vocabulary import Condition

NOISE = Condition("gaussian_noise", 3)
CONDITIONS = [NOISE, Condition("pixelate", 5), Condition("jpeg", 2), Condition("impulse_noise", 1), Condition()]


def rendered(renderer, some, conditions):
    return {
        (record.id, condition): pixel_digest(renderer.pixels(record, pixel_digest(renderer.clean(record)), condition))
        for record in some
        for condition in conditions
    }


def test_neither_order_nor_company_changes_a_pixel(store, records):
    some = records(3, side=48)
    first = rendered(Renderer(store, 1), some, CONDITIONS)
    assert rendered(Renderer(store, 1), some[::-1], CONDITIONS[::-1]) == first
    assert rendered(Renderer(store, 1), some[1:2], [NOISE]).items() <= first.items()
    assert len(set(first.values())) == len(first)


def test_seed_changes_the_noise_and_nothing_else(store, records):
    (record,) = records(1, side=48)
    one, other = (rendered(Renderer(store, seed), [record], CONDITIONS) for seed in (1, 2))
    changed = {condition.corruption for _, condition in one if one[record.id, condition] != other[record.id, condition]}
    assert changed == {"gaussian_noise", "impulse_noise"}


def test_equal_images_get_equal_noise_wherever_they_are_stored(store, records):
    one, other = records.one("a", 7, 48), records.one("b", 7, 48)
    found = rendered(Renderer(store, 1), [one, other], [NOISE])
    assert found["a", NOISE] == found["b", NOISE]


def test_clean_pixels_are_those_of_the_image_and_cannot_be_changed(store, records):
    (record,) = records(1)
    pixels = Renderer(store, 1).pixels(record, "digest", Condition())
    assert np.array_equal(pixels, record.read())
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


def test_remembered_digests_need_no_pixels(store, records):
    (record,) = records(1, side=48)
    renderer = Renderer(store, 1)
    digest = pixel_digest(renderer.clean(record))
    described = renderer.describe(record, renderer.pixels(record, digest, NOISE))
    assert 0 < described.ssim < 1
    assert 5 < described.psnr < 40
    store.add_renders({renderer.key(digest, NOISE): described})
    records.reads.clear()
    known = Renderer(store, 1).known(digest, {NOISE, Condition(), Condition("jpeg", 1)})
    assert set(known) == {NOISE, Condition()}
    assert known[NOISE] == described
    assert known[Condition()].digest == digest
    assert Renderer(store, 2).known(digest, {NOISE}) == {}
    assert records.reads == {}


def test_images_are_decoded_once_while_the_cache_holds_them(store, records):
    (record,) = records(1)
    renderer = Renderer(store, 1)
    for condition in CONDITIONS:
        renderer.describe(record, renderer.pixels(record, "digest", condition))
    assert records.reads == {record.id: 1}
