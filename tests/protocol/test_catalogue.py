"""What a protocol may name: questions resolved, prompts as they always were, and hashes entry by entry."""

import copy
import hashlib
import json
import pickle
from dataclasses import replace

import pytest

from auditkit import perturbations, tasks
from auditkit.errors import AuditkitError
from auditkit.perturbations import PerturbationError
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.entries import entries_named, entries_used, entry_digest
from auditkit.tasks import SCORE, SHARES, Quantity, Score
from auditkit.vocabulary import Perturbation, Question, Value, condition_name

PIXELATE, AGAIN, ALONE = Perturbation("pixelate", 3), Perturbation("again", 1), Perturbation("alone")
HIGH, ROUTINE = Perturbation("institution.reputation.high"), Perturbation("expertise.routine.low")
NIGHT = {"night": {"sentence": "This image was taken at night."}}
GRAIN = {
    "grain": {
        "function": "auditkit.perturbations.display.noise:gaussian_noise",
        "stage": "display",
        "levels": [{"sd": 0.01}, {"sd": 0.02}],
        "modalities": ["ct"],
    }
}
LATE = {"quality": {"wordings": {"late": "From 0 to 100?"}}}


def catalogue(entries=None, tables=None, score="quality.direct", **scorers) -> Catalogue:
    return Catalogue.of(entries or {}, tables or {}, score, scorers)


SHIPPED = catalogue()


# ---------------------------------------------------------------------------------------------------------- questions


def test_the_score_is_the_protocols():
    assert SHIPPED.resolve(Question()) == Question("quality", "direct")
    other = catalogue(score="rating.reader")
    assert other.resolve(Question()) == Question("rating", "reader")
    assert other.resolve(Question(wording="direct")) == Question("rating", "direct")
    assert other.resolve(Question("quality")) == Question("quality", "direct")
    assert catalogue(score="options.quality.direct").resolve(Question()) == Question("options.quality", "direct")


def test_conditions_are_in_the_order_of_the_stages_and_keep_theirs_within_one():
    found = SHIPPED.resolve(Question(condition=(AGAIN, ROUTINE, HIGH, PIXELATE, ALONE), role="baseline"))
    assert found.condition == (PIXELATE, ROUTINE, HIGH, AGAIN, ALONE)
    assert found.role == "baseline"
    assert SHIPPED.resolve(found) is SHIPPED.resolve(found)
    assert condition_name(SHIPPED.pictures(found.condition)) == "pixelate-s3"
    assert SHIPPED.words(found.condition) == (ROUTINE, HIGH)
    assert SHIPPED.asking(found.condition) == (AGAIN, ALONE)


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (Question("qualty"), r"there is no task 'qualty'\. Did you mean 'quality'"),
        (Question("quality", "direkt"), r"there is no wording of task 'quality' 'direkt'\. Did you mean 'direct'"),
        (Question(wording="xyz"), r"no wording of task 'quality' 'xyz'\. Known are, among others, direct, reader"),
        (Question().under(Perturbation("pixelat", 1)), r"there is no perturbation 'pixelat'\. Did you mean 'pixelate'"),
        (Question().under(Perturbation("institution.netural")), "Did you mean 'institution.neutral'"),
        (Question().under(Perturbation("pixelate")), r"level 0 of perturbation 'pixelate' does not exist.*from 1 to 5"),
        (Question().under(Perturbation("pixelate", 6)), "level 6 of perturbation 'pixelate'"),
        (Question().under(Perturbation("alone", 1)), r'use Perturbation\("alone"\)'),
        (Question().under(Perturbation("again")), "from 1 upwards"),
        (Question().under(AGAIN, Perturbation("again", 2)), "names a way of asking twice: again, again"),
    ],
)
def test_what_does_not_exist_is_named(question, message):
    for _ in range(2):  # a refusal is not remembered as an answer
        with pytest.raises(AuditkitError, match=message):
            SHIPPED.resolve(question)


def test_an_unknown_score_shows_when_it_is_resolved():
    with pytest.raises(AuditkitError, match=r"there is no task 'qality'.*quality"):
        catalogue(score="qality.direct").resolve(Question())


# ------------------------------------------------------------------------------------------------------------ prompts


LATER = {"modality"}
"""Tasks that the first run did not have."""


def every_prompt(held: Catalogue) -> dict[str, list]:
    found = {}
    for task in (
        task for task in held.tasks.values() if task.asks and task.id in tasks.shipped() and task.id not in LATER
    ):
        for wording in task.wordings:
            for name in ["none", *perturbations.placebos(), *perturbations.levels()]:
                condition = () if name == "none" else (Perturbation(name),)
                prompt = held.prompt(Question(task.id, wording, condition))
                found[f"{task.id}.{wording} {name}"] = [
                    prompt.system,
                    prompt.user,
                    prompt.choices,
                    prompt.max_new_tokens,
                ]
    return found


