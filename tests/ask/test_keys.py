import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditkit.ask.keys import answer_key, digest_of, embedding_key, pixel_digest, render_key
from auditkit.ask.requests import model_identity
from auditkit.models.base import Request
from auditkit.tasks import Prompt
from auditkit.vocabulary import Perturbation

ALONE = (Perturbation("alone"),)
PROMPT = Prompt("You are careful.", "Rate this image.", ("1", "2"), 16)
BASE = {
    "pixels": "a" * 64,
    "prompt": PROMPT,
    "asking": (),
    "model_identity": "b" * 64,
    "batch_size": 32,
}


def test_one_changed_pixel_misses():
    image = np.zeros((16, 16), np.uint8)
    other = image.copy()
    other[7, 3] = 1
    assert pixel_digest(image) == pixel_digest(image.copy()) != pixel_digest(other)


def test_same_bytes_in_another_shape_or_type_miss():
    image = np.zeros((4, 9), np.uint8)
    digests = {pixel_digest(x) for x in (image, image.reshape(6, 6), image.reshape(4, 3, 3), image.view(np.int8))}
    assert len(digests) == 4


def test_memory_layout_does_not_matter():
    image = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert pixel_digest(image) == pixel_digest(np.asfortranarray(image)) == pixel_digest(image[::-1][::-1])


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": "c" * 64},
        {"prompt": Prompt(PROMPT.system, "Rate this picture.", PROMPT.choices, 16)},
        {"prompt": Prompt(None, PROMPT.user, PROMPT.choices, 16)},
        {"prompt": Prompt("", PROMPT.user, PROMPT.choices, 16)},
        {"prompt": Prompt(PROMPT.system, PROMPT.user, None, 16)},
        {"prompt": Prompt(PROMPT.system, PROMPT.user, ("2", "1"), 16)},
        {"prompt": Prompt(PROMPT.system, PROMPT.user, PROMPT.choices, 17)},
        {"prompt": Prompt(PROMPT.system, PROMPT.user, PROMPT.choices, 16, (("1", ("a bad image",)),))},
        {"asking": (Perturbation("again", 1),)},
        {"asking": (Perturbation("again", 2),)},
        {"asking": ALONE},
        {"model_identity": "d" * 64},
        {"batch_size": 16},
    ],
    ids=str,
)
def test_every_change_misses(change):
    assert answer_key(**{**BASE, **change}) != answer_key(**BASE)


def test_alone_is_a_question_of_its_own_even_with_batches_of_one():
    alone = answer_key(**{**BASE, "batch_size": 1, "asking": ALONE})
    assert alone != answer_key(**{**BASE, "batch_size": 1})


def test_alone_does_not_depend_on_the_batch_size():
    alone = {**BASE, "asking": ALONE}
    assert answer_key(**alone) == answer_key(**{**alone, "batch_size": 8})


def test_what_was_done_to_pixels_and_words_is_not_counted_twice():
    """Two conditions that give the same pixels and words are one question."""
    assert answer_key(**{**BASE, "asking": (Perturbation("brightness", 2),)}) == answer_key(**BASE)


@pytest.mark.parametrize("attribute", ["name", "revision", "fingerprint"])
def test_model_identity_changes_with_each_part(attribute, function_model):
    one, other = function_model(), function_model()
    setattr(other, attribute, "other")
    assert model_identity(one) != model_identity(other)


def test_model_without_attributes_has_an_identity():
    class Bare:
        def generate(self, requests: list[Request]) -> list:
            return []

    assert len(model_identity(Bare())) == 64


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.booleans()), max_size=4))
def test_digest_takes_any_text_and_keeps_borders(parts):
    assert digest_of(*parts) == digest_of(*parts)
    assert digest_of(*parts, "") != digest_of(*parts)
    assert digest_of("ab", "c") != digest_of("a", "bc")


def test_render_key_changes_with_everything_that_can_change_a_pixel():
    base = ("source", Perturbation("pixelate", 2), "1", "numpy 2", 7)
    others = [
        ("other", *base[1:]),
        (base[0], Perturbation("pixelate", 3), *base[2:]),
        (base[0], Perturbation("jpeg", 2), *base[2:]),
        (*base[:2], "2", *base[3:]),
        (*base[:3], "numpy 3", 7),
        (*base[:4], 8),
    ]
    assert len({render_key(*one) for one in [base, *others]}) == len(others) + 1


def test_keys_of_stored_answers_stay_what_they_are():
    """Changed keys would ask everything again that a store holds."""
    assert answer_key(**BASE) == "1d336bcbb16c9e071b0f017f42f15abba47d234781d743b508f4cde34b9fb18b"
    assert (
        answer_key(**{**BASE, "asking": (Perturbation("again", 1), *ALONE)})
        == "44d389205072bc408d382b44f2dfe2be01b431112e80b6130f634b942e06f587"
    )
    assert (
        render_key("s", Perturbation("pixelate", 2), "1", "numpy 2", 7)
        == "2699b580e378cb82e4172522547efc1897651d95e823ebefc05a9af23b857e26"
    )


def test_embedding_key_counts_words_only_where_there_are_words():
    def key(**changes) -> str:
        return embedding_key(
            **({"pixels": "a" * 64, "prompt": PROMPT, "kind": "language", "model_identity": "b"} | changes)
        )

    changed = [
        {"pixels": "c" * 64},
        {"prompt": Prompt(PROMPT.system, "Rate this picture.", PROMPT.choices, 16)},
        {"prompt": Prompt(None, PROMPT.user, PROMPT.choices, 16)},
        {"prompt": Prompt(PROMPT.system, PROMPT.user, None, 16)},
        {"kind": "vision"},
        {"model_identity": "d"},
    ]
    assert len({key(), *(key(**change) for change in changed)}) == len(changed) + 1
    assert key(prompt=Prompt(PROMPT.system, PROMPT.user, PROMPT.choices, 99)) == key()
    vision = {key(kind="vision", **change) for change in changed[1:4]}
    assert vision == {key(kind="vision")}, "image features do not depend on the words"
    assert key(kind="vision", pixels="c" * 64) not in vision
