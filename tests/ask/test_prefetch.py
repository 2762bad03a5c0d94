import multiprocessing
import os
import signal
import threading
import time
import tracemalloc

import numpy as np
import pytest

from auditkit.ask.plan import Plan, distinct
from auditkit.ask.prefetch import prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.store import Store
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.images.item import UnreadableImage
from auditkit.models.base import Response
from auditkit.protocol.effects import differs, falls, mean, share
from auditkit.vocabulary import Perturbation

fork = multiprocessing.get_context("fork")
EFFECTS = distinct([
    falls("pixelate", (1, 5), family="sensitivity"),
    differs(Perturbation("again", 1), name="asked-twice", family="repeatability"),
    differs(Perturbation("alone"), name="alone-vs-batch", family="repeatability"),
    share("refused", "grade", family="answers"),
])  # fmt: skip
PER_IMAGE = 6


@pytest.fixture
def run(store, protocol):
    """One pass; what may differ between passes is an argument."""

    def run(model, some, *, batch_size=4, deadline=20.0, seed=1, on_progress=lambda tally: None, into=None):
        plan = Plan(tuple(some), EFFECTS, protocol)
        there = into or store
        return prefetch(
            plan,
            model,
            there,
            Renderer(there, seed, protocol.catalogue),
            batch_size=batch_size,
            deadline=deadline,
            on_progress=on_progress,
        )

    return run


def test_everything_is_asked_once_and_then_never_again(run, records, store, function_model):
    some, model, shown = records(5), function_model(), []
    tally = run(model, some, on_progress=lambda t: shown.append((t.done, t.planned)))
    assert (tally.planned, tally.done, tally.held, tally.asked, tally.errors) == (30, 30, 0, 30, {})
    assert len(set(model.asked)) == 30 == store.count()
    assert shown[0] == (0, 30)
    assert shown[-1] == (30, 30)
    assert sorted(shown) == shown
    assert all(len(batch) <= 4 for batch in model.batches)
    again = function_model()
    records.reads.clear()
    second = run(again, some)
    assert (second.held, second.asked, again.batches) == (30, 0, [])
    assert records.reads == {}, "a second pass neither decodes nor corrupts"


def test_each_key_is_computed_once_and_the_store_is_asked_once_per_group(records, store, protocol, function_model):
    """25 pictures of an image are not rendered yet: the clean one, and three groups of at most ten."""
    severities = (1, 2, 3, 4, 5)
    effects = [falls(name, severities, family="sensitivity") for name in ("pixelate", "jpeg", "brightness")]
    effects += [falls(name, severities, family="sensitivity") for name in ("gaussian_noise", "impulse_noise")]
    plan, named, looked_up = Plan(records(2), tuple(effects), protocol), [], []
    keys_of, known = Keys.of, store.known

    def counted_keys(keys, probe, rendered, *columns):
        named.append(probe)
        return keys_of(keys, probe, rendered, *columns)

    def counted_known(keys):
        keys = list(keys)
        looked_up.append(len(keys))
        return known(keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Keys, "of", counted_keys)
        patch.setattr(store, "known", counted_known)
        for groups in ([1, 10, 10, 5], [26]):
            named.clear(), looked_up.clear()
            renderer = Renderer(store, 1, protocol.catalogue)
            prefetch(plan, function_model(), store, renderer, batch_size=64, deadline=20, on_progress=lambda t: None)
            assert looked_up == 2 * groups
            assert len(named) == len(set(named)) == 2 * 26


def test_what_is_alone_is_asked_in_a_batch_of_its_own(run, records, function_model):
    model = function_model()
    run(model, records(3), batch_size=8)
    sizes = [len(batch) for batch in model.batches]
    assert sizes.count(1) == 3
    assert sum(sizes) == 3 * PER_IMAGE


