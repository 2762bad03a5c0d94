"""The faster inputs are the processor's own to the last bit, or are not used."""

import numpy as np
import pytest
import torch
from PIL import Image

from auditkit.models.local import LocalModel
from auditkit.models.local.chat import chat_text
from auditkit.models.local.fast_inputs import fast_inputs
from auditkit.models.reference import checkpoint


@pytest.fixture(scope="module")
def loaded():
    return LocalModel(checkpoint("reference"), name="reference")._loaded().loaded


@pytest.mark.parametrize("shape", [(256, 256), (224, 224), (64, 64), (300, 177), (256, 131, 3), (31, 400, 3)])
def test_equal_to_the_processor(loaded, shape):
    processor = loaded.processor
    rng = np.random.default_rng(sum(shape))
    images = [Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)) for _ in range(3)]
    prompts = ["Rate it.", "Rate this image from 0 to 100, please.", "Is it sharp?"]
    texts = [chat_text(processor, p) for p in prompts]
    made = loaded.fast(texts, images)
    own = processor(
        text=texts, images=[[i.convert("RGB")] for i in images], return_tensors="pt", padding=True,
        add_special_tokens=False,
    )  # fmt: skip
    assert set(made) == set(own)
    assert all(torch.equal(made[name], own[name]) for name in made)


def test_a_text_that_holds_an_image_mark_of_its_own_is_left_to_the_processor(loaded):
    processor = loaded.processor
    image = Image.new("L", (32, 32))
    text = chat_text(processor, f"what does {processor.image_token} mean?")
    assert loaded.fast([text], [image]) is None


def test_a_processor_that_does_something_else_is_used_itself(loaded, monkeypatch):
    model, processor = loaded.model, loaded.processor
    chat = chat_text(processor, "x")
    assert fast_inputs(model, processor, chat) is not None
    monkeypatch.setattr(processor.image_processor, "do_normalize", False)
    assert fast_inputs(model, processor, chat) is None
    monkeypatch.undo()
    original = type(processor.image_processor).normalize
    monkeypatch.setattr(
        type(processor.image_processor), "normalize", lambda self, *a, **k: original(self, *a, **k) * np.float32(1.01)
    )
    assert fast_inputs(model, processor, chat) is None, "a difference of one per cent must be noticed"
