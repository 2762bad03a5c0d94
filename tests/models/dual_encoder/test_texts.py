import re
from dataclasses import replace

import pytest

from auditkit import perturbations, tasks
from auditkit.models.dual_encoder import texts
from auditkit.models.dual_encoder.texts import class_texts, on_scale, texts_digest
from auditkit.tasks import Task

TASKS = tasks.shipped()
SENTENCES = [e.parameters(0)["sentence"] for e in perturbations.shipped().values() if e.stage == "words"]


def options(task: Task):
    return getattr(task.scorer, "options", ())


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda t: t.id)
def test_every_task_has_statements_for_every_answer(task):
    found = class_texts(task)
    assert set(found) == ({"high", "low"} if on_scale(task) else set(task.scorer.choices))
    every = [text for some in found.values() for text in some]
    assert len(set(every)) == len(every) >= 6
    assert not any("{" in text for text in every)
    for option in options(task):
        assert all(option.text in text for text in found[option.letter])


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda t: t.id)
def test_rows_differ_in_the_quality_only(task):
    """A side with more texts, longer ones or another beginning would differ by more than what it says."""
    for row in zip(*class_texts(task).values(), strict=True):
        if not options(task):
            assert len({len(text.split()) for text in row}) == 1, row
        assert len({text.split()[0] for text in row}) == 1, row


def test_a_sentence_follows_every_statement_of_every_class():
    for task in TASKS.values():
        plain, said = class_texts(task), class_texts(task, SENTENCES[0])
        assert said == {name: tuple(f"{text} {SENTENCES[0]}" for text in some) for name, some in plain.items()}


def test_statements_and_sentences_leave_room_in_the_shortest_text_encoder():
    """64 tokens are SigLIP's limit; plain English takes about 1.3 tokens a word, and 1.5 is allowed for here."""
    longest = [text for t in TASKS.values() for s in SENTENCES for some in class_texts(t, s).values() for text in some]
    pieces = max(len(re.findall(r"\w+|[^\w\s]", text)) for text in longest)
    assert 1.5 * pieces + 2 < 64


def test_tasks_on_a_scale_share_their_statements():
    assert class_texts(TASKS["quality"]) == class_texts(TASKS["rating"])
    forth, back = (class_texts(TASKS[f"options.{name}"]) for name in ("degradation", "degradation_reversed"))
    assert list(forth.values()) == list(back.values())[::-1]


def test_an_unlisted_task_uses_the_options_own_texts():
    task = replace(TASKS["options.quality"], id="options.new")
    assert class_texts(task, "So.") == {o.letter: (f"{o.text} So.",) for o in options(task)}


def test_a_scorer_of_another_kind_has_no_statements():
    assert class_texts(replace(TASKS["quality"], scorer=object())) == {}


def test_the_digest_covers_every_word(monkeypatch):
    data, before = texts._data(), texts_digest()
    changed = {**data, "yes_no": {**data["yes_no"], "no": [*data["yes_no"]["no"][:-1], "A bad image."]}}
    monkeypatch.setattr(texts, "_data", lambda: changed)
    assert texts_digest() != before