def test_what_asks_nothing_has_no_prompt():
    question = Question("embedding", "vision")
    assert not SHIPPED.asks(question)
    assert SHIPPED.asks(Question())
    with pytest.raises(AuditkitError, match="'embedding' asks nothing"):
        SHIPPED.prompt(question)


def test_prompts_are_those_of_the_first_run_to_the_byte():
    """SHA-256 of all 644 prompts under at most one sentence: keys of stored answers hang on every byte."""
    found = json.loads(json.dumps(every_prompt(SHIPPED)))
    assert len(found) == 644
    digest = hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()
    assert digest == "d3101a93d9cd89173face4ca59d5ed4c2c1fbb9c77287cf46112c67fb2725c90"


def test_sentences_come_last_and_share_the_words_before_them():
    plain, told = SHIPPED.prompt(Question()), SHIPPED.prompt(Question().under(HIGH, ROUTINE))
    first, second = (perturbations.levels()[p.name].sentence for p in (HIGH, ROUTINE))
    assert told.user == f"{plain.user}\n{first} {second}"
    assert told.choices == plain.choices == tasks.shipped()["quality"].scorer.choices
    assert "{" not in plain.user


def test_pictures_and_asking_change_no_word():
    assert SHIPPED.prompt(Question().under(PIXELATE, AGAIN, ALONE)) == SHIPPED.prompt(Question())
    assert SHIPPED.prompt(Question()) is SHIPPED.prompt(Question())


# --------------------------------------------------------------------------------------------------------- quantities


class Axes:
    """Somebody else's scorer, which may say that it reads differently now."""

    quantities = (Quantity("overall", "points", 0, 2), Quantity("clarity", "points", 0, 2))
    choices = None

    def __init__(self, version: str = "") -> None:
        self.version = version

    def read(self, text, finish, wording):
        return Score("scored", {"": 1.0, "clarity": 2.0}, text)


AXES = {"axes": {"scorer": "axes", "wordings": {"direct": "How?"}}}


def test_a_quantity_is_the_main_one_one_of_the_scorers_or_a_share():
    held = catalogue(tables=AXES, axes=Axes)
    question = Question("axes")
    assert held.quantity(Value(question)) == held.quantity(Value(question, "overall")) == Axes.quantities[0]
    assert held.quantity(Value(question, "clarity")) == Axes.quantities[1]
    assert held.quantity(Value(Question())) == SCORE
    for name in ("lost", "refused", "unusable"):
        assert held.quantity(Value(Question("options.degradation"), name)) == SHARES[name]
        assert SHARES[name].span == 1


def test_a_value_that_answers_do_not_have_is_named():
    with pytest.raises(AuditkitError, match=r"no value of task 'quality' 'refusd'\. Did you mean 'refused'"):
        SHIPPED.quantity(Value(Question(), "refusd"))
    with pytest.raises(AuditkitError, match=r"'options\.degradation' have labels and no number .* lost, refused"):
        SHIPPED.quantity(Value(Question("options.degradation")))


# -------------------------------------------------------------------------------------------------------- ones own


def test_a_protocols_own_entries_stand_beside_those_shipped():
    held = catalogue(NIGHT | GRAIN, LATE)
    question = held.resolve(Question(wording="late", condition=(Perturbation("night"), Perturbation("grain", 2))))
    assert str(question) == "quality.late grain-s2+night"
    assert held.prompt(question).user == "From 0 to 100?\nThis image was taken at night."
    assert held.applies_to(question.condition, "ct")
    assert not held.applies_to(question.condition, "mr")
    assert held.applies_to((PIXELATE,), "mr")
    assert "night" not in SHIPPED.perturbations
    assert "late" not in SHIPPED.tasks["quality"].wordings
    with pytest.raises(AuditkitError, match="no perturbation 'night'"):
        SHIPPED.entry("night")


def test_faults_of_tables_name_the_key():
    with pytest.raises(AuditkitError, match=r"^perturbations\.night\.lable: unknown key"):
        catalogue({"night": {"sentence": "At night.", "lable": "Night"}})
    with pytest.raises(AuditkitError, match=r"^tasks\.quality\.wordings\.direct: auditkit ships"):
        catalogue(tables={"quality": {"wordings": {"direct": "How?"}}})


def test_laws_are_loaded_when_it_is_asked_for_and_not_before():
    held = catalogue({"far": {"function": "no_such_package:blur", "stage": "display"}})
    questions = [Question().under(PIXELATE, AGAIN, HIGH), Question().under(Perturbation("far"))]
    assert held.resolve(questions[1])
    held.load(questions[:1])
    with pytest.raises(
        PerturbationError,
        match="perturbation 'far': its law 'no_such_package:blur': 'no_such_package' cannot be imported",
    ):
        held.load(questions)


