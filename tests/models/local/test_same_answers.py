"""The fast path must give what asking one by one gives: the same texts, the same ends, the same probabilities."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from auditkit.models.base import DEFAULTS, ModelOptions, Request, Response
from auditkit.models.local import LocalModel
from auditkit.models.local.choices import FLOOR
from auditkit.perturbations import levels, placebos
from auditkit.testing import ARCHITECTURES
from tests.models.conftest import ALL_WORDS, request_of

LANGUAGE = [name for name in ARCHITECTURES if name not in ("clip", "siglip")]
SMALL_WINDOW = [name for name in LANGUAGE if name.endswith("small_window")]
EXACT = ModelOptions(exact=True)
SAID = [[], *([name] for name in [*placebos(), *list(levels())[:6]])]


def picture(seed: int, mode: str = "L", size=(96, 80)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def asked(image: Image.Image, words="quality.direct", said=(), limit=12) -> Request:
    return request_of(image, words, *said, limit=limit)


def answers_only(requests: list[Request]) -> list[Request]:
    """The same questions as ``--audit-scoring=generate`` puts them."""
    return [replace(request, choices=None) for request in requests]


def everything() -> list[Request]:
    """Variants of one question, other questions about the same image, one question about other images, a bit of all."""
    one, other = picture(1), picture(2, "RGB", (64, 120))
    return [
        *(asked(one, said=said) for said in SAID),
        *(asked(one, words) for words in ALL_WORDS),
        *(asked(other, said=said, limit=2) for said in SAID[:5]),
        *(asked(picture(seed, size=(60 + 7 * seed, 90))) for seed in range(3, 9)),
        asked(picture(9), "options.degradation.direct"),
    ]


def same(found: list[Response], expected: list[Response]) -> None:
    assert [(r.text, r.finish_reason, r.error) for r in found] == [(r.text, r.finish_reason, r.error) for r in expected]
    for one, other in zip(found, expected, strict=True):
        if one.logprobs is None or other.logprobs is None:
            continue
        # What one path leaves out as too improbable, the other may list just above the floor.
        for choice in set(one.logprobs) | set(other.logprobs):
            shares = [np.exp(logprobs.get(choice, FLOOR)) for logprobs in (one.logprobs, other.logprobs)]
            assert shares[0] == pytest.approx(shares[1], abs=1e-4)


@pytest.fixture(scope="module")
def models(checkpoint):
    kept: dict[tuple[str, ModelOptions], LocalModel] = {}

    def models(architecture: str, options: ModelOptions = DEFAULTS) -> LocalModel:
        key = (architecture, options)
        if key not in kept:
            kept[key] = LocalModel(checkpoint(architecture), name=architecture, options=options)
        return kept[key]

    return models


@pytest.mark.parametrize("architecture", LANGUAGE)
def test_every_architecture(models, architecture):
    requests = everything()
    found = models(architecture).generate(requests)
    same(found, models(architecture, EXACT).generate(answers_only(requests)))
    assert len({r.text for r in found}) > 5, "answers that do not differ would prove nothing"
    assert "stop" in {r.finish_reason for r in found}


def as_its_users_do(folder, request: Request) -> str:
    """The chat template with the image in it, then ``generate``: what a model card tells its users to do."""
    import torch
    from transformers import AutoModelForImageTextToText

    from auditkit.models.local.processors import load_processor

    processor, model = load_processor(folder), AutoModelForImageTextToText.from_pretrained(folder).eval()
    content = [{"type": "image", "image": request.images[0]}, {"type": "text", "text": request.prompt}]
    inputs = processor.apply_chat_template(
        [{"role": "user", "content": content}],
        add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
    )  # fmt: skip
    with torch.inference_mode():
        output = model.generate(**inputs, max_new_tokens=request.max_new_tokens, do_sample=False)
    return processor.tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip(" ")


@pytest.mark.parametrize("architecture", LANGUAGE)
def test_what_users_of_the_checkpoint_get(models, checkpoint, architecture):
    requests = [asked(picture(seed, "RGB"), said=said) for seed in (1, 5) for said in SAID[:4]]
    found = [r.text for r in models(architecture).generate(requests)]
    assert found == [as_its_users_do(checkpoint(architecture), request) for request in requests]


@pytest.mark.parametrize("architecture", LANGUAGE)
def test_probabilities_of_the_choices_are_given(models, architecture):
    answers = models(architecture).generate(everything())
    if architecture in SMALL_WINDOW:
        assert all(r.logprobs is None for r in answers)
        return
    some = everything()[::6]
    same(models(architecture, ModelOptions(exact=True)).generate(some), answers[::6])
    for response in answers:
        assert response.logprobs
        assert sum(np.exp(list(response.logprobs.values()))) <= 1 + 1e-3
    best = [max(r.logprobs, key=r.logprobs.get) for r in answers]
    agree = [r.text.rstrip(".").casefold() == b.casefold() for b, r in zip(best, answers, strict=True)]
    assert np.mean(agree) > 0.5, "the greedy answer is mostly the most probable choice"


@pytest.mark.parametrize("architecture", ["qwen3_vl", "gemma3"])
def test_order_company_memory_and_history_change_nothing(models, architecture):
    requests = everything()
    straight = models(architecture).generate(requests)
    order = np.random.default_rng(0).permutation(len(requests))
    shuffled = models(architecture).generate([requests[i] for i in order])
    same([shuffled[list(order).index(i)] for i in range(len(requests))], straight)
    narrow = models(architecture, ModelOptions(memory=2_000_000))
    same(narrow.generate(requests), straight)
    same([narrow.generate([request])[0] for request in requests[:12]], straight[:12])
    plain = models(architecture).generate(answers_only(requests))
    assert {r.logprobs for r in plain} == {None}
    same(plain, straight)


@pytest.mark.parametrize("wrong", [[(5,)], [(7, 8, 9), (7, 8), (1,)], [tuple(range(8))]])
def test_wrong_guesses_change_nothing(models, wrong):
    model = models("internvl")
    requests = everything()[:14]
    expected = model.generate(requests)
    guesses = model._loaded()._guesses
    for request in requests:
        for guess in wrong * 50:
            guesses.note(request.question.words, guess)
    same(model.generate(requests), expected)
    guesses._seen.clear()


@pytest.mark.parametrize(
    ("setting", "shared"),
    [({"repetition_penalty": 1.4}, True), ({"suppress_tokens": [5]}, False), ({"num_beams": 2}, False),
     ({"do_sample": True, "temperature": 0.7, "top_p": 0.9}, True)],
    ids=lambda value: str(value),
)  # fmt: skip
def test_the_checkpoints_own_settings_hold(checkpoint, tmp_path, setting, shared):
    folder = shutil.copytree(checkpoint("llava"), tmp_path / "other")
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(settings | setting))
    model = LocalModel(folder, name="x")
    requests = everything()[:20]
    same(model.generate(requests), LocalModel(folder, name="x", options=EXACT).generate(answers_only(requests)))
    assert model._loaded().loaded.greedy == shared


@pytest.mark.parametrize("text", ["Rate <image> {n}", "Rate it {n}\n\n<|image_pad|>"])
def test_text_that_spells_an_image_token(models, text):
    for architecture in ("llava", "qwen2_5_vl"):
        requests = [Request("", (picture(3),), text.format(n=n), None, ("yes", "no"), 6) for n in range(5)]
        results = []
        for options in (ModelOptions(), EXACT):
            try:
                results.append([r.text for r in models(architecture, options).generate(requests)])
            except ValueError as error:  # the engine asks each again alone and counts an error
                results.append(type(error))
        assert results[0] == results[1]


def test_two_images_and_none(models):
    pair = (picture(1), picture(2))
    requests = [
        *(Request("", pair, f"Compare {i}.", None, None, 5) for i in range(4)),
        *(Request("", (), f"Say {i}.", None, None, 5) for i in range(5)),
    ]
    same(models("llava").generate(requests), models("llava", EXACT).generate(requests))


@pytest.mark.parametrize("ends", [None, [2, 7], 2])
def test_any_number_of_end_tokens(checkpoint, ends, models):
    fast, exact = (LocalModel(checkpoint("llava"), name="x", options=o) for o in (ModelOptions(), EXACT))
    requests = everything()[:12]
    for model in (fast, exact):
        model._loaded().loaded.model.generation_config.eos_token_id = ends
        object.__setattr__(model._loaded().loaded, "ends", frozenset([ends] if isinstance(ends, int) else ends or []))
    found = fast.generate(requests)
    same(found, exact.generate(answers_only(requests)))
    assert ("stop" in {r.finish_reason for r in found}) <= (ends is not None)


@pytest.mark.parametrize("architecture", [name for name in LANGUAGE if name not in SMALL_WINDOW])
def test_embeddings(models, architecture):
    model = models(architecture)
    requests = [asked(picture(seed, size=(50 + 9 * seed, 70))) for seed in range(5)]
    for kind in model.embeddings:
        together = model.embed(requests, kind)
        assert together.shape[0] == 5
        assert together.dtype == np.float32
        alone = np.concatenate([model.embed([request], kind) for request in requests])
        np.testing.assert_allclose(together, alone, atol=1e-4, rtol=1e-3)
        assert np.ptp(together, axis=0).max() > 1e-3, "images that look different must not look the same inside"
    with pytest.raises(ValueError, match="vision and language"):
        model.embed(requests, "smell")


def pairs() -> list[Request]:
    """Texts about one pair of pictures, about the same in the other order, and about other pairs."""
    one, other = picture(1), picture(2, "RGB", (64, 120))
    return [
        *(replace(asked(one, said=said), images=(one, other)) for said in SAID),
        *(replace(asked(one, words), images=(other, one)) for words in ALL_WORDS),
        *(replace(asked(one), images=(picture(seed), picture(seed + 20))) for seed in range(3, 6)),
    ]


@pytest.mark.parametrize("architecture", LANGUAGE)
def test_every_architecture_with_two_pictures(models, architecture):
    """What they have in common is read once for pairs too, and the order of the pictures matters."""
    requests = pairs()
    model = models(architecture)
    found = model.generate(requests)
    expected = models(architecture, EXACT).generate(answers_only(requests))
    if all(one.error for one in expected):  # it takes one picture, and says so
        assert {one.error for one in found} == {one.error for one in expected}
        return
    same(found, expected)
    forward = next(r for q, r in zip(requests, found, strict=True) if q.images[0].mode == "L")
    [turned] = model.generate([replace(requests[0], images=tuple(reversed(requests[0].images)))])
    assert (forward.text, forward.logprobs) != (turned.text, turned.logprobs)
