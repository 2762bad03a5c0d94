"""Answers against the checkpoint's own similarities, and what must not change them."""

import math
import random
from functools import cache

import numpy as np
import pytest
from PIL import Image

from auditkit import tasks
from auditkit.models.base import Embeds, Model, ModelOptions, Request
from auditkit.models.dual_encoder import DualEncoder, texts
from auditkit.models.dual_encoder.texts import class_texts
from auditkit.models.dual_encoder.towers import Towers
from auditkit.perturbations import levels
from auditkit.vocabulary import Perturbation, Question
from tests.models.conftest import ALL_WORDS
from tests.models.dual_encoder.conftest import KINDS, ask, picture

SAID = Question("quality", "direct", (Perturbation("institution.reputation.high"),))
SENTENCES = ["", "institution.neutral", "institution.reputation.high", "institution.reputation.low"]


def encoder(folder, **options) -> DualEncoder:
    return DualEncoder(folder, name="m", options=ModelOptions(**options))


def likelihoods(responses):
    assert [r.error for r in responses] == [None] * len(responses)
    return [{choice: math.exp(p) for choice, p in r.logprobs.items()} for r in responses]


def agree(some, others):
    """Same texts, same probabilities but for rounding (float32 products of other shapes differ in the last bits)."""
    assert [r.text for r in some] == [r.text for r in others]
    for one, other in zip(likelihoods(some), likelihoods(others), strict=True):
        assert one == pytest.approx(other, abs=2e-4)


@cache
def loaded(folder):
    import transformers

    processor, model = (auto.from_pretrained(folder) for auto in (transformers.AutoProcessor, transformers.AutoModel))
    return processor, model.requires_grad_(False)


