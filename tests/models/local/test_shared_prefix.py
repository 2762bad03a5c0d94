"""The shared path must give what the plain path gives, and what one-by-one gives: the same texts, the same ends."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from auditkit import prompts
from auditkit.models.base import Request, Response
from auditkit.models.local import LocalModel
from auditkit.models.local.shared_prefix import _common_start, generate_shared

CONTEXTS = ["none", *prompts.placebos(), *list(prompts.levels())[:5]]


def picture(seed: int, mode: str = "RGB", size=(40, 56)) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def questions(image: Image.Image, template="score_100.direct", contexts=CONTEXTS, limits=(12,)) -> list[Request]:
    found = []
    for i, context in enumerate(contexts):
        prompt = prompts.render(template, context)
        found.append(Request(f"q{i}", (image,), prompt.user, prompt.system, None, limits[i % len(limits)]))
    return found


def plain(model: LocalModel, requests: list[Request]) -> list[Response]:
    """One request at a time, so that neither sharing nor padding can play a part."""
    return [model._plain([request], request.max_new_tokens)[0] for request in requests]


@pytest.fixture(scope="module")
def loaded(checkpoint):
    models: dict[str, LocalModel] = {}

    def loaded(kind: str = "llava") -> LocalModel:
        if kind not in models:
            models[kind] = LocalModel(checkpoint(kind), name=kind)
        return models[kind]

    return loaded


def shared(model: LocalModel, requests: list[Request]) -> list[Response] | None:
    return generate_shared(*model._load(), requests)


@pytest.mark.parametrize("kind", ["llava", "llava_mistral"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_same_answers_as_one_by_one_and_as_one_batch(loaded, kind, mode):
    model, ends, texts = loaded(kind), set(), set()
    for seed in range(3):
        requests = questions(picture(seed, mode))
        found = shared(model, requests)
        assert found == plain(model, requests)
        assert found == model._plain(requests, 12)
        ends |= {r.finish_reason for r in found}
        texts |= {r.text for r in found}
    assert len(texts) > 10, "answers that do not differ would prove nothing"
    assert ends == {"stop", "length"}, "both kinds of end must be among what is compared"


def test_system_turns_lengths_and_limits_may_differ(loaded):
    model, image = loaded(), picture(4)
    requests = [
        *questions(image, "score_100.inspector", limits=(1, 3, 9)),
    ]
    assert requests[0].system is not None
    assert shared(model, requests) == plain(model, requests)
    short = [Request(f"s{i}", (image,), "x" * i + "?", None, None, 6) for i in range(1, 7)]
    assert shared(model, short) == plain(model, short)


def test_equal_texts(loaded):
    model = loaded()
    requests = questions(picture(5), contexts=["none"] * 4)
    found = shared(model, requests)
    assert found == plain(model, requests)
    assert len(set(map(str, found))) == 1


def test_generate_gives_the_same_whatever_is_in_the_batch(loaded):
    model, one, other = loaded(), picture(6), picture(7)
    mixed = [*questions(one), *questions(other)[:2], *questions(other, "grade.direct", limits=(4,))]
    order = np.random.default_rng(0).permutation(len(mixed))
    shuffled = model.generate([mixed[i] for i in order])
    straight = plain(model, mixed)
    assert [shuffled[list(order).index(i)] for i in range(len(mixed))] == straight


def test_texts_that_differ_before_the_image_take_the_plain_path(loaded):
    model, image = loaded(), picture(8)
    requests = [Request(f"q{i}", (image,), "Rate.", f"You are number {i}.", None, 5) for i in range(4)]
    assert shared(model, requests) is None
    assert model.generate(requests) == plain(model, requests)


def test_text_that_spells_the_image_token_takes_the_plain_path(loaded):
    image = picture(8)
    assert shared(loaded(), [Request(f"q{i}", (image,), f"Rate {i} <image>", None, None, 5) for i in range(4)]) is None


def test_two_images_take_the_plain_path(loaded):
    model, pair = loaded(), (picture(1), picture(2))
    requests = [Request(f"q{i}", pair, f"Compare {i}.", None, None, 5) for i in range(4)]
    assert shared(model, requests) is None
    assert model.generate(requests) == plain(model, requests)


@pytest.mark.parametrize("kind", ["idefics3", "llava_window"])
def test_other_architectures_take_the_plain_path(loaded, kind):
    model = loaded(kind)
    requests = questions(picture(9))[:5]
    assert shared(model, requests) is None
    found = model.generate(requests)
    assert found == plain(model, requests)
    assert len({r.text for r in found}) > 1


@pytest.mark.parametrize("setting", [{"repetition_penalty": 1.5}, {"suppress_tokens": [5]}, {"num_beams": 2}])
def test_settings_that_change_greedy_decoding_take_the_plain_path(checkpoint, tmp_path, setting):
    folder = shutil.copytree(checkpoint(), tmp_path / "other")
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps(settings | setting))
    model = LocalModel(folder, name="x")
    requests = questions(picture(1))[:4]
    assert shared(model, requests) is None
    assert [r.error for r in model.generate(requests)] == [None] * 4


def test_settings_of_sampling_have_no_part_in_greedy_decoding(checkpoint, tmp_path, loaded):
    folder = shutil.copytree(checkpoint(), tmp_path / "sampling")
    settings = json.loads((folder / "generation_config.json").read_text())
    sampling = {"do_sample": True, "temperature": 0.7, "top_p": 0.9}
    (folder / "generation_config.json").write_text(json.dumps(settings | sampling))
    requests = questions(picture(1))
    assert shared(LocalModel(folder, name="x"), requests) == plain(loaded(), requests)


@pytest.mark.parametrize("ends", [None, [2, 7], 2])
def test_any_number_of_end_tokens(checkpoint, ends):
    model = LocalModel(checkpoint(), name="x")
    network, _ = model._load()
    network.generation_config.eos_token_id = ends
    requests = questions(picture(2))
    found = shared(model, requests)
    assert found == plain(model, requests)
    assert ("stop" in {r.finish_reason for r in found}) == (ends is not None)


def test_common_start_leaves_every_text_a_token():
    assert _common_start([[1, 2, 3], [1, 2, 4]]) == 2
    assert _common_start([[1, 2, 3], [1, 2, 3]]) == 2
    assert _common_start([[1, 2], [1, 2, 3]]) == 1
    assert _common_start([[5], [5, 6]]) == 0
