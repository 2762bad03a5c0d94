"""Changed pictures that the data hold themselves: shown as they are, asked only where they are, measured against."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from auditkit.ask.donors import with_asked
from auditkit.ask.keys import pixel_digest
from auditkit.ask.plan import Plan, check_effects
from auditkit.ask.prefetch import digests, prefetch
from auditkit.ask.render import Renderer
from auditkit.ask.requests import Keys
from auditkit.ask.tally import Tally
from auditkit.errors import AuditkitError
from auditkit.images.sources import load_images
from auditkit.measure.columns import NOT_ASKED
from auditkit.measure.reader import AnswerReader
from auditkit.perturbations import PerturbationError, law, shipped
from auditkit.perturbations.apply import perturb
from auditkit.perturbations.dose import dose
from auditkit.protocol.effects import change, displacement, falls, mean
from auditkit.vocabulary import Perturbation, Question

OLD = Perturbation("old_scanner", 2)
FOLD = Perturbation("fold")
NOISE = Perturbation("gaussian_noise", 3)
TABLES = {"old_scanner": {"function": "given", "levels": [{}, {}]}, "fold": {"function": "given"}}


@pytest.fixture
def rules(protocol):
    return protocol.model_copy(update={"perturbations": TABLES})


def pixels(seed, side=48, scale=256):
    return np.random.default_rng(seed).integers(0, scale, (side, side), dtype=np.uint8)


@pytest.fixture
def images(tmp_path):
    """Four patients; three have a picture of the old scanner, one of them in another size, one has a fold too."""
    rows = [("file_name", "patient_id", "modality", "of", "given")]
    for i in range(4):
        Image.fromarray(pixels(i)).save(tmp_path / f"{i}.png")
        rows.append((f"{i}.png", f"p{i}", "xray", "", ""))
    for i, side in ((0, 48), (1, 48), (2, 30)):
        Image.fromarray(pixels(10 + i, side)).save(tmp_path / f"old{i}.png")
        rows.append((f"old{i}.png", "", "", f"{i}.png", "old_scanner-s2"))
    Image.fromarray(pixels(20)).save(tmp_path / "fold.png")
    rows.append(("fold.png", "", "", "0.png", "fold"))
    with (tmp_path / "m.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return load_images(str(tmp_path / "m.csv"), salt="s").records


def by_name(records):
    return {record.name: record for record in records}


def test_the_picture_is_shown_as_it_is_and_measured_against_the_clean_one(images, rules, store):
    renderer, item = Renderer(store, 1, rules.catalogue), by_name(images)["0.png"]
    digest = renderer.digest(item)
    shown = renderer.shown(item, digest, (OLD,))
    np.testing.assert_array_equal(shown[0], pixels(10))
    described = renderer.describe(item, (OLD,), shown)
    measured = dose(pixels(0), pixels(10))
    assert (described.digest, described.ssim, described.psnr) == (
        pixel_digest(pixels(10)),
        measured.ssim,
        measured.psnr,
    )
    other = by_name(images)["2.png"]
    smaller = renderer.describe(other, (OLD,), renderer.shown(other, renderer.digest(other), (OLD,)))
    assert (smaller.ssim, smaller.psnr) == (None, None), "there is no distance between pictures of two sizes"


def test_what_comes_after_it_is_done_to_it(images, rules, store):
    renderer, item = Renderer(store, 1, rules.catalogue), by_name(images)["0.png"]
    digest = renderer.digest(item)
    noisy = renderer.pixels(item, digest, (OLD, NOISE))
    assert noisy.shape == pixels(10).shape
    assert 0 < np.abs(noisy.astype(int) - pixels(10)).mean() < np.abs(noisy.astype(int) - pixels(0)).mean()


def test_the_key_is_that_of_the_picture_itself(images, rules, store):
    renderer, item = Renderer(store, 1, rules.catalogue), by_name(images)["0.png"]
    digest = renderer.digest(item)
    key = renderer.key(item, digest, (OLD,))
    first = item.pictures[0]
    swapped = item.with_picture(given={(OLD,): replace(first.given[OLD,], content="another")})
    assert renderer.key(swapped, digest, (OLD,)) != key
    assert renderer.key(swapped, digest, ()) == renderer.key(item, digest, ()) == digest
    store.add_renders({key: renderer.describe(item, (OLD,), renderer.shown(item, digest, (OLD,)))})
    assert list(renderer.known(item, digest, [(), (OLD,), (FOLD,)])) == [(), (OLD,)]
    assert list(renderer.known(swapped, digest, [(), (OLD,)])) == [()]
    alone = item.with_picture(given={})
    assert list(renderer.known(alone, digest, [(), (OLD,)])) == [()], "never the clean picture in its place"


def test_who_has_no_such_picture_is_not_asked_and_it_is_said(images, rules, store, function_model):
    effects = (mean(family="sensitivity"), change(OLD, family="sensitivity"), change(FOLD, family="sensitivity"))
    check_effects(effects, rules)
    plan = Plan(images, effects, rules)
    model = function_model(lambda request: "70")
    renderer = Renderer(store, 1, rules.catalogue)
    prefetch(plan, model, store, renderer, batch_size=8, deadline=20, on_progress=lambda t: None, ask_on=True)
    assert plan.size() == 4 + 3 + 1
    assert len(model.asked) == 8
    found = digests(plan, store, renderer, Tally())
    data = AnswerReader(plan, found, Keys(model, 8, rules.catalogue), store, renderer).measure()
    names = [record.name for record in data.records]
    for step, having in ((OLD, {"0.png", "1.png", "2.png"}), (FOLD, {"0.png"})):
        outcomes = data.column(rules.resolve(Question(condition=(step,)))).outcomes
        assert {name for name, code in zip(names, outcomes, strict=True) if code != NOT_ASKED} == having
    why = {record.name: plan.lacking(record) for record in images}
    fold, old = ({str(step): "the data hold no picture changed by it"} for step in (FOLD, OLD))
    assert why == {"0.png": {}, "1.png": fold, "2.png": fold, "3.png": fold | old}


def test_published_corruptions_are_audited_by_their_names(tmp_path, protocol, store, function_model):
    """MedMNIST-C beside MedMNIST, with the effect that every corruption has."""
    clean = np.random.default_rng(0).integers(0, 256, (4, 32, 32), dtype=np.uint8)
    labels = np.arange(4).reshape(4, 1) % 2
    np.savez(tmp_path / "pneumoniamnist.npz", test_images=clean, test_labels=labels)
    (tmp_path / "pneumoniamnist").mkdir()
    corrupted = np.concatenate([clean // (2 + severity) for severity in range(5)])
    np.savez(
        tmp_path / "pneumoniamnist" / "pixelate.npz", test_images=corrupted, test_labels=np.concatenate([labels] * 5)
    )
    effect = falls("medmnist_c.pixelate", family="sensitivity")
    assert [str(q) for q in effect.questions()][1:] == [f"score medmnist_c.pixelate-s{n}" for n in range(1, 6)]
    check_effects([effect], protocol)
    records = load_images(str(tmp_path), salt="s").records
    plan = Plan(records, (effect,), protocol)
    seen = []
    model = function_model(lambda request: (seen.append(np.asarray(request.images[0])), "70")[1])
    renderer = Renderer(store, 1, protocol.catalogue)
    prefetch(plan, model, store, renderer, batch_size=8, deadline=20, on_progress=lambda t: None, ask_on=True)
    wanted = sorted(pixel_digest(one) for one in (*clean, *corrupted))
    assert sorted(map(pixel_digest, seen)) == wanted


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((NOISE, OLD), "Name old_scanner-s2 first"),
        ((OLD, FOLD), "no other that the data have to hold"),
        ((Perturbation("swap"), OLD), "a picture as the data hold it"),
        ((Perturbation("old_scanner", 3),), "Use an integer from 1 to 2"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_anything_is_asked(rules, steps, said):
    with pytest.raises(AuditkitError) as caught:
        check_effects([mean(family="sensitivity").under(*steps)], rules)
    assert said in str(caught.value)


def test_nothing_is_compared_inside_of_pictures_that_not_every_item_has(rules):
    with pytest.raises(AuditkitError, match="not every item may have"):
        check_effects([displacement("vision", "old_scanner", [1, 2], family="displacement")], rules)


def test_there_is_no_law_to_apply():
    entry = shipped()["medimeta_c.pixelate"]
    assert (entry.stage, entry.tier, entry.strengths) == ("display", "medimeta_c", (1, 2, 3, 4, 5))
    for attempt in (lambda: law(entry), lambda: perturb(pixels(0), entry, 1, b"")):
        with pytest.raises(PerturbationError, match="its pictures are those that the data hold"):
            attempt()


def test_a_run_keeps_what_its_effects_ask_about(images):
    kept = by_name(with_asked(images, [change(FOLD)]))
    assert set(kept["0.png"].pictures[0].given) == {(FOLD,)}
    assert not kept["1.png"].pictures[0].given
    assert with_asked(images, [change(FOLD), change(OLD)]) == images
