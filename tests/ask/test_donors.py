"""Pictures that stand in for an item's own: whose they are, that nothing else changes them, and how they are asked."""

from __future__ import annotations

import hashlib
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.ask import donors
from auditkit.ask.donors import FirstReadable, can_be_shown, stand_ins, with_donors
from auditkit.ask.keys import NO_PICTURE, pixel_digest
from auditkit.ask.plan import Plan, check_effects
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.ray_engine.parcel import Lookup, Parcel
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import Store, noted
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.images.item import DECLARED, Item, Picture, UnreadableImage
from auditkit.measure.columns import NOT_ASKED
from auditkit.measure.reader import AnswerReader
from auditkit.protocol.effects import change, displacement, mean
from auditkit.protocol.model import Protocol
from auditkit.records.verify.images import addressed
from auditkit.run.inside import measurable
from auditkit.vocabulary import Perturbation, Question
from tests.conftest import FunctionModel

SWAP, OTHER, MISSING = (Perturbation(name) for name in ("swap", "other_modality", "missing"))
NOISE = Perturbation("gaussian_noise", 3)
EFFECTS = tuple(change(p, family="sensitivity") for p in (SWAP, OTHER, MISSING))


def item(name: str, patient: str, modality: str = "ct", content: str = "", **more) -> Item:
    content = content or hashlib.sha256(name.encode()).hexdigest()
    return Item(name, patient, modality, (Picture(content, lambda: _pixels(content)),), True, "made up", **more)


def _pixels(content: str) -> np.ndarray:
    seed = int(hashlib.sha256(content.encode()).hexdigest()[:8], 16)
    return np.random.default_rng(seed).integers(0, 256, (16, 16), dtype=np.uint8)


def wanted(found: Item, step: Perturbation = SWAP) -> str:
    """The address of the picture that stands in."""
    read = found.pictures[0].given[step,].read
    assert isinstance(read, FirstReadable)
    return read.pictures[0].content


