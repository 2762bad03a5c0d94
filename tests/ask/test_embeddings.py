import multiprocessing
import os
import signal
import threading
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from auditkit.ask.embeddings import EmbeddingKeys, embedding_kinds, fetch_embeddings, kinds_by_condition
from auditkit.ask.keys import pixel_digest
from auditkit.ask.lock import exclusive
from auditkit.ask.plan import Plan, distinct
from auditkit.ask.render import Renderer
from auditkit.ask.store import Store
from auditkit.errors import AuditkitError
from auditkit.images.item import UnreadableImage
from auditkit.models.base import Embeds, Request, Response
from auditkit.protocol.effects import change, differs, displacement, falls, follows, share
from auditkit.protocol.model import Protocol
from auditkit.vocabulary import Perturbation, Question

fork = multiprocessing.get_context("fork")
INSIDE = [
    made(kind, name, levels, family="embeddings")
    for kind in ("vision", "language")
    for name, levels in (("pixelate", (1, 5)), ("gaussian_noise", (3,)))
    for made in (displacement, follows)
]
EFFECTS = distinct([
    *INSIDE,
    falls("pixelate", (1, 5), family="sensitivity"),
    differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
    change(Perturbation("gaussian_noise", 3), Perturbation("institution.reputation.high"), family="metadata"),
    share("refused", "grade", family="answers"),
])  # fmt: skip
PER_IMAGE = 4  # clean, noise and pixelation twice: what the other audits ask has nothing to do with it


class Inside:
    """A model whose embeddings are a function of the request, and which remembers what it was asked."""

    name, revision, fingerprint = "inside", "1", "weights-1"
    embeddings: tuple[str, ...] = ("vision", "language")

    def __init__(self, vector=lambda request, kind: [1.0, 2.0, 3.0]) -> None:
        self.vector = vector
        self.batches: list[tuple[str, list[Request]]] = []

    def generate(self, requests):
        return [Response("70") for _ in requests]

    def embed(self, requests, kind="vision"):
        self.batches.append((kind, list(requests)))
        return np.array([self.vector(request, kind) for request in requests], dtype=np.float32)

    @property
    def asked(self) -> list[str]:
        return [request.id for _, batch in self.batches for request in batch]


class Counting(Renderer):
    """Counts how often it renders."""

    calls = 0

    def pixels(self, record, digest, condition):
        Counting.calls += 1
        return super().pixels(record, digest, condition)


@pytest.fixture
def fetch(store, protocol):
    """One pass; what may differ between passes is an argument."""

    def fetch(model, some, *, batch_size=4, deadline=20.0, on_progress=lambda tally: None, into=None, effects=None):
        plan = Plan(tuple(some), effects or EFFECTS, protocol)
        there = into or store
        renderer, Counting.calls = Counting(there, 1, protocol.catalogue), 0
        return fetch_embeddings(
            plan, model, there, renderer, batch_size=batch_size, deadline=deadline, on_progress=on_progress
        )

    return fetch


def held(store, keys) -> int:
    return len(store.known_embeddings(keys))


def test_each_is_fetched_once_and_then_never_again(fetch, records, store):
    some, model, shown = records(5), Inside(), []
    tally = fetch(model, some, on_progress=lambda t: shown.append((t.done, t.planned)))
    total = 5 * PER_IMAGE * 2
    assert (tally.planned, tally.done, tally.held, tally.asked, tally.errors) == (total, total, 0, total, {})
    assert len(set(model.asked)) == len(model.asked) == held(store, model.asked) == total
    assert (shown[0], shown[-1]) == ((0, total), (total, total))
    assert sorted(shown) == shown
    assert all(len(batch) <= 4 for _, batch in model.batches)
    assert {kind for kind, _ in model.batches} == {"vision", "language"}
    again = Inside()
    records.reads.clear()
    second = fetch(again, some)
    assert (second.held, second.asked, again.batches) == (total, 0, [])
    assert records.reads == {}, "a second pass neither decodes nor corrupts"


