"""Pairs that stand in for pairs: whose they are, place by place, and how they are shown and found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.ask.donors import can_be_shown, stand_ins, with_donors
from auditkit.ask.keys import pictures_digest
from auditkit.ask.plan import Plan, check_effects
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.store import noted
from auditkit.ask.tally import Tally
from auditkit.images.item import DECLARED, Item, Picture, UnreadableImage
from auditkit.protocol.effects import share
from auditkit.records.verify.images import addressed
from auditkit.vocabulary import Perturbation
from tests.ask.test_donors import _pixels, item
from tests.judge.build import own

SWAP, OTHER, MISSING = (Perturbation(name) for name in ("swap", "other_modality", "missing"))
TURNED, NOISE = Perturbation("pictures_reversed"), Perturbation("gaussian_noise", 3)
TASK = {
    "same": {"scorer": {"choice": {"A": "yes", "B": "no"}}, "pictures": 2, "wordings": {"direct": "Alike?\n{options}"}}
}
LOST = share("lost", "same", family="mine")
EFFECTS = tuple(LOST.under(p).minus(LOST).named(f"lost-{p.name}") for p in (SWAP, OTHER, MISSING))


@pytest.fixture(scope="module")
def rules():
    return own("mine", at_least=0.5).model_copy(update={"tasks": TASK})


_RULES = own("mine", at_least=0.5).model_copy(update={"tasks": TASK})


def picture(content: str) -> Picture:
    return Picture(content, lambda: _pixels(content))


def several(name: str, patient: str, contents, modality: str = "ct", **more) -> Item:
    return replace(item(name, patient, modality, **more), pictures=tuple(map(picture, contents)))


def wanted(found: Item, step: Perturbation = SWAP) -> tuple[str, ...]:
    """The addresses of the pictures that stand in, by place."""
    return tuple(one.given[step,].read.pictures[0].content for one in found.pictures)


@st.composite
def sources(draw):
    """Items of none, one or two of a few pictures, of any patients."""
    contents = st.lists(st.sampled_from("abcdefghijkl"), max_size=2, unique=True)
    modality = st.sampled_from(["ct", "xray", "other"])
    rows = draw(st.lists(st.tuples(st.integers(0, 4), contents, modality, st.booleans()), min_size=1, max_size=12))
    return [
        several(f"i{n}", f"p{patient}", some, modality, identifiable=DECLARED if named else "no")
        for n, (patient, some, modality, named) in enumerate(rows)
    ]


def chosen(items, source, seed=1):
    return {one.id: one for one in with_donors(items, source, EFFECTS, _RULES.catalogue, seed)}


@settings(max_examples=150)
@given(source=sources(), seed=st.integers(0, 3))
def test_the_donor_of_a_pair_is_one_pair_of_somebody_else(source, seed):
    for one in chosen(source, source, seed).values():
        if len(one.pictures) != 2:
            continue
        mine = {p.content for other in source if other.cluster == one.cluster for p in other.pictures}
        mine |= {p.content for p in one.pictures}
        for step, alike in ((SWAP, True), (OTHER, False)):
            fitting = {
                tuple(p.content for p in other.pictures)
                for other in source
                if len(other.pictures) == 2
                and other.identifiable != DECLARED
                and (other.modality == one.modality) == alike
                and (alike or "other" not in (other.modality, one.modality))
                and mine.isdisjoint(p.content for p in other.pictures)
            }
            held = can_be_shown(one, (step,), _RULES.catalogue)
            assert held == bool(fitting)
            assert not held or wanted(one, step) in fitting


@settings(max_examples=100)
@given(source=sources(), shuffle=st.randoms(use_true_random=False), data=st.data())
def test_neither_a_subset_nor_an_order_changes_it(source, shuffle, data):
    every = chosen(source, source)
    some = data.draw(st.lists(st.sampled_from(source), unique_by=lambda i: i.id))
    for one in chosen(some, shuffle.sample(source, len(source))).values():
        for own_, other in zip(one.pictures, every[one.id].pictures, strict=True):
            assert {c: p.content for c, p in own_.given.items()} == {c: p.content for c, p in other.given.items()}


@settings(max_examples=100)
@given(source=sources())
def test_pairs_and_texts_beside_them_change_no_donor_of_a_single_picture(source):
    alone = [one for one in source if len(one.pictures) == 1]
    beside, by_themselves = chosen(source, source), chosen(alone, alone)
    for one in by_themselves.values():
        given = beside[one.id].pictures[0].given
        assert {c: p.content for c, p in one.pictures[0].given.items()} == {c: p.content for c, p in given.items()}


def pairs(n=4):
    return [several(f"i{n}", f"p{n}", (f"left{n}", f"right{n}")) for n in range(n)]


def test_where_one_of_a_pair_cannot_be_decoded_the_next_pair_stands_in_as_a_whole():
    def broken():
        raise UnreadableImage("the file ends")

    source = pairs()
    first = chosen(source, source)["i0"]
    for place in (0, 1):
        lost = wanted(first)[place]
        damaged = [
            replace(one, pictures=tuple(replace(p, read=broken) if p.content == lost else p for p in one.pictures))
            for one in source
        ]
        found = chosen(damaged, damaged)["i0"]
        shown = [one.given[SWAP,].read() for one in found.pictures]
        second = [one.given[SWAP,].read.pictures[1].content for one in found.pictures]
        for pixels, content in zip(shown, second, strict=True):
            np.testing.assert_array_equal(pixels, _pixels(content))
        assert {content.strip("leftrigh") for content in second} != {lost.strip("leftrigh")}
        assert len({content.strip("leftrigh") for content in second}) == 1, "not one picture of each of two pairs"


def test_a_pair_is_shown_both_pictures_of_another_in_its_order(rules, store, function_model):
    check_effects(EFFECTS, rules)
    source = pairs()
    some = with_donors(source, source, EFFECTS, rules.catalogue, 1)
    seen = []
    model = function_model(lambda request: (seen.append([np.asarray(i) for i in request.images]), "A")[1])
    renderer = Renderer(store, 1, rules.catalogue)
    plan = Plan(some, EFFECTS, rules)
    tally = prefetch(plan, model, store, renderer, batch_size=4, deadline=20, on_progress=lambda t: None)
    assert tally.planned == tally.done
    expected = [tuple(p.content for p in one.pictures) for one in source]
    expected += [wanted(one) for one in some]
    digest = {pictures_digest([_pixels(content) for content in contents]) for contents in expected}
    assert {pictures_digest(shown) for shown in seen if shown} == digest
    assert [] in seen, "under missing there is none"
    found = digests(plan, store, renderer, Tally())
    turned = renderer.shown(some[0], found["i0"], (SWAP, TURNED))
    for pixels, content in zip(turned, reversed(wanted(some[0])), strict=True):
        np.testing.assert_array_equal(pixels, _pixels(content))
    noisy = renderer.shown(some[0], found["i0"], (SWAP, NOISE))
    assert [pixels.shape for pixels in noisy] == [(16, 16)] * 2
    assert stand_ins(some) == set(), "all that stands in is shown as itself too"


def test_what_stood_in_is_found_again_from_what_was_noted(rules, store):
    source = pairs()
    some = with_donors(source, source, EFFECTS, rules.catalogue, 1)
    store.note_manifest("h", noted(some))
    [images] = store.manifests("h")
    known, renderer = {image.id: image for image in images}, Renderer(store, 1, rules.catalogue)
    blank = Picture("", lambda: np.zeros((8, 8), np.uint8))
    for one in some:
        again = addressed(replace(one, pictures=(blank, blank)), known[one.id])
        assert again.content == one.content
        assert renderer.key(again, "d", (SWAP,)) == renderer.key(one, "d", (SWAP,))
        assert renderer.key(again, "d", (SWAP,)) != renderer.key(some[0], "d", (SWAP,)) or one is some[0]


def test_an_item_without_pictures_gets_none(rules):
    source = [*pairs(), several("words", "p9", ())]
    assert chosen(source, source)["words"] == source[-1]