@st.composite
def sources(draw):
    """Any patients, modalities and equal pictures."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, 4), st.sampled_from(["ct", "xray", "mr", "other"]), st.integers(0, 12), st.booleans()
            ),
            min_size=1,
            max_size=14,
        )
    )
    return [
        item(f"i{n}", f"p{patient}", modality, content=f"c{content}", identifiable=DECLARED if named else "no")
        for n, (patient, modality, content, named) in enumerate(rows)
    ]


def chosen(items, source, protocol, seed=1):
    return {one.id: one for one in with_donors(items, source, EFFECTS, protocol.catalogue, seed)}


@settings(max_examples=150)
@given(source=sources(), seed=st.integers(0, 3), shuffle=st.randoms(use_true_random=False), data=st.data())
def test_neither_a_subset_nor_an_order_changes_a_donor(source, seed, shuffle, data):
    protocol = _PROTOCOL[0]
    every = chosen(source, source, protocol, seed)
    some = data.draw(st.lists(st.sampled_from(source), unique_by=lambda i: i.id))
    turned = shuffle.sample(source, len(source))
    for one in chosen(some, turned, protocol, seed).values():
        expected = every[one.id].pictures[0].given
        assert {c: p.content for c, p in one.pictures[0].given.items()} == {c: p.content for c, p in expected.items()}


@settings(max_examples=150)
@given(source=sources(), seed=st.integers(0, 3))
def test_a_donor_is_another_patients_picture_of_the_modality_asked_for(source, seed):
    protocol = _PROTOCOL[0]
    for one in chosen(source, source, protocol, seed).values():
        own = one.pictures[0]
        mine = {i.pictures[0].content for i in source if i.cluster == one.cluster}
        fitting = {SWAP: [], OTHER: []}
        for other in source:
            content = other.pictures[0].content
            # The same picture filed under the item's own patient would show that patient.
            held = {i.cluster for i in source if (i.modality, i.pictures[0].content) == (other.modality, content)
                    and i.identifiable != DECLARED}  # fmt: skip
            if other.identifiable == DECLARED or one.cluster in held or content == own.content:
                continue
            if other.modality == one.modality:
                fitting[SWAP].append(content)
            elif "other" not in (other.modality, one.modality):
                fitting[OTHER].append(content)
        for step, contents in fitting.items():
            assert ((step,) in own.given) == bool(contents) == can_be_shown(one, (step,), protocol.catalogue)
            if contents:
                # The highest hash, computed here from its definition.
                ranks = {c: hashlib.sha256(f"{seed}\n{own.content}\n{c}".encode()).digest() for c in contents}
                assert wanted(one, step) == max(ranks, key=ranks.__getitem__)
        assert can_be_shown(one, (MISSING,), protocol.catalogue)
        assert mine


_PROTOCOL: list[Protocol] = []


@pytest.fixture(autouse=True)
def _kept(protocol):
    _PROTOCOL[:] = [protocol]


def test_another_seed_chooses_others(protocol):
    source = [item(f"i{n}", f"p{n}") for n in range(30)]
    first, second = (chosen(source, source, protocol, seed) for seed in (1, 2))
    assert sum(wanted(first[i.id]) != wanted(second[i.id]) for i in source) > 20


def test_donors_are_spread_over_the_source(protocol):
    source = [item(f"i{n}", f"p{n}") for n in range(200)]
    used = [wanted(one) for one in chosen(source, source, protocol).values()]
    # Of 200 draws from 199 some 63 % are hit, and hardly any more than six times.
    assert 100 < len(set(used)) < 150
    assert max(map(used.count, used)) < 9


def test_a_large_source_is_cut_to_a_pool_that_order_and_subset_leave_alone(protocol, monkeypatch):
    monkeypatch.setattr(donors, "_POOL", 8)
    source = [item(f"i{n}", f"p{n}") for n in range(60)]
    every = chosen(source, source, protocol)
    assert len({wanted(one) for one in every.values()}) <= 9
    turned = chosen(source[:5], random.Random(3).sample(source, 60), protocol)
    assert {name: wanted(one) for name, one in turned.items()} == {i.id: wanted(every[i.id]) for i in source[:5]}


def test_a_pool_of_ones_own_pictures_only_is_no_reason_to_have_no_donor(protocol, monkeypatch):
    monkeypatch.setattr(donors, "_POOL", 2)
    source = [item(f"i{n}", "p0") for n in range(40)] + [item("far", "p1")]
    found = chosen(source, source, protocol)
    assert all((SWAP,) in found[f"i{n}"].pictures[0].given for n in range(40))


def test_nothing_is_chosen_that_no_effect_asks_about(protocol):
    source = tuple(item(f"i{n}", f"p{n}") for n in range(3))
    assert with_donors(source, source, [mean(), change(NOISE)], protocol.catalogue, 1) == source
    only = with_donors(source, source, [change(SWAP)], protocol.catalogue, 1)
    assert all(list(one.pictures[0].given) == [(SWAP,)] for one in only)


def test_where_a_picture_cannot_be_decoded_the_next_stands_in():
    def broken():
        raise UnreadableImage("the file ends early")

    good = Picture("good", lambda: _pixels("good"))
    assert np.array_equal(FirstReadable((Picture("bad", broken), good))(), _pixels("good"))
    with pytest.raises(UnreadableImage, match="none of the 2 pictures that may stand in can be decoded: the file ends"):
        FirstReadable((Picture("bad", broken), Picture("worse", broken)))()


def test_donors_can_be_sent_to_another_process():
    source = [replace(item(f"i{n}", f"p{n}"), pictures=(Picture(f"c{n}", _fixed),)) for n in range(3)]
    found = with_donors(source, source, EFFECTS, _PROTOCOL[0].catalogue, 1)
    again = pickle.loads(pickle.dumps(found))
    assert [one.pictures[0].given[SWAP,].read().tolist() for one in again] == [_fixed().tolist()] * 3


def _fixed() -> np.ndarray:
    return np.zeros((8, 8), np.uint8)


# ----------------------------------------------------------------------------------------------------- shown and asked


@pytest.fixture
def some(protocol):
    """Six patients with a CT, one with an X-ray: it alone has nobody to swap with."""
    source = [item(f"i{n}", f"p{n}") for n in range(6)] + [item("x", "px", "xray")]
    return with_donors(source, source, EFFECTS, protocol.catalogue, protocol.seed)


def test_what_is_shown(some, store, protocol):
    one = Renderer(store, 1, protocol.catalogue)
    record = some[0]
    digest = pixel_digest(one.clean(record))
    swapped = one.pixels(record, digest, (SWAP,))
    assert np.array_equal(swapped, _pixels(wanted(record)))
    assert np.array_equal(one.pixels(record, digest, (OTHER,)), one.clean(some[-1]))
    assert one.shown(record, digest, (MISSING,)) == ()
    described = one.describe(record, (SWAP,), (swapped,))
    assert (described.digest, described.ssim, described.psnr) == (pixel_digest(swapped), None, None)
    assert one.describe(record, (MISSING,), ()).digest == NO_PICTURE
    # What follows acts on the picture that stands in.
    noisy = one.pixels(record, digest, (SWAP, NOISE))
    assert 0 < np.abs(noisy.astype(int) - swapped).mean() < 90


def test_another_donor_is_another_rendering(some, store, protocol):
    one, record = Renderer(store, 1, protocol.catalogue), some[0]
    other = record.with_picture(given={(SWAP,): Picture("another", _fixed)})
    assert one.key(record, "d", (SWAP,)) != one.key(other, "d", (SWAP,))
    assert one.key(record, "d", (NOISE,)) == one.key(other, "d", (NOISE,))
    bare = record.with_picture(given={})
    assert list(one.known(bare, "d", [(SWAP,), (MISSING,), ()])) == [(MISSING,), ()]


def asked(some, store, protocol, model, effects=EFFECTS):
    plan, renderer = Plan(tuple(some), effects, protocol), Renderer(store, protocol.seed, protocol.catalogue)
    tally = prefetch(plan, model, store, renderer, batch_size=4, deadline=20.0, on_progress=lambda tally: None)
    keys, found = Keys(model, 4, protocol.catalogue), digests(plan, store, renderer, Tally())
    return tally, AnswerReader(plan, found, keys, store, renderer).measure(), plan


def test_every_item_is_asked_with_what_is_shown_and_what_has_no_donor_is_not_asked(some, store, protocol):
    model = FunctionModel(lambda request: str(50 + len(request.images)))
    tally, data, plan = asked(some, store, protocol, model)
    put = {r.id: len(r.images) for batch in model.batches for r in batch}
    assert sorted(put.values()) == [0] + [1] * 7
    # Seven clean, six swapped, seven of another modality, and one for all that have no picture.
    assert tally.planned == tally.done == plan.size() == 4 * 7 - 1
    resolve = protocol.resolve
    swapped = data.column(resolve(Question(condition=(SWAP,))))
    assert swapped.outcomes.tolist().count(NOT_ASKED) == 1
    assert swapped.outcomes[-1] == NOT_ASKED
    assert data.column(resolve(Question(condition=(MISSING,)))).scores.tolist() == [50] * 7
    assert swapped.scores[:-1].tolist() == [51] * 6
    assert np.isnan(data.doses[SWAP,]).all()
    assert np.isnan(data.doses[MISSING,]).all()
    again, _, _ = asked(some, store, protocol, FunctionModel(lambda request: "0"))
    assert again.held == again.planned


def test_a_swapped_picture_is_that_of_the_donor_so_its_answer_is_held_already(some, store, protocol):
    """Keys follow from pixels: of seven pictures shown in 20 ways each is asked about once."""
    model = FunctionModel(lambda request: "70")
    asked(some, store, protocol, model)
    assert len(set(model.asked)) == 7 + 1


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ((SWAP, OTHER), r"swap\+other_modality shows other pictures twice\. Name one"),
        ((MISSING, NOISE), r"missing\+gaussian_noise-s3 changes the pixels of a picture that is not there\. Leave gau"),
    ],
)
def test_what_means_nothing_is_refused(condition, message, protocol):
    with pytest.raises(AuditkitError, match=message):
        check_effects([mean(family="sensitivity").under(*condition)], protocol)


def test_what_the_model_holds_inside_of_another_image_is_not_compared(protocol):
    effect = displacement("vision", "jpeg", family="embeddings")
    part = replace(effect.parts[0], terms=tuple(
        (w, replace(v, question=replace(v.question, condition=(SWAP,)))) for w, v in effect.parts[0].terms[:1]
    ))  # fmt: skip
    with pytest.raises(AuditkitError, match="compares what the model holds inside of an image with what it holds of"):
        check_effects([replace(effect, parts=(part,))], protocol)


def test_pictures_of_the_source_that_nobody_is_asked_about_are_counted(protocol):
    source = [item(f"i{n}", f"p{n}") for n in range(40)]
    found = with_donors(source[:2], source, [change(SWAP)], protocol.catalogue, 1)
    assert len(stand_ins(found)) == len({wanted(one) for one in found} - {i.pictures[0].content for i in source[:2]})
    assert stand_ins(with_donors(source, source, [change(SWAP)], protocol.catalogue, 1)) == set()


def test_workers_get_what_is_known_and_say_what_they_found(some, store, protocol):
    """A parcel carries renderings of other pictures, and the answers to what has none, from one store to another."""
    model = FunctionModel(lambda request: "70")
    _, _, plan = asked(some, store, protocol, model)
    keys, there = Keys(model, 4, protocol.catalogue), Store("sqlite://")
    lookup = Lookup(plan, store, keys)
    assert all(lookup.missing(record) == [] for record in some)
    Parcel.from_text(lookup.parcel(some).to_text()).put_into(there, "m")
    assert all(Lookup(plan, there, keys).missing(record) == [] for record in some)
    there.close()


def test_the_pictures_that_stood_in_are_found_again_from_what_was_noted(some, store, protocol):
    store.note_manifest("h", noted(some))
    [images] = store.manifests("h")
    known = {image.id: image for image in images}
    blank = Picture("", _fixed)
    one = Renderer(store, protocol.seed, protocol.catalogue)
    for record in some:
        again = addressed(replace(record, pictures=(blank,)), known[record.id])
        for step in (SWAP, OTHER):
            held = can_be_shown(record, (step,), protocol.catalogue)
            assert can_be_shown(again, (step,), protocol.catalogue) == held
            if held:
                assert one.key(again, "d", (step,)) == one.key(record, "d", (step,))
    read_again = some[0].with_picture(content="read again")
    assert addressed(replace(some[0], pictures=(blank,)), None, read_again).content == "read again"


class Comparing(FunctionModel):
    name = "two-towers"
    needs_picture = True


def test_what_needs_a_picture_is_not_asked_without_one(protocol):
    found = measurable(EFFECTS, protocol, (), Comparing())
    assert [effect.name for effect in found] == ["swap", "other_modality"]
    assert measurable(EFFECTS, protocol, (), FunctionModel()) == EFFECTS
    with pytest.raises(AuditkitError, match="two-towers compares a picture with texts, so it cannot be asked without"):
        measurable(EFFECTS[2:], protocol, (), Comparing())


def test_neither_is_it_asked_a_task_that_shows_none_unless_a_judge_is(protocol):
    words = {"scorer": "score_100", "pictures": 0, "wordings": {"direct": "How sure is this?"}}
    judged = {**words, "of": "said", "role": "judge", "wordings": {"direct": "How good is this?\n{answer}"}}
    said = {"scorer": "text", "wordings": {"direct": "Describe the image."}}
    tasks = {"words": words, "said": said, "judged": judged}
    rules = protocol.model_copy(update={"tasks": tasks})
    effects = tuple(mean(task, family="sensitivity") for task in ("words", "judged"))
    assert measurable(effects, rules, (), Comparing()) == effects[1:]
    assert measurable(effects, rules, (), FunctionModel()) == effects
