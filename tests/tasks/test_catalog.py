"""The wording: valid, matched, neutral where it must be, and refused with a named entry where it is broken."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from auditkit.errors import AuditkitError
from auditkit.tasks import catalog, context_sentence, digest, levels, parse, placebos, render, templates
from auditkit.tasks.catalog import SLOT, read_attributes, read_templates

CATEGORIES = {"demographics_operator", "demographics_patient", "expertise", "infrastructure", "institution"}

TEMPLATE = """
[[template]]
id = "options.x"
format = "options"
text = '''
Which?
A. noise
B. blur
{context}'''
options = [{ letter = "A", text = "noise", label = "noise" }, { letter = "B", text = "blur", label = "blur" }]
"""
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


def test_enough_wordings_of_every_format() -> None:
    count = Counter(template.format for template in templates().values())
    assert count["score_100"] >= 3
    assert count["rating_5"] >= 3
    assert min(count["grade"], count["yes_no"], count["options"]) >= 2
    assert all(name == template.id for name, template in templates().items())


def test_texts_of_one_format_differ() -> None:
    texts = [template.text for template in templates().values()]
    assert len(set(texts)) == len(texts)


def test_levels_are_matched_pairs_with_a_placebo() -> None:
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


def test_sides_differ_in_the_attribute_only() -> None:
    # "Only in the attribute" is checked as: at least half of the words are the same at the same place.
    for level in levels().values():
        words, others = level.sentence.split(), levels()[level.counterpart].sentence.split()
        same = sum(a == b for a, b in zip(words, others, strict=True))
        assert len(words) / 2 <= same < len(words), level.id


def test_placebos_have_the_shape_of_their_category() -> None:
    for level in levels().values():
        neutral = context_sentence(level.placebo)
        assert len(neutral.split()) == len(level.sentence.split())
        assert abs(len(neutral) - len(level.sentence)) <= 0.25 * len(level.sentence), level.id


@pytest.mark.parametrize("sentence", [*placebos().values(), *(level.sentence for level in levels().values())])
def test_context_is_one_sentence_that_no_format_reads(sentence: str) -> None:
    assert sentence.endswith(".")
    assert sentence.count(".") == 1
    assert not any(char.isdigit() for char in sentence)
    for template in templates().values():
        assert parse(sentence, template).outcome == "unparsed"


@pytest.mark.parametrize("template_id", templates())
@pytest.mark.parametrize("context_id", ["none", "institution.neutral", "institution.reputation.high"])
def test_echo_of_the_question_is_no_answer(template_id: str, context_id: str) -> None:
    template = templates()[template_id]
    prompt = render(template_id, context_id)
    assert parse(prompt.user, template).outcome == "unparsed"
    # An echo that is not word for word is not taken out beforehand: the rules themselves must hold.
    for near in (
        prompt.user[:-1],
        prompt.user.upper(),
        prompt.user.partition(" ")[2],
        f"{prompt.system}\n{prompt.user} ",
    ):
        answer = parse(near.replace("image", "picture"), template)
        assert answer.outcome == "unparsed", (near, answer)


@pytest.mark.parametrize("template_id", templates())
def test_answer_after_an_echo_is_read(template_id: str) -> None:
    template = templates()[template_id]
    given = {"score_100": "87", "rating_5": "4/5", "grade": "usable", "yes_no": "no", "options": "B"}[template.format]
    echoed = parse(f"{render(template_id).user}\n{given}", template)
    assert echoed == parse(given, template)
    assert echoed.outcome == "scored"


@pytest.mark.parametrize("template_id", templates())
def test_every_choice_is_an_answer(template_id: str) -> None:
    template = templates()[template_id]
    answers = [parse(choice, template) for choice in template.choices or ("0", "100")]
    assert {answer.outcome for answer in answers} == {"scored"}
    assert len({answer.value for answer in answers}) == len(answers)


def test_context_comes_last_and_shares_the_words_before_it() -> None:
    plain = render("score_100.direct")
    told = render("score_100.direct", "institution.reputation.high")
    assert told.user.startswith(plain.user + "\n")
    assert told.user.endswith(levels()["institution.reputation.high"].sentence)
    assert SLOT not in plain.user
    assert plain.user == plain.user.strip()


def test_context_sentence_of_none_is_empty() -> None:
    assert context_sentence("none") == ""


@pytest.mark.parametrize(
    ("call", "wrong", "near"),
    [
        (render, "score_100.direkt", "score_100.direct"),
        (context_sentence, "institution.reputaton.high", "institution.reputation.high"),
        (context_sentence, "institution.netural", "institution.neutral"),
        (lambda wrong: render("grade.direct", wrong), "expertise.trainings.low", "expertise.training.low"),
    ],
)
def test_unknown_ids_name_their_neighbours(call: Callable[[str], object], wrong: str, near: str) -> None:
    with pytest.raises(AuditkitError, match=near) as caught:
        call(wrong)
    assert wrong in caught.value.problem


def test_digest_follows_the_content_not_the_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest()
    assert len(before) == 64
    assert before == digest()
    original = catalog._packaged
    for old, new, changes in [
        ("# The questions put", "# Questions put", False),
        ("score = 67", "score = 66", True),
        ("is a man in his forties", "is a man in his fifties", True),
        ("named after a garden flower", "named after a garden shrubs", True),
    ]:
        monkeypatch.setattr(catalog, "_packaged", lambda name, old=old, new=new: original(name).replace(old, new))
        catalog._templates.cache_clear()
        catalog._attributes.cache_clear()
        assert (digest() != before) is changes, old
    monkeypatch.undo()
    catalog._templates.cache_clear()
    catalog._attributes.cache_clear()
    assert digest() == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("", TEMPLATE, "options.x is declared twice"),
        ('format = "options"', 'format = "option"', "options.x has format 'option'"),
        ("options.x", "grade.x", "grade.x must have an id of the form options.name"),
        ("\n{context}", "", "options.x must end with {context}"),
        ("Which?", "{context} Which?", "options.x must end with {context}"),
        ('letter = "B"', 'letter = "C"', "options.x has option letters 'AC'"),
        ('text = "blur"', 'text = "noise"', "options.x has two options with the same text"),
        ('text = "blur"', 'text = "smear"', "options.x must show the line 'B. smear'"),
        ('label = "blur"', "score = 101", "options.x gives option B the score 101"),
        ('label = "blur"', "score = 1", "options.x mixes scores and labels"),
        (', label = "blur"', "", "options.x must give option B either a score or a label"),
        ('format = "options"', 'format = "options"\nmax_new_tokens = 0', "options.x has max_new_tokens 0"),
        ('format = "options"', 'format = "options"\ncolour = 1', "options.x has unknown keys colour"),
        ('id = "options.x"', "", "number 1 needs a text for 'id'"),
        ("[[template]]", "[[templates]]", "has no .*template.* entries"),
        ("[[template]]", "[[template", "not valid TOML"),
    ],
)
def test_broken_templates_are_named(old: str, new: str, message: str) -> None:
    source = TEMPLATE + new if not old else TEMPLATE.replace(old, new)
    with pytest.raises(AuditkitError, match=message.replace("{", r"\{").replace("[[", r"\[\[")):
        read_templates(source)


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
    ],
)
def test_broken_pairs_are_named(old: str, new: str, message: str) -> None:
    with pytest.raises(AuditkitError, match=message):
        read_attributes(PAIR + new if not old else PAIR.replace(old, new))


def test_sound_examples_are_accepted() -> None:
    assert list(read_templates(TEMPLATE)) == ["options.x"]
    assert list(read_attributes(PAIR).levels) == ["place.size.large", "place.size.small"]


def test_import_is_light() -> None:
    code = (
        "import sys, auditkit.tasks as p; p.digest();"
        "heavy = {'numpy', 'scipy', 'torch', 'pydantic', 'pytest', 'PIL', 'transformers'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