def own_probabilities(folder, kind, request):
    """The probabilities of the classes from the checkpoint's forward pass, as transformers documents its use."""
    import torch

    processor, model = loaded(folder)
    said = " ".join(levels()[step.name].sentence for step in request.question.condition)
    classes = class_texts(tasks.shipped()[request.question.task], said)
    logits = {}
    pictures = processor.image_processor(images=request.images[0].convert("RGB"), return_tensors="pt")
    for name, some in classes.items():
        how = {"padding": "max_length", "max_length": 64} if "siglip" in kind else {"padding": True}
        words = processor.tokenizer(list(some), return_tensors="pt", **how)
        with torch.inference_mode():
            own = model(**words, **pictures)
        vectors = torch.nn.functional.normalize(own.text_embeds.double(), dim=1)
        bias = float(model.logit_bias) if hasattr(model, "logit_bias") else 0.0
        logits[name] = float((own.logits_per_image.double().mean() - bias) / vectors.mean(dim=0).norm())
    total = sum(math.exp(v) for v in logits.values())
    return {name: math.exp(v) / total for name, v in logits.items()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sentence", ["", "institution.reputation.high"])
def test_answers_are_those_of_the_checkpoints_own_similarities(dual, kind, sentence):
    model = encoder(dual(kind))
    for name in (
        "quality.direct",
        "grade.direct",
        "yes_no.reader",
        "options.quality.direct",
        "options.degradation.direct",
    ):
        request = ask(name, sentence, seed=4)
        (response,) = model.generate([request])
        (found,) = likelihoods([response])
        own = own_probabilities(dual(kind), kind, request)
        if name == "quality.direct":
            assert sum(int(choice) * p for choice, p in found.items()) == pytest.approx(100 * own["high"], abs=1e-2)
            assert response.text == str(round(100 * own["high"]))
        else:
            assert found == pytest.approx(own, abs=1e-4)
            assert response.text == max(own, key=own.get)


@pytest.mark.parametrize("kind", KINDS)
def test_every_wording_is_answered_in_its_format_whatever_is_said(dual, kind):
    requests = [ask(words, sentence, seed=2) for words in ALL_WORDS for sentence in SENTENCES]
    for request, response in zip(requests, encoder(dual(kind)).generate(requests), strict=True):
        assert response.error is None
        question = request.question
        read = tasks.read(tasks.shipped()[question.task], question.wording, response.text)
        assert read.outcome == "scored"
        assert 0.999999 < sum(math.exp(p) for p in response.logprobs.values()) < 1.000001


@pytest.mark.parametrize("kind", KINDS)
def test_company_order_and_exactness_change_nothing(dual, kind):
    pictures = [picture(seed) for seed in range(20)]
    requests = [ask("quality.direct", said, image=image) for image in pictures for said in SENTENCES[:2]]
    requests += [ask("options.quality.direct", image=image) for image in pictures[:5]]
    together = encoder(dual(kind)).generate(requests)
    assert len({r.text for r in together[:40]}) > 5, "images are told apart, or nothing would be compared"
    order = random.Random(0).sample(range(len(requests)), len(requests))
    shuffled = encoder(dual(kind)).generate([requests[i] for i in order])
    agree([together[i] for i in order], shuffled)
    alone = encoder(dual(kind))
    agree(together[::7], [alone.generate([request])[0] for request in requests[::7]])
    agree(together[::5], encoder(dual(kind), exact=True).generate(requests[::5]))
    agree(together, encoder(dual(kind), memory=1).generate(requests))


def test_the_same_question_twice_has_the_same_answer_to_the_last_bit(dual):
    model, requests = encoder(dual("clip")), [ask("quality.direct", seed=seed) for seed in range(3)]
    assert model.generate(requests) == model.generate(requests)


def test_a_sentence_moves_both_sides(dual):
    model = encoder(dual("clip"))
    plain, said = (class_texts(tasks.shipped()["quality"], s) for s in ("", "The device is new."))
    before, after = (model._class_vectors(tuple(some.values())) for some in (plain, said))
    assert (np.abs(before - after).max(axis=1) > 0.05).all()
    scores = model.generate([ask("quality.direct", said, seed=5) for said in SENTENCES])
    assert len({str(r.logprobs) for r in scores}) == len(SENTENCES)


def test_wordings_of_one_question_get_one_answer(dual):
    wordings = tasks.shipped()["quality"].wordings
    assert len(wordings) > 1
    responses = encoder(dual("siglip")).generate([ask(f"quality.{wording}", seed=3) for wording in wordings])
    assert all(response == responses[0] for response in responses)


def counted(monkeypatch):
    seen = {"images": [], "texts": []}
    for method, sizes in seen.items():
        original = getattr(Towers, method)

        def wrapped(self, some, original=original, sizes=sizes):
            sizes.append(len(some))
            return original(self, some)

        monkeypatch.setattr(Towers, method, wrapped)
    return seen


def test_work_is_shared_and_bounded(dual, monkeypatch):
    model = encoder(dual("clip"))
    model.generate([ask("yes_no.reader")])
    cost = model._towers.bytes_per_image
    seen = counted(monkeypatch)
    pictures = [picture(seed) for seed in range(20)]
    requests = [ask("quality.direct", said, image=i) for i in pictures for said in SENTENCES[:2]]
    model.generate(requests)
    assert seen == {"images": [16, 4], "texts": [5, 5, 5, 5]}
    model.generate(requests[:2])
    assert seen["images"][2:] == [1]
    assert len(seen["texts"]) == 4, "texts are remembered between calls"
    for options, chunks in (({"memory": 3 * cost}, [2, *[3] * 6]), ({"memory": 1}, [1] * 20)):
        other = encoder(dual("clip"), **options)
        other.generate(requests[:1])
        seen["images"].clear()
        other.generate(requests)
        assert sorted(seen["images"]) == sorted(chunks), options
    exact = encoder(dual("clip"), exact=True)
    exact.generate(requests[:1])
    seen["images"].clear(), seen["texts"].clear()
    exact.generate(requests[:3])
    assert seen == {"images": [1] * 3, "texts": [1] * 30}


@pytest.mark.parametrize("room", [3, 0])
def test_memory_that_runs_out(dual, room):
    """A hook asks torch for 2^60 bytes when more images than there is room for come at once: the true error."""
    import torch

    requests = [ask("quality.direct", seed=seed) for seed in range(5 if room else 2)]
    usual, model = encoder(dual("clip")), encoder(dual("clip"))
    model.generate(requests[:1])

    def fill(module, inputs, keywords):
        if len(keywords["pixel_values"]) > room:
            torch.empty(1 << 60, dtype=torch.uint8)

    model._towers._model.vision_model.register_forward_pre_hook(fill, with_kwargs=True)
    responses = model.generate(requests)
    if room:
        agree(usual.generate(requests), responses)
    else:
        assert all("memory" in r.error and r.finish_reason == "error" for r in responses)
        with pytest.raises(MemoryError):
            model.embed(requests[:1])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"question": None}, "names no question"),
        ({"question": Question("quality", "night")}, "quality.night is not one of them"),
        ({"question": Question("chest.pneumonia", "direct")}, "chest.pneumonia.direct is not one of them"),
        ({"question": Question("quality", "reader")}, "the prompt is not that of quality.reader"),
        ({"question": SAID}, "the prompt is not that of quality.direct"),
        ({"prompt": "Is it sharp?"}, "the prompt is not that of quality.direct"),
        ({"system": "Be kind."}, "the prompt is not that of quality.direct"),
        ({"images": ()}, "the request has 0"),
        ({"images": (picture(0), picture(1))}, "the request has 2"),
    ],
)
def test_what_cannot_be_answered_says_why_and_costs_only_itself(dual, change, said):
    sound = ask("quality.direct")
    fields = {name: getattr(sound, name) for name in Request.__slots__}
    responses = encoder(dual("clip")).generate([sound, Request(**{**fields, **change}), sound])
    assert said in responses[1].error
    assert (responses[1].text, responses[1].finish_reason) == ("", "error")
    assert responses[0] == responses[2]
    assert responses[0].error is None