def test_vectors_lie_under_the_key_of_the_pixels_they_were_made_of(fetch, records, store, protocol):
    def vector(request, kind):
        pixels = np.asarray(request.images[0]).astype(float)
        return [*pixels[0, :3], {"vision": 1.0, "language": 2.0}[kind]]

    (record,) = some = records(1)
    model = Inside(vector)
    fetch(model, some)
    renderer, keys = Renderer(store, 1, protocol.catalogue), EmbeddingKeys(model, protocol)
    digest = pixel_digest(record.pictures[0].read())
    kinds = kinds_by_condition(Plan(some, EFFECTS, protocol), record.modality)
    conditions = list(kinds)
    assert conditions[0] == ()
    assert len(conditions) == PER_IMAGE
    assert set(kinds.values()) == {("language", "vision")}
    for condition, rendered in renderer.known(record, digest, set(conditions)).items():
        for number, kind in enumerate(("vision", "language"), 1):
            key = keys.of(rendered, kind)
            expected = [*renderer.pixels(record, digest, condition)[0, :3], number]
            assert store.embeddings([key])[key] == pytest.approx(expected, rel=1e-3)


def test_requests_are_what_the_seam_promises(fetch, records, protocol):
    model = Inside()
    assert isinstance(model, Embeds)
    fetch(model, records(1))
    for _, batch in model.batches:
        for request in batch:
            assert isinstance(request, Request)
            assert request.images[0].mode == "L"
            assert request.question == protocol.resolve(Question())
            assert "{context}" not in request.prompt


def test_another_score_question_fetches_language_alone(fetch, records, store, protocol):
    some = records(2)
    fetch(Inside(), some)
    declared = protocol.model_dump()
    other = Protocol.model_validate(declared | {"prompts": declared["prompts"] | {"score": "rating.direct"}})
    assert other.resolve(Question()) != protocol.resolve(Question())
    model, plan = Inside(), Plan(some, EFFECTS, other)
    fetch_embeddings(
        plan,
        model,
        store,
        Renderer(store, 1, protocol.catalogue),
        batch_size=4,
        deadline=20,
        on_progress=lambda t: None,
    )
    assert {kind for kind, _ in model.batches} == {"language"}
    assert len(model.asked) == 2 * PER_IMAGE


@pytest.mark.parametrize("change", ["fingerprint", "corruptions", "images"])
def test_a_change_fetches_what_is_new_and_nothing_else(fetch, records, change):
    fetch(Inside(), records(2))
    model = Inside()
    if change == "fingerprint":
        model.fingerprint = "weights-2"
    effects = EFFECTS
    if change == "corruptions":
        effects = (*EFFECTS, displacement("vision", "jpeg", (1, 2), family="embeddings"))
    tally = fetch(model, records(3 if change == "images" else 2), effects=effects)
    assert tally.asked == {"fingerprint": 16, "corruptions": 4, "images": 8}[change]


def test_what_is_fetched_is_what_the_audits_name(fetch, records, store):
    model = Inside()
    tally = fetch(model, records(2), effects=(displacement("vision", "pixelate", (2,), family="embeddings"),))
    assert {kind for kind, _ in model.batches} == {"vision"}
    assert tally.asked == 2 * 2, "clean and pixelated"
    assert fetch(Inside(), records(2), effects=(falls("pixelate", family="sensitivity"),)).planned == 0


def test_a_kind_of_ones_own_is_named_in_the_protocol(records, store, protocol):
    declared = protocol.model_dump() | {"tasks": {"embedding": {"wordings": {"middle": "The tenth layer, pooled."}}}}
    own = Protocol.model_validate(declared)
    model, some = Inside(), records(2)
    model.embeddings = ("vision", "middle")
    plan = Plan(some, (displacement("middle", "pixelate", (2,), family="embeddings"),), own)
    options = {"batch_size": 4, "deadline": 20, "on_progress": lambda tally: None}
    tally = fetch_embeddings(plan, model, store, Renderer(store, 1, own.catalogue), **options)
    assert tally.errors == {}
    assert [kind for kind, _ in model.batches] == ["middle"]


# --- models that do not do as they should ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        ([np.nan, 1.0, 1.0], "NaN or infinite"),
        ([np.inf, 1.0, 1.0], "NaN or infinite"),
        ([0.0, 0.0, 0.0], "nothing but zeros"),
    ],
)
def test_vector_that_is_none_costs_only_itself_and_is_asked_again(fetch, records, store, vector, words):
    bad: list[str] = []

    def sometimes(request, kind):
        if kind == "language" and request.id < "6":
            bad.append(request.id)
            return vector
        return [1.0, 2.0, 3.0]

    model = Inside(sometimes)
    tally = fetch(model, records(3))
    assert bad
    assert set(tally.errors) == set(bad)
    assert all(words in why for why in tally.errors.values())
    assert tally.done == tally.planned == 24
    assert held(store, model.asked) == 24 - len(bad)
    assert held(store, bad) == 0
    again = Inside()
    assert fetch(again, records(3)).errors == {}
    assert set(again.asked) == set(bad)


