"""A defect in a running model: recognised from requests alone, and nothing else touched."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from auditkit import perturbations, tasks
from auditkit.ask.keys import pixel_digest
from auditkit.ask.render import Renderer
from auditkit.errors import AuditkitError
from auditkit.images.item import UnreadableImage
from auditkit.models.base import Model, Request, Response
from auditkit.protocol.catalogue import Catalogue
from auditkit.protocol.model import Protocol
from auditkit.testing import (
    BatchDependent,
    Bias,
    Constant,
    HidesChanges,
    Insensitive,
    Inverted,
    OutlierPatient,
    OutOfRange,
    Refuses,
    RefusesWorst,
    TemplateFragile,
    Threshold,
    Unsteady,
    cancelling,
    plant,
)
from auditkit.testing.defect import REFUSAL
from auditkit.testing.recognise import Pictures, Prompts
from auditkit.vocabulary import Perturbation, Question

HIGH, LOW = "institution.reputation.high", "institution.reputation.low"
DIRECT = "quality.direct"
CATALOGUE = Catalogue.of({}, {}, DIRECT)
NOISE = [Perturbation("gaussian_noise", level) for level in range(6)]
JPEG = [Perturbation("jpeg", level) for level in range(6)]
"""By level; the first is none."""


def request(pixels, *sentences, words=DIRECT, name="r", stated=False, catalogue=CATALOGUE):
    task, _, wording = words.rpartition(".")
    question = Question(task, wording, tuple(map(Perturbation, sentences)))
    prompt = catalogue.prompt(question)
    images = (Image.fromarray(pixels),)
    asked = question if stated else None
    return Request(name, images, prompt.user, prompt.system, prompt.choices, prompt.max_new_tokens, asked)


def brightness(request):
    return f"{np.asarray(request.images[0]).mean() / 2.55:.1f}"


@pytest.fixture
def six(records):
    return records(6)


@pytest.fixture
def rendered(six, store, protocol):
    """Pixels of an image of the six under a condition."""
    renderer = Renderer(store, protocol.seed, protocol.catalogue)

    def give(index, *condition):
        return renderer.pixels(six[index], pixel_digest(renderer.clean(six[index])), condition)

    return give


def texts(model, *requests):
    return [response.text for response in model.generate(list(requests))]


def test_words_are_recognised_for_every_wording_and_sentence():
    prompts = Prompts(CATALOGUE)
    image = np.zeros((8, 8), np.uint8)
    for task in tasks.shipped().values():
        for wording in task.wordings:
            for said in ((), *((name,) for name in (*perturbations.levels(), *perturbations.placebos()))):
                asked = Question(task.id, wording, tuple(map(Perturbation, said)))
                assert prompts.find(request(image, *said, words=asked.words)) == asked
    known = request(image)
    assert prompts.find(replace(known, prompt="What is this?")) is None
    assert prompts.find(replace(known, system="A system turn that is not auditkit's.")) is None


def test_several_sentences_are_recognised_by_what_the_request_states():
    prompts = Prompts(CATALOGUE)
    image = np.zeros((8, 8), np.uint8)
    assert prompts.find(request(image, HIGH, LOW)) is None
    stated = request(image, HIGH, LOW, stated=True)
    assert prompts.find(stated) == Question("quality", "direct", (Perturbation(HIGH), Perturbation(LOW)))
    assert prompts.find(replace(stated, prompt="Another text.")) is None  # the text decides


def test_tasks_and_sentences_of_the_protocol_are_recognised(protocol, function_model, rendered):
    own = protocol.model_dump() | {
        "perturbations": {"ward.famous": {"sentence": "It was taken on a famous ward."}},
        "tasks": {"quality": {"wordings": {"night": "It is late. How good is this image, from 0 to 100?"}}},
    }
    own = Protocol.model_validate(own)
    planted = plant(function_model(lambda r: "50"), Bias(("ward.famous",), 10.0), (), own)
    asked = {"words": "quality.night", "catalogue": own.catalogue}
    assert texts(planted, request(rendered(0), "ward.famous", **asked), request(rendered(0), **asked)) == ["60", "50"]
    with pytest.raises(AuditkitError, match=r"ward\.famous"):
        plant(function_model(), Bias(("ward.famous",), 10.0), (), protocol)


def test_pictures_are_known_under_every_corruption(six, rendered, protocol):
    pictures = Pictures(six, protocol.seed, ("gaussian_noise", "jpeg"), protocol.catalogue)
    for index in (3, 0, 5):
        for condition in ((), (NOISE[1],), (JPEG[5],)):
            pixels = rendered(index, *condition)
            assert pictures.find(Image.fromarray(pixels)) == (index, condition)
            assert np.array_equal(pictures.pixels(index, condition), pixels)
    assert pictures.find(Image.fromarray(rendered(2, Perturbation("pixelate", 3)))) is None
    assert pictures.find(Image.fromarray(np.zeros((24, 24), np.uint8))) is None


def test_images_are_rendered_when_needed_and_once(records, protocol, rendered):
    six = records(6)
    pictures = Pictures(six, protocol.seed, ("jpeg",), protocol.catalogue)
    assert not records.reads  # nothing is decoded before the first request
    pictures.find(Image.fromarray(rendered(2)))
    assert len(pictures._unrendered) == 6
    for severity in (1, 2, 3):
        pictures.find(Image.fromarray(rendered(2, JPEG[severity])))
    assert len(pictures._unrendered) == 5  # the image last seen came first


def test_images_that_cannot_be_read_or_corrupted_are_passed_over(records, protocol):
    good, broken, tiny = *records(2), *records(1, side=1, prefix="t")

    def fail():
        raise UnreadableImage("it is damaged")

    broken = broken.with_picture(read=fail)
    pictures = Pictures((broken, tiny, good), protocol.seed, ("motion_blur",), protocol.catalogue)
    assert pictures.find(Image.fromarray(good.pictures[0].read())) == (2, ())
    assert pictures.find(Image.fromarray(np.zeros((1, 1), np.uint8))) is None


def test_a_bias_moves_scores_with_its_words_and_nothing_else(function_model, six, rendered, protocol):
    base = function_model(lambda r: "Score: 60 points.")
    planted = plant(base, Bias((HIGH,), 12.5), (), protocol)
    assert isinstance(planted, Model)
    said = texts(planted, request(rendered(0), HIGH), request(rendered(0), LOW), request(rendered(0)))
    assert said == ["72.5", "Score: 60 points.", "Score: 60 points."]


def test_each_request_of_a_mixed_batch_gets_its_own(function_model, six, rendered, protocol):
    base = function_model(brightness)
    planted = plant(base, Insensitive(("gaussian_noise",)), six, protocol)
    noisy = rendered(1, NOISE[5])
    other = rendered(1, JPEG[5])
    unknown = np.full((24, 24), 200, np.uint8)
    batch = [
        request(noisy, name="a"),
        request(other, name="b"),
        request(unknown, name="c"),
        request(rendered(1), name="d"),
    ]
    clean = brightness(batch[3])
    assert brightness(batch[0]) != clean  # the base would see it
    assert texts(planted, *batch) == [clean, brightness(batch[1]), brightness(batch[2]), clean]
    assert [r.id for r in base.batches[0]] == ["a", "b", "c", "d"]  # asked once, in the same order
    assert base.batches[0][2] is batch[2]


def test_inverted_and_threshold_know_the_severity(function_model, six, rendered, protocol):
    base = function_model(lambda r: "50")
    inverted = plant(base, Inverted(("jpeg",), rise=4.0), six, protocol)
    late = plant(base, Threshold((), severity=4, fall=30.0), six, protocol)
    pictures = [rendered(4, JPEG[s]) for s in (1, 3, 4, 5)]
    assert texts(inverted, *map(request, pictures)) == ["54", "62", "66", "70"]
    assert texts(late, *map(request, pictures)) == ["50", "50", "20", "20"]


def test_modality_and_patient_are_known_from_the_pixels(function_model, records, rendered, protocol):
    six = records(6, patients=3)
    base = function_model(lambda r: "50")
    opposite = plant(base, cancelling((HIGH,), 20.0, six), six, protocol)
    assert texts(opposite, request(rendered(0), HIGH), request(rendered(1), HIGH)) == ["70", "30"]
    one = plant(base, OutlierPatient((HIGH,), six[1].cluster, 40.0), six, protocol)
    assert texts(one, *(request(rendered(i), HIGH) for i in range(6))) == ["50", "90", "50", "50", "90", "50"]
    hides = plant(base, HidesChanges((HIGH,), 0.5, 30.0), six, protocol)
    said = texts(hides, *(request(rendered(i), HIGH) for i in range(6)))
    assert said[:3] == said[3:]  # by patient, not by image
    # A picture that is not among the images is answered as it was.
    assert texts(opposite, request(np.zeros((24, 24), np.uint8), HIGH)) == ["50"]


def test_a_second_asking_is_another_request(function_model, six, rendered, protocol):
    planted = plant(function_model(lambda r: "50"), Unsteady(0.5, sd=10.0), (), protocol)
    batch = [request(rendered(i % 6), name=f"q{i}") for i in range(60)]
    first, same = texts(planted, *batch), texts(planted, *batch)
    assert first == same  # a key that is asked again after a crash gets the same answer
    other = texts(planted, *(request(rendered(i % 6), name=f"again{i}") for i in range(60)))
    changed = np.mean([a != b for a, b in zip(first, other, strict=True)])
    assert 0.5 < changed < 0.95


def test_alone_is_a_call_with_one_request(function_model, six, rendered, protocol):
    planted = plant(function_model(lambda r: "50"), BatchDependent(1.0, 10.0), (), protocol)
    assert texts(planted, request(rendered(0)), request(rendered(1))) == ["50", "50"]
    assert texts(planted, request(rendered(0))) == ["60"]


def test_answers_of_other_kinds(function_model, rendered, protocol):
    said = {
        "score": lambda r: "I would say 80/100.",
        "refusal": lambda r: "I cannot assess this image.",
        "prose": lambda r: "What a nice picture",
        "error": lambda r: Response(error="no card"),
    }
    for kind, answer in said.items():
        base = function_model(answer)
        plain = base.generate([request(rendered(0))])[0]
        for defect in (TemplateFragile((DIRECT,), -20.0), RefusesWorst(10.0)):
            now = plant(base, defect, (), protocol).generate([request(rendered(0), name="x"), request(rendered(1))])[0]
            if kind == "score" and isinstance(defect, TemplateFragile):
                assert now == Response("60")
            else:
                assert now == plain
        constant = plant(base, Constant(70.0), (), protocol).generate([request(rendered(0))])[0]
        assert constant == (plain if kind == "error" else Response("70"))
    refusing = plant(function_model(lambda r: "80"), Refuses((HIGH,), 1.0), (), protocol)
    assert texts(refusing, request(rendered(0), HIGH)) == [REFUSAL]
    beyond = plant(function_model(lambda r: "4/5"), OutOfRange(1.0), (), protocol)
    assert texts(beyond, request(rendered(0), words="rating.direct")) == ["7/5"]


def test_a_refusal_is_read_as_one_in_every_format():
    for task in tasks.shipped().values():
        for wording in task.wordings:
            assert tasks.read(task, wording, REFUSAL).outcome == "refused"


def test_requests_that_are_not_auditkits_pass_untouched(function_model, rendered, protocol):
    planted = plant(function_model(lambda r: "50"), Constant(70.0), (), protocol)
    foreign = Request("f", (Image.fromarray(rendered(0)),), "How good is this?")
    assert texts(planted, foreign) == ["50"]
    two = request(rendered(0))
    two = Request("t", two.images * 2, two.prompt, two.system)
    assert texts(planted, two) == ["50"]


def test_every_defect_size_seed_and_model_has_keys_of_its_own(function_model, six, protocol):
    base, edited = function_model(), function_model()
    edited.fingerprint = "weights-2"
    reseeded = protocol.model_copy(update={"seed": 1})
    made = [
        plant(base, Bias((HIGH,), 10.0), (), protocol),
        plant(base, Bias((HIGH,), 10.5), (), protocol),
        plant(base, Bias((LOW,), 10.0), (), protocol),
        plant(base, Bias((HIGH,), 10.0), (), protocol, seed=1),
        plant(edited, Bias((HIGH,), 10.0), (), protocol),
        plant(plant(base, Bias((HIGH,), 10.0), (), protocol), Bias((HIGH,), 10.0), (), protocol),
        plant(base, Insensitive(("jpeg",)), six, protocol),
        plant(base, Insensitive(("jpeg",)), six[:5], protocol),
        plant(base, Insensitive(("jpeg",)), six, reseeded),
        plant(base, Refuses((HIGH,), 0.2), (), protocol),
    ]
    fingerprints = [model.fingerprint for model in made]
    assert len(set(fingerprints)) == len(fingerprints)
    assert base.fingerprint not in fingerprints
    assert {m.name for m in made} == {
        "function-Bias", "function-Bias-Bias", "function-Insensitive", "function-Refuses",
    }  # fmt: skip
    assert plant(base, Bias((HIGH,), 10.0), (), protocol).fingerprint == fingerprints[0]


def test_a_model_without_a_fingerprint_is_known_by_its_source(protocol, tmp_path, monkeypatch):
    source = tmp_path / "unnamed_model.py"
    code = "class Plain:\n    def generate(self, requests):\n        return []\n"
    source.write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    from unnamed_model import Plain

    before = plant(Plain(), Constant(), (), protocol)
    source.write_text(code + "# edited\n")
    after = plant(Plain(), Constant(), (), protocol)
    assert before.name == "Plain-Constant"
    assert before.fingerprint != after.fingerprint


def test_closing_closes_the_model(function_model, protocol):
    base = function_model()
    closed = []
    base.close = lambda: closed.append(True)
    plant(base, Constant(), (), protocol).close()
    plant(function_model(), Constant(), (), protocol).close()
    assert closed == [True]


def test_images_are_asked_for_when_the_defect_needs_them(function_model, protocol):
    with pytest.raises(AuditkitError, match="load_images"):
        plant(function_model(), Insensitive(("jpeg",)), (), protocol)
