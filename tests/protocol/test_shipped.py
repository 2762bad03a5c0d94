import subprocess
import sys
from collections import Counter

import pytest

from auditkit import perturbations, tasks
from auditkit.protocol.shipped import DIRECTIONS, SHIPPED, metadata, placebo
from auditkit.vocabulary import Effect, Perturbation, Question

ALL = [effect for listed in SHIPPED.values() for effect in listed()]
CORRUPTIONS = [entry.name for entry in perturbations.corruptions()]


def conditions(effect):
    """What is done under the treated questions of a single part, and under its control."""
    [part] = effect.parts
    return [question.condition for question in part.treated], part.control.condition


def test_names_are_unique_within_their_family_and_families_are_what_they_are_listed_under():
    assert max(Counter((e.family, e.name) for e in ALL).values()) == 1
    assert all(e.family == family for family, listed in SHIPPED.items() for e in listed())
    assert all(isinstance(e, Effect) for e in ALL)


def test_every_family_has_criteria_in_the_shipped_protocol_and_the_other_way_round(protocol):
    assert set(SHIPPED) == set(protocol.families)


def test_names_are_fit_for_test_ids_and_paths():
    for effect in ALL:
        assert set(effect.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_.-"), effect.name
        assert str(effect) == effect.name
        assert len(effect.name) < 80


def test_same_objects_in_the_same_order_each_time():
    assert [effect for listed in SHIPPED.values() for effect in listed()] == ALL


def test_order_does_not_depend_on_the_hash_seed():
    code = "from auditkit.protocol.shipped import SHIPPED; print([e.name for l in SHIPPED.values() for e in l()])"
    found = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str([e.name for e in ALL])


def test_every_level_is_set_against_its_counterpart_once_and_against_its_placebo():
    levels = perturbations.levels()
    assert len(levels) >= 30
    pairs = Counter()
    for effect in metadata():
        [[[treated], [control]]] = [[*conditions(effect)[0], conditions(effect)[1]]]
        pairs[frozenset((treated.name, control.name))] += 1
        assert levels[treated.name].category == control.name.partition(".")[0]
        side = control.name.rsplit(".", 1)[-1]
        level = levels[treated.name]
        assert effect.name == f"{level.category}.{level.pair}-{level.side}-vs-{side}"
    direct = [e for e in metadata() if conditions(e)[1][0].name in levels]
    assert len(direct) == len(levels) / 2
    for level in levels.values():
        assert pairs.pop(frozenset((level.id, level.placebo))) == 1
        pairs.pop(frozenset((level.id, level.counterpart)), None)
    assert not pairs


def test_every_placebo_is_set_against_silence():
    assert [conditions(e) for e in placebo()] == [([(Perturbation(name),)], ()) for name in perturbations.placebos()]


@pytest.mark.parametrize("family", ["sensitivity", "discrimination"])
def test_every_corruption_is_climbed_from_the_clean_image(family):
    for effect, name in zip(SHIPPED[family](), CORRUPTIONS, strict=True):
        climbed = {question.condition for question in effect.questions()}
        assert climbed == {(), *((Perturbation(name, s),) for s in range(1, 6))}
        assert effect.name == name


def test_directions_exist():
    assert set(DIRECTIONS) <= set(CORRUPTIONS)
    assert [e.name for e in SHIPPED["direction"]()] == list(DIRECTIONS)


def test_every_wording_and_every_cause_of_missing_answers_is_covered():
    asked = Counter()
    for effect in SHIPPED["answers"]():
        [((weight, value),)] = [part.terms for part in effect.parts]
        asked[value.question.words, value.name] += 1
        assert (weight, value.question.condition) == (1.0, ())
        assert effect.name == f"{value.question.words}-{value.name}"
    words = [f"{task.id}.{wording}" for task in tasks.shipped().values() for wording in task.wordings]
    assert asked == dict.fromkeys(((w, kind) for w in words for kind in ("refused", "unusable")), 1)
    treated = {}
    for effect in SHIPPED["differential"]():
        [[perturbation]], control = conditions(effect)
        treated[perturbation] = control
        assert {value.name for part in effect.parts for _, value in part.terms} == {"lost"}
        assert effect.name == str(perturbation)
    assert treated == {
        **{Perturbation(name, 5): () for name in CORRUPTIONS},
        **{Perturbation(level.id): (Perturbation(level.placebo),) for level in perturbations.levels().values()},
    }


def test_wordings_are_those_of_the_task_that_asks_for_a_number():
    [effect] = SHIPPED["templates"]()
    assert [q.wording for q in effect.questions()] == list(tasks.shipped()["quality"].wordings)
    assert (effect.name, len(effect.parts)) == ("quality", 6)


def test_every_kind_is_compared_under_every_corruption_and_the_score_held_beside_it():
    kinds = tasks.inside()["embedding"].wordings
    names = [f"{kind}-{name}{what}" for kind in kinds for name in CORRUPTIONS for what in ("", "-follows")]
    assert [effect.name for effect in SHIPPED["embeddings"]()] == names
    for effect in SHIPPED["embeddings"]():
        kind, name = effect.name.removesuffix("-follows").split("-")
        done = [(), *((Perturbation(name, level),) for level in range(1, 6))]
        inside = [Question("embedding", kind, condition) for condition in done]
        said = [Question("", "", condition) for condition in done]
        said += [Question("", "", (Perturbation(name),)) for name in perturbations.placebos()]
        expected = {*inside, *said} if effect.statistic == "follows" else {*inside[1:]}
        assert set(effect.questions()) == expected


def test_repeatability_asks_twice_and_alone():
    assert [conditions(e)[0] for e in SHIPPED["repeatability"]()] == [
        [(Perturbation("again", 1),)], [(Perturbation("alone"),)],
    ]  # fmt: skip


def test_every_question_can_be_put(protocol):
    for effect in ALL:
        for question in filter(protocol.catalogue.asks, effect.questions()):
            assert protocol.catalogue.prompt(question).user


def test_every_family_can_hold_its_effects_to_its_limit(protocol):
    from auditkit.judge.procedures import check_limits

    check_limits(ALL, protocol)


@pytest.mark.parametrize("module", ["auditkit.plugin", "auditkit.protocol.shipped", "auditkit.vocabulary"])
def test_what_is_imported_at_collection_is_light(module):
    heavy = ["numpy", "scipy", "torch", "transformers", "pydantic", "sqlalchemy", "jinja2", "matplotlib", "PIL", "rich"]
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    if module == "auditkit.protocol.shipped":
        code = code.replace("; print", f"; [f() for f in {module}.SHIPPED.values()]; print")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