def test_requests_are_what_the_seam_promises(run, records, function_model, protocol):
    model, some = function_model(), records(1)
    run(model, some)
    asked = Plan(some, EFFECTS, protocol).questions("ct")
    for batch in model.batches:
        for request in batch:
            (image,) = request.images
            assert image.mode == "L"
            assert image.size == (24, 24)
            assert "{context}" not in request.prompt
            assert request.max_new_tokens >= 1
            assert request.question in asked
    assert {r.choices for b in model.batches for r in b} == {tuple(map(str, range(101))), ("good", "usable", "reject")}


@pytest.mark.parametrize("change", ["fingerprint", "batch_size", "pixel", "seed"])
def test_a_change_asks_again(run, records, function_model, change):
    some = records(2)
    run(function_model(), some)
    model = function_model()
    if change == "fingerprint":
        model.fingerprint = "weights-2"
    if change == "pixel":

        def brighter():
            pixels = np.random.default_rng(0).integers(40, 200, (24, 24), dtype=np.uint8)
            pixels[0, 0] = 255
            return pixels

        some = (some[0].with_picture(content="f" * 64, read=brighter), some[1])
    options = {"batch_size": {"batch_size": 5}, "seed": {"seed": 2}}.get(change, {})
    tally = run(model, some, **options)
    # Pixelation is not random and what is asked alone knows no batch size: those stay.
    assert tally.asked == {"fingerprint": 12, "batch_size": 10, "pixel": 6, "seed": 0}[change]


def test_more_images_ask_only_the_new_ones(run, records, function_model):
    run(function_model(), records(2))
    model = function_model()
    assert run(model, records(4)).asked == len(model.asked) == 2 * PER_IMAGE


# --- models that do not do as they should ---------------------------------------------------------------------------


def test_error_is_not_stored_and_is_asked_again(run, records, store, function_model):
    def answer(request):
        if request.choices:
            raise ValueError("cannot choose")
        return Response(error="out of memory") if "0 (useless)" in request.prompt and request.id < "4" else "70"

    model = function_model(answer)
    tally = run(model, records(4))
    wrong = {request.id for batch in model.batches for request in batch if request.choices or request.id < "4"}
    assert set(tally.errors) == wrong
    assert tally.done == tally.planned == 24
    assert store.count() == 24 - len(wrong)
    assert store.known(tally.errors) == set()
    again = function_model()
    assert run(again, records(4)).errors == {}
    assert set(again.asked) == wrong
    assert store.count() == 24


def test_hanging_model_keeps_what_it_said_before(run, records, store, function_model):
    gate = threading.Event()
    some = records(12)

    def answer(request):
        if len(model.batches) > 3:
            gate.wait(20)
        return "70"

    model = function_model(answer)
    start = time.monotonic()
    tally = run(model, some, deadline=0.5)
    assert time.monotonic() - start < 15
    given = sum(len(batch) for batch in model.batches[:3])
    gate.set()
    assert len(model.batches) == 4
    assert store.count() == given
    assert tally.done == tally.planned == 72
    assert len(tally.errors) == 72 - given
    assert all("did not return within 0.5 s" in why for why in tally.errors.values())
    assert records.reads[some[-1].id] == 1, "for its digest; nothing is rendered that nobody will be asked about"
    assert run(function_model(), some).held == given


def test_checkpoint_that_cannot_be_loaded_ends_the_pass(run, records, function_model):
    def answer(request):
        raise AuditkitError("--model=x: could not be loaded.")

    model = function_model(answer)
    with pytest.raises(AuditkitError, match="could not be loaded"):
        run(model, records(5))
    assert len(model.batches) == 1


def test_odd_texts_are_stored_as_they_are(run, records, store, function_model):
    texts = ["\x00\ud800", "I cannot assess this image.", "", "4" * 100_000, "101", "70"]
    model = function_model(lambda request: texts[int(request.id[:6], 16) % len(texts)])
    tally = run(model, records(6))
    assert store.count() == 36
    assert tally.errors == {}


