import numpy as np
import pytest

from auditkit.ask.keys import pixel_digest
from auditkit.ask.render import Renderer
from auditkit.perturbations import Entry
from auditkit.perturbations.apply import perturb, perturbation_key
from auditkit.protocol.catalogue import Catalogue
from auditkit.vocabulary import Perturbation

NOISE = (Perturbation("gaussian_noise", 3),)
IMPULSES = (Perturbation("impulse_noise", 1),)
JPEG, REPUTATION = (Perturbation("jpeg", 2),), (Perturbation("institution.reputation.high"),)
CONDITIONS = [NOISE, (Perturbation("pixelate", 5),), JPEG, IMPULSES, (), (*JPEG, *NOISE), (*IMPULSES, *NOISE)]


@pytest.fixture
def renderer(store, protocol):
    def renderer(seed=1, catalogue=None):
        return Renderer(store, seed, catalogue or protocol.catalogue)

    return renderer


def rendered(renderer, some, conditions):
    return {
        (record.id, condition): pixel_digest(renderer.pixels(record, pixel_digest(renderer.clean(record)), condition))
        for record in some
        for condition in conditions
    }


def test_neither_order_nor_company_changes_a_pixel(renderer, records):
    some = records(3, side=48)
    first = rendered(renderer(), some, CONDITIONS)
    assert rendered(renderer(), some[::-1], CONDITIONS[::-1]) == first
    assert rendered(renderer(), some[1:2], [NOISE]).items() <= first.items()
    assert len(set(first.values())) == len(first)


def test_seed_changes_the_noise_and_nothing_else(renderer, records):
    (record,) = records(1, side=48)
    one, other = (rendered(renderer(seed), [record], CONDITIONS) for seed in (1, 2))
    changed = {condition for _, condition in one if one[record.id, condition] != other[record.id, condition]}
    assert changed == {NOISE, IMPULSES, (*JPEG, *NOISE), (*IMPULSES, *NOISE)}


def test_equal_images_get_equal_noise_wherever_they_are_stored(renderer, records):
    one, other = records.one("a", 7, 48), records.one("b", 7, 48)
    found = rendered(renderer(), [one, other], [NOISE])
    assert found["a", NOISE] == found["b", NOISE]


def test_clean_pixels_are_those_of_the_image_and_cannot_be_changed(renderer, records):
    (record,) = records(1)
    pixels = renderer().pixels(record, "digest", REPUTATION)
    assert np.array_equal(pixels, record.pictures[0].read())
    with pytest.raises(ValueError, match="read-only"):
        pixels[0, 0] = 0


def test_remembered_digests_need_no_pixels(renderer, store, records):
    (record,) = records(1, side=48)
    first = renderer()
    digest = pixel_digest(first.clean(record))
    described = first.describe(record, NOISE, first.shown(record, digest, NOISE))
    assert 0 < described.ssim < 1
    assert 5 < described.psnr < 40
    store.add_renders({first.key(record, digest, NOISE): described})
    records.reads.clear()
    known = renderer().known(record, digest, [NOISE, (), JPEG, (*NOISE, *JPEG)])
    assert list(known) == [NOISE, ()]
    assert known[NOISE] == described
    assert known[()].digest == digest
    assert renderer(2).known(record, digest, {NOISE}) == {}
    assert records.reads == {}


def test_images_are_decoded_once_while_the_cache_holds_them(renderer, records):
    (record,) = records(1)
    one = renderer()
    for condition in CONDITIONS:
        one.describe(record, condition, one.shown(record, "digest", condition))
    assert records.reads == {record.id: 1}


# --- several perturbations, and an author's own -----------------------------------------------------------------------


def test_one_perturbation_after_the_other(renderer, records, protocol):
    """The noise of the second depends on what it is put on, so that composed noise is not the same noise again."""
    (record,) = records(1, side=48)
    one, entry = renderer(), protocol.catalogue.entry
    digest = pixel_digest(one.clean(record))
    squeezed = one.pixels(record, digest, JPEG)
    key = perturbation_key(one.key(record, digest, JPEG), "gaussian_noise", 3, 1)
    expected = perturb(squeezed, entry("gaussian_noise"), 3, key)
    assert np.array_equal(one.pixels(record, digest, (*JPEG, *NOISE)), expected)
    again = perturbation_key(digest, "gaussian_noise", 3, 1)
    assert not np.array_equal(expected, perturb(squeezed, entry("gaussian_noise"), 3, again))


def test_words_and_repeats_do_nothing_to_a_picture(renderer, records):
    (record,) = records(1, side=48)
    one = renderer()
    digest = pixel_digest(one.clean(record))
    worded = (*JPEG, *REPUTATION, Perturbation("again", 1), Perturbation("alone"))
    assert one.key(record, digest, worded) == one.key(record, digest, JPEG)
    assert one.key(record, digest, worded[1:]) == digest
    assert np.array_equal(one.pixels(record, digest, worded), one.pixels(record, digest, JPEG))


def test_every_step_and_their_order_are_in_the_key(renderer, records):
    one, (record,) = renderer(), records(1)
    conditions = [(), JPEG, NOISE, (*JPEG, *NOISE), (*NOISE, *JPEG), (*JPEG, *NOISE, *JPEG)]
    assert len({one.key(record, "digest", condition) for condition in conditions}) == len(conditions)


def own(**changes) -> Catalogue:
    table = {"stage": "display", "function": "auditkit.perturbations.display.noise:gaussian_noise"}
    return Catalogue.of({"mine": table | {"levels": [{"sd": 0.1}]} | changes}, {}, "quality.direct")


def test_edited_parameters_of_an_authors_own_entry_render_again(renderer, records):
    """Nobody has to remember to raise the version; a shipped entry's parameters are held by tests instead."""
    condition, (record,) = (Perturbation("mine"),), records(1)
    keys = [
        renderer(1, own(**c)).key(record, "d", condition) for c in ({}, {"levels": [{"sd": 0.2}]}, {"version": "2"})
    ]
    assert len(set(keys)) == 3
    assert renderer(1, own(label="Mine")).key(record, "d", condition) == keys[0]
    assert isinstance(own().entry("mine"), Entry)
