"""The description pack's audits: a model that sees more than it says, one that says more than it uses, and deciders."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auditkit import description, load_protocol
from auditkit.ask.plan import check_effects
from auditkit.judge.judge import Judge
from auditkit.judge.procedures import check_limits
from auditkit.vocabulary import Question
from tests.run.rounds import Answers, ask_all

SHIPPED = load_protocol(Path(__file__).parents[2] / "packs/description/protocol.toml")
RULES = SHIPPED.model_copy(update={"statistics": SHIPPED.statistics.model_copy(update={"resamples": 1000})})
N = 200
ILL = "Dense areas in the left lung."
WELL = "Both lungs are clear."


def effects():
    return [e for make in description.FAMILIES.values() for e in make() if e.name.startswith("pneumonia")]


@pytest.fixture
def images(records):
    """Half of the patients are ill."""
    found = []
    for i, one in enumerate(records(N, modalities=("xray",))):
        found.append(replace(one, columns={**one.columns, "label": "viral" if i % 2 else "normal"}))
    return found


@pytest.fixture
def seen(images):
    """Number of an image by its pixels."""
    numbers = {one.pictures[0].read().tobytes(): i for i, one in enumerate(images)}
    return lambda request: numbers[np.asarray(request.images[0].convert("L")).tobytes()]


def letter(request, *, ill):
    lines = [line for line in request.prompt.splitlines() if re.match(r"[A-Z]\. ", line)]
    healthy = next(line[0] for line in lines if "no pneumonia" in line)
    return next(line[0] for line in lines if (line[0] != healthy) == ill)


def reads(request):
    return letter(request, ill=ILL in request.prompt)


@pytest.fixture
def verdicts(store, images, seen):
    """Judge a model that knows some of the images and tells some of them, with a decider."""

    def verdicts(knows, tells, decide):
        def answer(request):
            number = seen(request)
            if "Describe" in request.prompt:
                return ILL if (number % 2 == 1) == tells(number) else WELL
            return letter(request, ill=(number % 2 == 1) == knows(number))

        models = {"model": Answers("model", answer), "decider": Answers("decider", decide)}
        data, _ = ask_all(store, images, effects(), models, RULES)
        judge = Judge(RULES, data, effects())
        return {effect.name: judge.audit(effect, "?") for effect in effects()}, data, models

    return verdicts


def always(number):
    return True


def test_every_effect_can_be_asked_and_keeps_to_its_limits():
    for family, make in description.FAMILIES.items():
        check_effects(make(), SHIPPED)
        check_limits(make(), SHIPPED)
        declared = SHIPPED.families[family]
        assert declared.shown or declared.size == len(make())
    assert set(SHIPPED.families) == set(description.FAMILIES)


def test_what_the_image_says_beyond_the_description_is_paired_item_by_item(verdicts):
    """Right from every image, and a fifth of the descriptions mislead: 20 points beyond, each item its own pair."""
    found, data, models = verdicts(always, lambda i: i % 5 != 0, reads)
    told = found["pneumonia-beyond-description"]
    assert told.estimate.value == pytest.approx(0.2)
    assert told.title == "Pneumonia, letters vs described: right answers"
    assert told.sentence.startswith("For information. Difference in right answers +20.0 [")
    assert "percentage points over 200 patients" in told.sentence
    own, decided = (
        data.column(Question(f"pneumonia.{kind}", "direct")).value("correct") for kind in ("letters", "described")
    )
    # The interval is that of the paired differences; of two samples it would be as wide with the same means.
    assert told.parts[0].sd == pytest.approx(float(np.std(own - decided, ddof=1)), abs=1e-6)
    assert all(not request.images for request in models["decider"].asked)
    for ending in ("", "-unnamed"):  # the model tells both alike
        assert found[f"pneumonia-described-not-used{ending}"].verdict == "PASS"
        assert found[f"pneumonia.described{ending.replace('-', '_')}-skill"].verdict == "PASS"
    assert found["pneumonia-described-named-vs-unnamed"].verdict == "PASS"


def test_what_is_described_and_not_used_is_found(verdicts):
    """All is described and a third is answered wrongly: the model says what it saw and answers otherwise."""
    found, *_ = verdicts(lambda i: i % 3 != 0, always, reads)
    told = found["pneumonia-described-not-used"]
    assert told.estimate.value == pytest.approx(67 / N)  # of 0 to 199 are multiples of 3
    assert told.verdict == "FAIL"
    assert told.title == "Pneumonia, described vs letters: right answers"


@pytest.mark.parametrize(
    "decide",
    [
        lambda request: letter(request, ill=True),  # repeats the finding that the question names
        lambda request: letter(request, ill=False),
    ],
    ids=["the words of the question", "always the same"],
)
def test_a_decider_that_parrots_is_seen_and_proves_nothing(verdicts, decide):
    """It is right in half, whatever is described: no skill, and the small loss it finds is no PASS."""
    found, *_ = verdicts(lambda i: i % 3 != 0, always, decide)
    assert found["pneumonia.described-skill"].estimate.value == pytest.approx(0.0)
    assert found["pneumonia.described-skill"].verdict == "FAIL"
    unused = found["pneumonia-described-not-used"]
    assert unused.estimate.value == pytest.approx(1 / 2 - 133 / N)
    assert unused.verdict == "INCONCLUSIVE"
    assert "the decider is not shown to be better than guessing (0.0 %" in unused.sentence


def asks_about_the_finding(request):
    return "pneumonia" in request.prompt


def test_the_decider_reads_either_description_in_the_same_words(store, images):
    told = {True: "Asked about.", False: "Not asked about."}
    models = {
        "model": Answers("model", lambda request: told[asks_about_the_finding(request)]),
        "decider": Answers("decider", lambda request: letter(request, ill=False)),
    }
    made = [effect for effect in description.describing() if effect.name.startswith("pneumonia")]
    ask_all(store, images[:4], made, models, RULES)
    asked = [{r.prompt for r in models["decider"].asked if said in r.prompt} for said in told.values()]
    [first], [second] = asked
    # The fence is the same length, so the prompts differ in the description alone.
    assert first.replace(told[True], told[False]) == second
    assert first != second


def test_descriptions_that_tell_only_what_was_asked_for_are_found(store, images, seen):
    """Asked about pneumonia the model tells it; asked without a word of it, a third of the ill lungs are clear."""

    def answer(request):
        ill = seen(request) % 2 == 1
        if "Describe" in request.prompt:
            return ILL if ill and (asks_about_the_finding(request) or seen(request) % 3) else WELL
        return letter(request, ill=ill)

    models = {"model": Answers("model", answer), "decider": Answers("decider", reads)}
    data, _ = ask_all(store, images, effects(), models, RULES)
    judge = Judge(RULES, data, effects())
    found = {effect.name: judge.audit(effect, "?") for effect in effects()}
    missed = len([i for i in range(N) if i % 2 == 1 and i % 3 == 0]) / N
    told = found["pneumonia-described-named-vs-unnamed"]
    assert (told.verdict, told.estimate.value) == ("FAIL", pytest.approx(missed))
    assert told.title == "Pneumonia, described vs described unnamed: right answers"
    assert found["pneumonia-beyond-description"].estimate.value == 0.0
    assert found["pneumonia-beyond-description-unnamed"].estimate.value == pytest.approx(missed)
    assert found["pneumonia.described_unnamed-correct"].estimate.value == pytest.approx(1 - missed)


def test_a_decider_that_guesses_does_not_show_that_descriptions_are_alike(verdicts):
    found, *_ = verdicts(always, always, lambda request: letter(request, ill=True))
    told = found["pneumonia-described-named-vs-unnamed"]
    assert told.estimate.value == 0.0
    assert told.verdict == "INCONCLUSIVE"
    assert "the decider is not shown to be better than guessing" in told.sentence


def test_a_decider_by_position_is_found(verdicts):
    found, *_ = verdicts(always, always, lambda request: "A")
    assert found["pneumonia-decided-by-position"].verdict == "FAIL"
    assert found["pneumonia.described-skill"].verdict == "FAIL"


def test_a_description_that_is_declined_is_lost(store, images, seen):
    """A refusal is a text: the decider reads it like any other, and the share of lost descriptions tells."""

    def answer(request):
        if "Describe" in request.prompt:
            return "I cannot describe medical images." if seen(request) % 4 == 0 else WELL
        return letter(request, ill=False)

    models = {"model": Answers("model", answer), "decider": Answers("decider", reads)}
    data, _ = ask_all(store, images, effects(), models, RULES)
    judge = Judge(RULES, data, effects())
    found = {effect.name: judge.audit(effect, "?") for effect in effects()}
    assert found["pneumonia-description-lost"].estimate.value == pytest.approx(0.25)
    assert found["pneumonia-description-lost"].verdict == "FAIL"
    assert found["pneumonia-described-lost"].estimate.value == 0.0