def test_interrupt_in_the_middle_leaves_a_usable_store(run, records, store, function_model):
    def interrupt(tally):
        if tally.done >= 12:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(function_model(), records(8), on_progress=interrupt)
    kept = store.count()
    assert 12 <= kept < 48
    model = function_model()
    tally = run(model, records(8))
    assert (tally.held, len(model.asked)) == (kept, 48 - kept)


def _slow_pass(path: str, some, protocol, pipe) -> None:
    class Slow:
        name = revision = fingerprint = "slow"

        def generate(self, requests):
            time.sleep(0.1)
            return [Response("70") for _ in requests]

    store = Store(path)
    plan = Plan(some, EFFECTS, protocol)
    prefetch(
        plan,
        Slow(),
        store,
        Renderer(store, 1, protocol.catalogue),
        batch_size=4,
        deadline=20,
        on_progress=lambda t: pipe.send(t.done),
    )


def test_killed_run_keeps_every_committed_batch_and_the_next_asks_only_the_rest(run, records, tmp_path, protocol):
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
    store = Store(path)
    kept = store.count()
    assert done <= kept < 60

    class Next:
        name = revision = fingerprint = "slow"
        asked = 0

        def generate(self, requests):
            Next.asked += len(requests)
            return [Response("70") for _ in requests]

    tally = run(Next(), some, into=store)
    assert (tally.held, Next.asked, store.count()) == (kept, 60 - kept, 60)


# --- images that cannot be had --------------------------------------------------------------------------------------


def unreadable():
    raise UnreadableImage("the file ends too early")


def test_image_that_cannot_be_decoded_is_left_out_with_its_reason(run, records, function_model):
    some = records(3)
    tally = run(function_model(), (some[0], some[1].with_picture(read=unreadable), some[2]))
    assert [(entry.name, entry.reason) for entry in tally.left_out] == [("i0001.png", "the file ends too early")]
    assert tally.unreadable == ["i0001"]
    assert tally.planned == tally.done == 2 * PER_IMAGE


def test_image_that_is_lost_after_its_digest_was_noted(run, records, function_model):
    """As when an optional decoder is missing in the second run: what is held stays held, the image is left out."""
    some = records(3)
    run(function_model(lambda r: Response(error="down")), some)
    tally = run(function_model(), (some[0], some[1].with_picture(read=unreadable), some[2]))
    assert tally.unreadable == ["i0001"]
    assert tally.planned == tally.done == tally.asked == 2 * PER_IMAGE


def test_image_too_small_to_be_corrupted_is_left_out(run, records, function_model):
    tally = run(function_model(), (*records(2), records.one("tiny", 5, side=4)))
    assert tally.unreadable == ["tiny"]
    assert "4" in tally.left_out[0].reason
    assert tally.planned == tally.done == tally.held + tally.asked


def test_tally_survives_the_way_to_another_process(run, records, function_model):
    some = records(2)
    tally = run(function_model(lambda r: Response(error="x")), (some[0], some[1].with_picture(read=unreadable)))
    assert Tally.from_record(tally.to_record()) == tally


def test_memory_does_not_grow_with_the_number_of_images(store, protocol, records):
    """120 images of 1 MB each: what is kept is the batch in hand, the cache (4 MB here) and the digests."""
    side, n = 1024, 120
    some = tuple(
        record.with_picture(read=lambda seed=i: np.full((side, side), seed, np.uint8))
        for i, record in enumerate(records(n))
    )

    class Forgetful:
        name = revision = fingerprint = "x"

        def generate(self, requests):
            return [Response("70") for _ in requests]

    plan = Plan(some, (mean(),), protocol)
    tracemalloc.start()
    try:
        tally = prefetch(
            plan, Forgetful(), store, Renderer(store, 1, protocol.catalogue, 4 * side**2), batch_size=4, deadline=20,
            on_progress=lambda t: None,
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert tally.asked == n
    assert peak < 24 * side**2 < n * side**2
