"""A changed picture that cannot be decoded leaves out what it stands for, and nothing else of its item."""

import csv
import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from auditkit.ask.donors import FirstReadable
from auditkit.ask.earlier import Earlier
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.roles import Answerer, RoleKeys, ask_each
from auditkit.ask.store import noted
from auditkit.ask.tally import Tally
from auditkit.images.item import Picture, UnreadableImage
from auditkit.images.sources import load_images
from auditkit.measure.columns import ERROR, NOT_ASKED
from auditkit.measure.reader import UNDECODABLE, AnswerReader
from auditkit.models.base import ModelOptions
from auditkit.protocol.effects import change, mean
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import own
from tests.run.rounds import Answers

OLD, FOLD, SWAP = Perturbation("old_scanner", 2), Perturbation("fold"), Perturbation("swap")
NOISE = Perturbation("gaussian_noise", 3)
TABLES = {"old_scanner": {"function": "given", "levels": [{}, {}]}, "fold": {"function": "given"}}
HOW = {"batch_size": 4, "deadline": 20, "on_progress": lambda t: None}


@pytest.fixture
def rules(protocol):
    return protocol.model_copy(update={"perturbations": TABLES})


@pytest.fixture
def images(tmp_path):
    """Three patients with two changed pictures each, of which one is cut short and one is black all over."""

    def save(name, seed):
        pixels = np.random.default_rng(seed).integers(0, 256, (48, 48), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name)

    rows = [("file_name", "patient_id", "modality", "of", "given")]
    for i in range(3):
        for place, name in enumerate((f"{i}.png", f"old{i}.png", f"fold{i}.png")):
            save(name, 10 * place + i)
        rows.append((f"{i}.png", f"p{i}", "xray", "", ""))
        rows.append((f"old{i}.png", "", "", f"{i}.png", "old_scanner-s2"))
        rows.append((f"fold{i}.png", "", "", f"{i}.png", "fold"))
    whole = (tmp_path / "old1.png").read_bytes()
    (tmp_path / "old1.png").write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((48, 48), np.uint8)).save(tmp_path / "fold2.png")
    with (tmp_path / "m.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    found = load_images(str(tmp_path / "m.csv"), salt="s")
    assert not found.left_out, "damage that only decoding can show"
    return tuple(sorted(found.records, key=lambda record: record.name))


def measured(plan, model, store, rules, renderer):
    found = digests(plan, store, renderer, Tally())
    reader = AnswerReader(plan, found, Keys(model, 4, rules.catalogue), store, renderer)
    return reader.measure(), reader.unshown


EFFECTS = (
    change(OLD, family="sensitivity"),
    change(FOLD, family="sensitivity"),
    mean(family="sensitivity").under(OLD, NOISE),
)


def test_only_what_it_stands_for_is_not_asked_and_that_is_said(images, rules, store, function_model):
    plan, model, renderer = Plan(images, EFFECTS, rules), function_model(), Renderer(store, 1, rules.catalogue)
    tally = prefetch(plan, model, store, renderer, **HOW)
    assert (tally.left_out, tally.errors) == ([], {})
    assert tally.planned == tally.done == len(model.asked) == 3 * 4 - 3  # old, old under noise; fold
    data, unshown = measured(plan, model, store, rules, renderer)
    for condition, without in (((), []), ((OLD,), [1]), ((OLD, NOISE), [1]), ((FOLD,), [2])):
        outcomes = data.column(rules.resolve(Question(condition=condition))).outcomes
        assert np.flatnonzero(outcomes == NOT_ASKED).tolist() == without
        assert not (outcomes == ERROR).any()
    assert set(unshown) == {images[1].id, images[2].id}
    assert set(unshown[images[1].id]) == {"old_scanner-s2", "old_scanner-s2+gaussian_noise-s3"}
    assert all(why.startswith(f"{UNDECODABLE}: ") for some in unshown.values() for why in some.values())
    assert "it shows nothing" in unshown[images[2].id]["fold"]


def test_another_process_is_told_by_the_tally(images, rules, store, function_model):
    plan, model, renderer = Plan(images, EFFECTS, rules), function_model(), Renderer(store, 1, rules.catalogue)
    first = prefetch(plan, model, store, renderer, **HOW)
    told = Tally.from_record(json.loads(json.dumps(first.to_record())))
    assert len(told.undecodable) == 2
    elsewhere = Renderer(store, 1, rules.catalogue)
    elsewhere.unreadable |= told.undecodable
    assert [*map(list, measured(plan, model, store, rules, elsewhere)[1].values())] == [
        *map(list, measured(plan, model, store, rules, renderer)[1].values())
    ]


def test_what_can_be_decoded_later_is_asked_later(images, rules, store, function_model):
    """A decoder was installed, or a disk is there again: the store must not hold that there is no picture."""
    plan, model = Plan(images, EFFECTS, rules), function_model()
    prefetch(plan, model, store, Renderer(store, 1, rules.catalogue), **HOW)
    before = len(model.asked)
    clean = images[1].pictures[0]
    mended = replace(clean.given[OLD,], read=images[0].pictures[0].given[OLD,].read)
    again = (images[0], images[1].with_picture(given={**clean.given, (OLD,): mended}), images[2])
    tally = prefetch(replace(plan, records=again), model, store, Renderer(store, 1, rules.catalogue), **HOW)
    assert len(tally.undecodable) == 1
    # What is shown is the picture of another item, whose answers are there: only its noise is of its own.
    assert len(model.asked) - before == 1


def test_one_that_is_gone_after_a_first_run_costs_its_new_questions_only(images, rules, store, function_model):
    def gone():
        raise UnreadableImage("it can no longer be opened")

    some = images[:1]
    plan, model = Plan(some, (change(OLD, family="sensitivity"),), rules), function_model()
    prefetch(plan, model, store, Renderer(store, 1, rules.catalogue), **HOW)
    assert len(model.asked) == 2
    clean = some[0].pictures[0]
    lost = some[0].with_picture(given={(OLD,): replace(clean.given[OLD,], read=gone)})
    more = (change(OLD, family="sensitivity"), mean(family="sensitivity").under(OLD, Perturbation("again", 1)))
    plan, renderer = Plan((lost,), more, rules), Renderer(store, 1, rules.catalogue)
    tally = prefetch(plan, model, store, renderer, **HOW)
    assert tally.planned == tally.done == 2, "what was asked before is held"
    assert (tally.left_out, tally.errors, len(model.asked)) == ([], {}, 2)
    _, unshown = measured(plan, model, store, rules, renderer)
    assert list(unshown) == [lost.id]


def test_where_the_clean_picture_cannot_be_decoded_the_item_is_left_out(images, rules, store, function_model):
    def broken():
        raise UnreadableImage("it is truncated")

    lost = images[0].with_picture(read=broken)
    plan, model = Plan((lost, images[1]), EFFECTS, rules), function_model()
    tally = prefetch(plan, model, store, Renderer(store, 1, rules.catalogue), **HOW)
    assert [(entry.name, entry.reason) for entry in tally.left_out] == [("0.png", "it is truncated")]
    assert tally.planned == tally.done == 2


def test_no_picture_of_another_patient_can_be_decoded(records, protocol, store, function_model):
    def broken():
        raise UnreadableImage("it is truncated")

    candidates = tuple(Picture(hashlib.sha256(name).hexdigest(), broken) for name in (b"a", b"b"))
    item = records.one("i", 1)
    item = item.with_picture(given={(SWAP,): Picture("stands in", FirstReadable(candidates))})
    plan, model = Plan((item,), (change(SWAP, family="sensitivity"),), protocol), function_model()
    renderer = Renderer(store, 1, protocol.catalogue)
    tally = prefetch(plan, model, store, renderer, **HOW)
    assert (len(model.asked), tally.left_out, tally.planned) == (1, [], 1)
    _, unshown = measured(plan, model, store, protocol, renderer)
    assert unshown["i"]["swap"].startswith(f"{UNDECODABLE}: none of the 2 pictures that may stand in")


def test_neither_is_a_judge_asked_about_what_was_not_said(images, store):
    tasks = {
        "describe": {"scorer": "text", "wordings": {"direct": "Describe the image."}},
        "judged": {
            "scorer": {"axes": {"names": ["completeness", "consistency"], "low": 0, "high": 2}},
            "of": "describe",
            "role": "judge",
            "pictures": 0,
            "wordings": {"direct": "Judge this.\n{answer}"},
        },
    }
    rules = own("mine", at_least=0.5).model_copy(update={"tasks": tasks, "perturbations": TABLES})
    catalogue, renderer = rules.catalogue, Renderer(store, 1, rules.catalogue)
    models = {
        "model": Answers("model", lambda request: "Sharp."),
        "judge": Answers("judge", lambda request: "completeness: 1\nconsistency: 1"),
    }
    who = [Answerer(role, role, model, ModelOptions(batch_size=4)) for role, model in models.items()]
    keys = RoleKeys({one.role: one.keys(catalogue, probabilities=True) for one in who}, catalogue)
    plan = Plan(images[:2], distinct([mean("judged", family="mine").under(OLD)]), rules, tuple(models))

    def ask(part, one):
        earlier = Earlier(store, renderer, keys, catalogue) if part.round else None
        prefetch(part, one.model, store, renderer, earlier=earlier, tally=one.tally, **HOW)

    ask_each(plan, who, ask)
    assert [len(model.asked) for model in models.values()] == [1, 1]
    assert not any(one.tally.errors for one in who)
    assert all(one.tally.planned == one.tally.done for one in who)


def test_what_is_noted_for_later_checks_lacks_it(images, rules, store, function_model):
    plan, renderer = Plan(images, EFFECTS, rules), Renderer(store, 1, rules.catalogue)
    prefetch(plan, function_model(), store, renderer, **HOW)
    given = [{(name, level) for name, level, _ in image.given} for image in noted(images, renderer.unreadable)]
    both = {("old_scanner", 2), ("fold", 0)}
    assert given == [both, {("fold", 0)}, {("old_scanner", 2)}]
    assert [image.address for image in noted(images, renderer.unreadable)] == [item.address for item in images]
