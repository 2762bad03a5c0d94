"""The prompt pack's audits of made-up models: what is planted in words or scales is found there and nowhere else."""

import re
from pathlib import Path

import numpy as np
import pytest

from auditkit import load_protocol, prompt
from auditkit.ask.plan import check_effects
from auditkit.errors import AuditkitError
from auditkit.judge.judge import Judge
from auditkit.judge.procedures import check_limits
from auditkit.protocol.effects import prompt_share
from auditkit.testing import say
from auditkit.vocabulary import Question
from tests.run.rounds import Answers, ask_all

SHIPPED = load_protocol(Path(__file__).parents[2] / "packs/prompt/protocol.toml")
RULES = SHIPPED.model_copy(update={"statistics": SHIPPED.statistics.model_copy(update={"resamples": 1000})})
N = 100
LEVELS = (0.0, 50.0, 100.0)
"""Points that every scale can say."""


def effects():
    return [effect for make in prompt.FAMILIES.values() for effect in make()]


@pytest.fixture
def verdicts(store, records):
    """Judge a model by its points: a function of the number of the image and of the question."""
    images = records(N, modalities=("ct",))
    numbers = {one.pictures[0].read().tobytes(): i for i, one in enumerate(images)}

    def verdicts(points):
        def answer(request):
            number = numbers[np.asarray(request.images[0].convert("L")).tobytes()]
            told = points(number, request.question)
            return told if isinstance(told, str) else say(told, request.question, RULES.catalogue)

        data, [who] = ask_all(store, images, effects(), {"model": Answers("model", answer)}, RULES)
        assert len(who.model.asked) == N * len(prompt.EVERY)
        judge = Judge(RULES, data, effects())
        return {effect.name: judge.audit(effect, "?") for effect in effects()}

    return verdicts


def seen(number, question):
    return LEVELS[number % 3]


def test_every_effect_can_be_asked_and_keeps_to_its_limits():
    for family, make in prompt.FAMILIES.items():
        check_effects(make(), SHIPPED)
        check_limits(make(), SHIPPED)
        declared = SHIPPED.families[family]
        assert declared.shown or declared.size == sum(len(effect.parts) for effect in make())


def test_a_model_that_sees_the_image_alone_owes_nothing_to_the_prompt(verdicts):
    found = verdicts(seen)
    for name, audit in found.items():
        if name.startswith("due-to"):
            assert (audit.estimate.value, audit.shown) == (0.0, True)
        elif name.startswith("scales"):
            assert {part.estimate.value for part in audit.parts} == {0.0}
        else:
            assert audit.verdict == "PASS", name
    assert found["due-to-words"].title == "Due to words"
    asked = found["due-to-scale-in-direct-wording"].treated.split(", ")
    assert set(asked) == {"quality.direct", "rating.direct", "prompt.to_10.direct", "grade.direct"}
    assert found["due-to-words-and-scale"].treated == "17 wordings"


def test_a_model_that_goes_by_one_wording_is_found_among_the_words(verdicts):
    """One of eight wordings gets 50 points whatever the image; the variances by hand, from the means."""

    def points(number, question):
        return 50.0 if question.wording == "terse" else 100.0 if number % 2 else 50.0

    found = verdicts(points)
    table = np.array([[points(i, question) for question in prompt.PARAPHRASES] for i in range(N)])
    n, k = table.shape
    row, column = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    rest = ((table - row - column + table.mean()) ** 2).sum() / (n - 1) / (k - 1)
    wording = (n * column.var() * k / (k - 1) - rest) / n
    image = (k * row.var() * n / (n - 1) - rest) / k
    share = found["due-to-words"].estimate
    assert share.value == pytest.approx(wording / (wording + image + rest))
    assert share.low < share.value < share.high
    assert found["wordings-to-100"].verdict == "FAIL"
    assert found["wordings-to-100"].estimate.value == pytest.approx(-25.0)
    assert {found[f"due-to-scale-in-{way}-wording"].estimate.value for way in prompt.SCALES} == {0.0}


def test_a_model_that_goes_by_the_scale_is_found_among_the_scales(verdicts):
    """On the scales of few steps everything is at its best: 50 of 100 points more of half the images."""

    def points(number, question):
        few = question.task not in ("quality", "prompt.to_100")
        return 100.0 if few or number % 2 else 50.0

    found = verdicts(points)
    assert found["due-to-words"].estimate.value == 0.0
    assert found["wordings-to-100"].verdict == "PASS"
    for way in prompt.SCALES:
        assert found[f"due-to-scale-in-{way}-wording"].estimate.value > 0.1
        parts = {part.part: part.estimate.value for part in found[f"scales-in-{way}-wording"].parts}
        assert parts["1-5 vs 0-100"] == parts["words vs 0-100"] == parts["0-10 vs 0-100"] == 25.0
        assert parts["words vs 1-5"] == parts["words vs 0-10"] == 0.0


def test_an_answer_on_another_scale_than_the_one_asked_for_is_counted_and_not_converted(verdicts):
    def points(number, question):
        return f"{seen(number, question):g}" if question.task == "prompt.to_10" else seen(number, question)

    found = verdicts(points)
    beyond = sum(seen(i, None) > 10 for i in range(N)) / N
    assert found["prompt.to_10.direct-unusable"].estimate.value == pytest.approx(beyond)
    assert found["prompt.to_10.direct-unusable"].verdict == "FAIL"
    assert re.search(r"\d+ images left out", found["due-to-scale-in-direct-wording"].sentence)
    assert found["wordings-to-100"].verdict == "PASS"


def test_only_values_of_one_range_are_shared_out():
    mixed = prompt_share([Question("quality", "direct"), Question("medq.reasoning.judged")], name="x", family="shares")
    with pytest.raises(AuditkitError, match="0 to 100, 0 to 2"):
        check_limits([mixed], SHIPPED)
