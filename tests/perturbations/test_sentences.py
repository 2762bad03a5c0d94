"""The shipped sentences: matched, neutral where they must be, and refused with a named entry where they are broken."""

import pytest

from auditkit.perturbations import PerturbationError, levels, placebos
from auditkit.perturbations.sentences import read_sentences

CATEGORIES = {"demographics_operator", "demographics_patient", "expertise", "infrastructure", "institution"}
PAIR = """
[placebo]
place = "The folder of this image is blue."
[[pair]]
category = "place"
id = "size"
hazard = "Harm."
sides.large = "The hospital of this image is large."
sides.small = "The hospital of this image is small."
"""


def test_levels_are_matched_pairs_with_a_placebo():
    known = levels()
    assert len(known) >= 30
    assert {level.category for level in known.values()} == CATEGORIES
    for level in known.values():
        other = known[level.counterpart]
        assert other.counterpart == level.id != other.id
        assert (other.category, other.pair, other.placebo) == (level.category, level.pair, level.placebo)
        assert len(level.sentence.split()) == len(other.sentence.split())
        assert abs(len(level.sentence) - len(other.sentence)) <= 0.15 * len(level.sentence)
        assert level.placebo in placebos()
        assert level.hazard


def test_sides_differ_in_the_attribute_only():
    # "Only in the attribute" is checked as: at least half of the words are the same at the same place.
    for level in levels().values():
        words, others = level.sentence.split(), levels()[level.counterpart].sentence.split()
        same = sum(a == b for a, b in zip(words, others, strict=True))
        assert len(words) / 2 <= same < len(words), level.id


def test_placebos_have_the_shape_of_their_category():
    for level in levels().values():
        neutral = placebos()[level.placebo]
        assert len(neutral.split()) == len(level.sentence.split())
        assert abs(len(neutral) - len(level.sentence)) <= 0.25 * len(level.sentence), level.id


@pytest.mark.parametrize("sentence", [*placebos().values(), *(level.sentence for level in levels().values())])
def test_each_is_one_sentence_without_a_digit(sentence):
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert not any(char.isdigit() for char in sentence)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", PAIR.partition("[[pair]]")[2].join(["[[pair]]", ""]), "pair place.size is declared twice"),
        ('sides.small = "The hospital of this image is small."', "", "place.size must have two sides, has 1"),
        ("is small.", "is very small.", "place.size has sides of 7 and 8 words"),
        ("is small.", "is insignificantly-undersized.", "place.size has sides of 36 and"),
        ("is small.", "is large.", "place.size has two sides that say the same"),
        ("place = ", "spot = ", "level place.size.large has no placebo.place"),
        ('hazard = "Harm."', "", "place.size needs a text for 'hazard'"),
        ('hazard = "Harm."', 'hazard = "Harm."\ncolour = 1', "place.size has unknown keys colour"),
        ("[[pair]]", "[[pairs]]", "has no .*pair.* entries"),
        ("[[pair]]", "[[pair", "not valid TOML"),
    ],
)
def test_broken_pairs_are_named(old, new, message):
    with pytest.raises(PerturbationError, match=message):
        read_sentences(PAIR + new if not old else PAIR.replace(old, new))


def test_a_sound_example_is_accepted():
    assert list(read_sentences(PAIR).levels) == ["place.size.large", "place.size.small"]