def test_batch_that_raises_is_tried_one_by_one(fetch, records, store):
    def vector(request, kind):
        if request.id < "4":
            raise RuntimeError("cannot see this")
        return [1.0]

    model = Inside(vector)
    tally = fetch(model, records(3))
    assert tally.errors
    assert set(tally.errors.values()) == {"the model raised RuntimeError: cannot see this"}
    assert {key for key in model.asked if key < "4"} == set(tally.errors)
    assert held(store, model.asked) == 24 - len(tally.errors)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, "returned object numbers of shape ()"),
        (np.ones(3), "of shape (3,)"),
        (np.ones((4, 2, 2)), "of shape (4, 2, 2)"),
        (np.ones((99, 8)), "of shape (99, 8)"),
        (np.ones((1, 8), dtype=np.int64), "returned int64"),
        (np.ones((1, 8), dtype=complex), "returned complex128"),
        ([["a"]], "expected floats of shape (1, d)"),
        ([[1.0], [1.0, 2.0]], "raised ValueError"),
    ],
)
def test_what_is_no_array_of_the_right_shape_is_reported_and_never_stored(fetch, records, store, returned, words):
    model = Inside()
    model.embed = lambda requests, kind: returned
    tally = fetch(model, records(1))
    assert len(tally.errors) == tally.done == 8
    assert all(words in why for why in tally.errors.values()), next(iter(tally.errors.values()))
    assert held(store, tally.errors) == 0


def test_vectors_of_one_kind_are_of_one_length(fetch, records, store):
    model = Inside(lambda request, kind: [1.0] * (5 if kind == "language" else 3))
    assert fetch(model, records(1), batch_size=1).errors == {}
    other = Inside(lambda request, kind: [1.0] * (4 if len(other.batches) == 3 else 3))
    other.fingerprint = "2"
    tally = fetch(other, records(1), batch_size=1)
    assert list(tally.errors.values()) == ["the language embedding has 4 numbers, others have 3"]


def test_double_precision_beyond_single_is_infinite(fetch, records):
    model = Inside()
    model.embed = lambda requests, kind: np.full((len(requests), 2), 1e300)
    assert all("infinite" in why for why in fetch(model, records(1)).errors.values())


def test_hanging_model_is_given_up_and_nothing_more_is_rendered(fetch, records, store):
    gate = threading.Event()

    def vector(request, kind):
        if len(model.batches) > 2:
            gate.wait(20)
        return [1.0]

    model, some = Inside(vector), records(12)
    start = time.monotonic()
    tally = fetch(model, some, deadline=0.5)
    assert time.monotonic() - start < 15
    gate.set()
    assert Counting.calls < 20 < 12 * PER_IMAGE
    assert tally.done == tally.planned == 96
    assert len(tally.errors) == 96 - held(store, model.asked) == 96 - 8
    assert all("did not return within 0.5 s" in why for why in tally.errors.values())
    assert fetch(Inside(), some).held == 8


def test_checkpoint_that_cannot_be_loaded_ends_the_pass(fetch, records):
    def vector(request, kind):
        raise AuditkitError("--model=x: could not be loaded.")

    model = Inside(vector)
    with pytest.raises(AuditkitError, match="could not be loaded"):
        fetch(model, records(5))
    assert len(model.batches) == 1


@pytest.mark.parametrize("kinds", [(), None, "vision", ("vision", 3), ("",)])
def test_model_without_embeddings_is_refused_before_anything_is_asked(fetch, records, kinds):
    model = Inside()
    model.embeddings = kinds
    with pytest.raises(AuditkitError, match="inside gives no embeddings") as raised:
        fetch(model, records(1))
    assert "Leave --audit-embeddings out" in raised.value.remedy
    assert model.batches == []


def test_model_that_only_lists_them():
    class Half:
        embeddings = ("vision",)

        def generate(self, requests):
            return []

    with pytest.raises(AuditkitError, match=r"Half gives no embeddings.*embed\(\) is missing"):
        embedding_kinds(Half())


# --- runs that are cut short, images that cannot be had -------------------------------------------------------------