def test_a_sentence_that_does_not_fit_is_an_error_never_cut(dual):
    model = encoder(dual("bert_and_vit", 20))
    plain, said = model.generate([ask("yes_no.reader"), ask("yes_no.reader", "institution.reputation.high")])
    assert plain.error is None
    assert "has an excellent public reputation" not in said.error
    assert "hospital with an excellent public reputation." in said.error
    assert "tokens; the model's text encoder reads 20" in said.error


def test_weights_that_are_not_numbers_are_errors(dual):
    model = encoder(dual("clip"))
    model.generate([ask("yes_no.reader")])
    model._towers._model.visual_projection.weight.data.fill_(math.nan)
    (response,) = model.generate([ask("yes_no.reader")])
    assert "not finite" in response.error


def test_embeddings_are_the_checkpoints_own_unit_vectors(dual):
    import torch

    model = encoder(dual("siglip"))
    requests = [ask("yes_no.reader", seed=seed) for seed in (3, 1, 3, 2)]
    found = model.embed(requests)
    assert (found.shape, found.dtype) == ((4, 64), np.float32)
    assert np.allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    assert np.allclose(found[0], found[2], atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 0.01
    towers = model._towers
    with torch.inference_mode():
        own = towers._model(**towers._tokens(["x"]), **towers._pixels([requests[1].images[0]])).image_embeds
    assert np.allclose(found[1], own[0].numpy(), atol=1e-6)
    by_hand = Request("id", requests[0].images, "anything")
    assert np.allclose(model.embed([by_hand], "vision"), found[:1], atol=1e-6)
    assert model.embed([]).shape[0] == 0


def test_embeddings_it_does_not_have(dual):
    model = encoder(dual("clip"))
    with pytest.raises(ValueError, match="vision"):
        model.embed([ask("yes_no.reader")], "language")
    with pytest.raises(ValueError, match="one image"):
        model.embed([Request("id", (), "x")])


def test_it_is_a_model_that_embeds_and_says_what_it_cannot(dual):
    model = encoder(dual("clip"))
    assert isinstance(model, Model)
    assert isinstance(model, Embeds)
    assert model.backend == "dual-encoder"
    assert any("wordings" in sentence for sentence in model.limits)


def test_nothing_is_loaded_before_the_first_question(dual):
    model = encoder(dual("clip"))
    assert model.generate([]) == []
    assert model.generate([Request("id", (Image.new("L", (8, 8)),), "x")])[0].error
    assert model._towers is None
    first = model.generate([ask("yes_no.reader")])
    assert model._towers is not None
    model.close()
    assert model._towers is None
    assert model.generate([ask("yes_no.reader")]) == first


def test_the_fingerprint_covers_precision_statements_and_how_images_are_put_together(dual, monkeypatch):
    def fingerprint(dtype="float32", **options):
        return DualEncoder(dual("clip"), name="m", dtype=dtype, options=ModelOptions(**options)).fingerprint

    seen = {fingerprint(), fingerprint("bfloat16"), fingerprint(exact=True), fingerprint(memory=10**6)}
    assert len(seen) == 4
    assert fingerprint() in seen
    monkeypatch.setattr(texts, "_data", lambda: {"scale": {}})
    assert fingerprint() not in seen


def test_revision_is_the_one_given_or_the_fingerprint(dual):
    assert DualEncoder(dual("clip"), name="m", revision="abc").revision == "abc"
    plain = encoder(dual("clip"))
    assert plain.revision == plain.fingerprint[:12]
