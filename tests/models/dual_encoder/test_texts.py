import re
from dataclasses import replace

import pytest

from auditkit import tasks
from auditkit.models.dual_encoder import texts
from auditkit.models.dual_encoder.texts import SCALES, class_texts, texts_digest

TEMPLATES = tasks.templates()
SENTENCES = [*tasks.placebos().values(), *(level.sentence for level in tasks.levels().values())]


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda t: t.id)
def test_every_template_has_statements_for_every_answer(template):
    found = class_texts(template)
    assert set(found) == ({"high", "low"} if template.format in SCALES else set(template.choices))
    every = [text for some in found.values() for text in some]
    assert len(set(every)) == len(every) >= 6
    assert not any("{" in text for text in every)
    for option in template.options:
        assert all(option.text in text for text in found[option.letter])


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda t: t.id)
def test_rows_differ_in_the_quality_only(template):
    """A side with more texts, longer ones or another beginning would differ by more than what it says."""
    for row in zip(*class_texts(template).values(), strict=True):
        if not template.options:
            assert len({len(text.split()) for text in row}) == 1, row
        assert len({text.split()[0] for text in row}) == 1, row


def test_a_context_sentence_follows_every_statement_of_every_class():
    for template in TEMPLATES.values():
        plain, said = class_texts(template), class_texts(template, SENTENCES[0])
        assert said == {name: tuple(f"{text} {SENTENCES[0]}" for text in some) for name, some in plain.items()}


def test_statements_and_sentences_leave_room_in_the_shortest_text_encoder():
    """64 tokens are SigLIP's limit; plain English takes about 1.3 tokens a word, and 1.5 is allowed for here."""
    longest = [
        text for t in TEMPLATES.values() for s in SENTENCES for some in class_texts(t, s).values() for text in some
    ]
    pieces = max(len(re.findall(r"\w+|[^\w\s]", text)) for text in longest)
    assert 1.5 * pieces + 2 < 64


def test_wordings_of_one_question_share_their_statements():
    direct, reader = class_texts(TEMPLATES["score_100.direct"]), class_texts(TEMPLATES["score_100.reader"])
    assert direct == reader == class_texts(TEMPLATES["rating_5.direct"])
    forth, back = (class_texts(TEMPLATES[f"options.{name}"]) for name in ("degradation", "degradation_reversed"))
    assert list(forth.values()) == list(back.values())[::-1]


def test_an_unlisted_template_uses_the_options_own_texts():
    template = replace(TEMPLATES["options.quality"], id="options.new")
    assert class_texts(template, "So.") == {o.letter: (f"{o.text} So.",) for o in template.options}


def test_the_digest_covers_every_word(monkeypatch):
    data, before = texts._data(), texts_digest()
    changed = {**data, "yes_no": {**data["yes_no"], "no": [*data["yes_no"]["no"][:-1], "A bad image."]}}
    monkeypatch.setattr(texts, "_data", lambda: changed)
    assert texts_digest() != before