def _slow_pass(path: str, some, protocol, pipe) -> None:
    def slow(request, kind):
        time.sleep(0.02)
        return [1.0, 2.0]

    store = Store(path)
    plan = Plan(some, EFFECTS, protocol)
    fetch_embeddings(
        plan, Inside(slow), store, Renderer(store, 1, protocol.catalogue), batch_size=4, deadline=20,
        on_progress=lambda t: pipe.send(t.done),
    )  # fmt: skip


def test_killed_run_keeps_every_committed_batch_and_the_next_fetches_only_the_rest(fetch, records, tmp_path, protocol):
    path, some = str(tmp_path / "killed.sqlite"), records(10)
    ours, theirs = fork.Pipe()
    child = fork.Process(target=_slow_pass, args=(path, some, protocol, theirs))
    child.start()
    done = 0
    while done < 13:
        assert ours.poll(30)
        done = ours.recv()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    model, store = Inside(), Store(path)
    tally = fetch(model, some, into=store)
    assert done <= tally.held < 80
    assert len(model.asked) == tally.asked == 80 - tally.held
    assert held(store, expected_keys(model, some, store, protocol)) == 80


def expected_keys(model, some, store, protocol) -> set[str]:
    keys, renderer, plan = (
        EmbeddingKeys(model, protocol),
        Renderer(store, 1, protocol.catalogue),
        Plan(some, EFFECTS, protocol),
    )
    found = set()
    for record in some:
        digest = pixel_digest(record.pictures[0].read())
        rendered = renderer.known(record, digest, set(kinds_by_condition(plan, record.modality)))
        found |= {keys.of(one, kind) for one in rendered.values() for kind in model.embeddings}
    return found


def _one_of_several(path: str, some, protocol, results) -> None:
    store, model = Store(path), Inside()
    with exclusive(store, "run"):
        plan = Plan(some, EFFECTS, protocol)
        fetch_embeddings(
            plan,
            model,
            store,
            Renderer(store, 1, protocol.catalogue),
            batch_size=4,
            deadline=20,
            on_progress=lambda t: None,
        )
    results.put(len(model.asked))


def test_of_several_processes_one_fetches(records, tmp_path, protocol):
    results = fork.Queue()
    arguments = (str(tmp_path / "s.sqlite"), records(4), protocol, results)
    workers = [fork.Process(target=_one_of_several, args=arguments) for _ in range(3)]
    for worker in workers:
        worker.start()
    found = sorted(results.get(timeout=30) for _ in workers)
    for worker in workers:
        worker.join()
    assert found == [0, 0, 32]


def unreadable():
    raise UnreadableImage("the file ends too early")


def test_images_that_cannot_be_had_are_left_out(fetch, records):
    some = records(3)
    tally = fetch(Inside(), (some[0], some[1].with_picture(read=unreadable), some[2], records.one("tiny", 5, side=4)))
    assert tally.unreadable == ["i0001", "tiny"]
    assert tally.left_out[0].reason == "the file ends too early"
    assert tally.planned == tally.done == tally.asked
    assert tally.asked >= 2 * PER_IMAGE * 2


def test_equal_images_share_their_embeddings(fetch, records, store):
    (one,) = records(1)
    twin = replace(one.with_picture(content="f" * 64), id="twin")
    tally = fetch(Inside(), (one, twin), batch_size=64)
    assert tally.errors == {}
    assert tally.done == tally.planned == 16
    assert fetch(Inside(), (one, twin)).held == 16


def test_memory_does_not_grow_with_the_number_of_images(store, protocol, records):
    """120 images of 1 MB and vectors of 256 kB: what is kept is the batch in hand, the cache (4 MB) and the digests."""
    side, n = 1024, 120
    some = tuple(
        record.with_picture(read=lambda seed=i: np.full((side, side), seed, np.uint8))
        for i, record in enumerate(records(n))
    )

    class Forgetful(Inside):
        def embed(self, requests, kind="vision"):
            return np.ones((len(requests), 2**16), dtype=np.float32)

    effects = tuple(displacement(kind, "pixelate", (1,), family="embeddings") for kind in ("vision", "language"))
    plan = Plan(some, effects, protocol)
    tracemalloc.start()
    try:
        tally = fetch_embeddings(
            plan, Forgetful(), store, Renderer(store, 1, protocol.catalogue, 4 * side**2), batch_size=4, deadline=20,
            on_progress=lambda t: None,
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert tally.asked == 2 * 2 * n
    assert peak < 30 * side**2 < n * side**2