def test_a_catalogue_cannot_be_changed_and_goes_to_other_processes():
    held = catalogue(NIGHT, LATE)
    held.resolve(Question())
    with pytest.raises(TypeError):
        held.perturbations["new"] = held.entry("night")
    with pytest.raises(AttributeError):
        held.score = ("rating", "direct")
    back = pickle.loads(pickle.dumps(held))
    assert back == held == copy.deepcopy(held)
    assert hash(back) == hash(held)
    assert back.prompt(Question(wording="late")) == held.prompt(Question(wording="late"))
    assert held != SHIPPED


# ------------------------------------------------------------------------------------------------------------- hashes


def test_entries_are_what_questions_use_and_nothing_else():
    found = entries_used(
        SHIPPED, [Question(), Question("rating", "reader", (PIXELATE, HIGH)), Question("rating", "reader")]
    )
    assert list(found) == [
        "perturbation institution.reputation.high",
        "perturbation pixelate",
        "scorer quality",
        "scorer rating",
        "wording quality.direct",
        "wording rating.reader",
    ]
    assert all(len(digest) == 64 for digest in found.values())
    assert len(set(found.values())) == len(found)


def test_what_is_added_changes_no_hash_that_does_not_use_it():
    questions = [
        Question(task.id, wording, (Perturbation(e.name, max(e.strengths, default=1)),))
        for task in tasks.shipped().values()
        for wording in task.wordings
        for e in perturbations.shipped().values()
    ]
    assert entries_used(catalogue(NIGHT | GRAIN, LATE | AXES, axes=Axes), questions) == entries_used(SHIPPED, questions)


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        (catalogue(NIGHT), catalogue({"night": {"sentence": "Taken by day."}}), Perturbation("night")),
        (catalogue(GRAIN), catalogue({"grain": GRAIN["grain"] | {"version": "2"}}), Perturbation("grain", 1)),
        (
            catalogue(GRAIN),
            catalogue({"grain": GRAIN["grain"] | {"levels": [{"sd": 1}] * 2}}),
            Perturbation("grain", 1),
        ),
    ],
)
def test_a_changed_entry_changes_its_own_hash_only(one, other, question):
    asked = [Question().under(question)]
    first, second = entries_used(one, asked), entries_used(other, asked)
    assert {name for name in first if first[name] != second[name]} == {f"perturbation {question.name}"}


def test_a_changed_wording_and_a_changed_scorer_change_their_own_hashes_only():
    late = Question(wording="late")
    for change in (
        "From 0 to 10?",
        {"text": "From 0 to 100?", "system": "S"},
        {"text": "From 0 to 100?", "max_new_tokens": 9},
    ):
        first = entries_used(catalogue(tables=LATE), [late])
        second = entries_used(catalogue(tables={"quality": {"wordings": {"late": change}}}), [late])
        assert {name for name in first if first[name] != second[name]} == {"wording quality.late"}
    first = entries_used(catalogue(tables=AXES, axes=Axes("1")), [Question("axes")])
    second = entries_used(catalogue(tables=AXES, axes=Axes("2")), [Question("axes")])
    assert {name for name in first if first[name] != second[name]} == {"scorer axes"}


def test_labels_and_reasons_are_not_hashed():
    told = {"night": NIGHT["night"] | {"label": "Night", "rationale": "It happens.", "hazard": "Harm."}}
    asked = [Question().under(Perturbation("night"))]
    assert entries_used(catalogue(NIGHT), asked) == entries_used(catalogue(told), asked)


def test_names_stand_for_entries_tiers_tasks_and_wordings():
    def named(name):
        return list(entries_named(SHIPPED, [name]))

    assert named("pixelate") == ["perturbation pixelate"]
    assert named("auditkit") == ["perturbation brightness_down", "perturbation contrast_up"]
    assert named("yes_no") == ["scorer yes_no", "wording yes_no.diagnostic", "wording yes_no.reader"]
    assert named("quality.reader") == ["scorer quality", "wording quality.reader"]
    assert named("options.quality") == ["scorer options.quality", "wording options.quality.direct"]
    both = entries_named(SHIPPED, ["quality.direct", "pixelate"])
    assert both == entries_used(SHIPPED, [Question().under(PIXELATE)])
    with pytest.raises(AuditkitError, match=r"no perturbation, tier or task 'imagnet_c'\. Did you mean 'imagenet_c'"):
        entries_named(SHIPPED, ["imagnet_c"])


@pytest.mark.parametrize("name", ["perturbation fog", "scorer fog", "wording quality.fog", "fog", "tier imagenet_c"])
def test_digests_are_of_entries_that_exist(name):
    with pytest.raises(AuditkitError):
        entry_digest(SHIPPED, name)


def test_the_score_belongs_to_the_catalogue():
    assert replace(SHIPPED, score=("rating", "reader")).resolve(Question()).task == "rating"
