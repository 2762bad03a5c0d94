"""Loading: what is refused, and that vectors are made as the checkpoint makes its own."""

import json
import shutil
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from auditkit import tasks
from auditkit.errors import AuditkitError
from auditkit.models.dual_encoder import DualEncoder
from auditkit.models.dual_encoder.texts import class_texts
from auditkit.models.dual_encoder.towers import load
from auditkit.testing.checkpoints import tiny_checkpoint
from tests.models.dual_encoder.conftest import KINDS, SCALE, ask, picture


@pytest.fixture
def copy(dual, tmp_path):
    return shutil.copytree(dual("clip"), tmp_path / "copy")


def broken(folder) -> str:
    with pytest.raises(AuditkitError) as raised:
        DualEncoder(folder, name="mine").generate([ask("yes_no.reader")])
    assert str(raised.value).startswith("--model=mine: ")
    return str(raised.value)


@pytest.mark.parametrize("kind", KINDS)
def test_scale_and_limit_are_the_checkpoints_own(dual, kind):
    towers = load(dual(kind), kind, "float32")
    assert towers.scale == pytest.approx(SCALE)
    assert towers.limit == {"clip": 77, "siglip": 64, "siglip2": 64, "bert_and_vit": 128}[kind]
    assert 5 < towers.length("A sharp medical image without noise.") < 20
    assert towers.bytes_per_image > 32 * 32 * 3 * 4 / 2


def test_siglip_texts_are_padded_to_the_full_length(dual):
    """Its text tower reads the last place: the vector of a text without padding is another one."""
    import torch

    towers = load(dual("siglip"), "m", "float32")
    found = towers.texts(["A sharp image."])[0]
    for padding, same in (("max_length", True), ("longest", False)):
        tokens = towers._tokenizer(["A sharp image."], padding=padding, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            vector = towers._model.get_text_features(**tokens).pooler_output[0].double().numpy()
        assert np.allclose(found, vector / np.linalg.norm(vector), atol=1e-5) == same


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_has_the_same_vector_beside_longer_ones(dual, kind):
    towers = load(dual(kind), kind, "float32")
    alone, beside = towers.texts(["A sharp image."]), towers.texts(["A sharp image.", "A blurred image, " * 4])
    assert np.allclose(alone[0], beside[0], atol=1e-5)
    assert abs(alone[0] @ beside[1]) < 0.999


@pytest.mark.parametrize("kind", KINDS)
def test_grey_and_colour_images_of_the_same_pixels_are_one(dual, kind):
    towers, grey = load(dual(kind), kind, "float32"), picture(1)
    assert np.allclose(towers.images([grey]), towers.images([grey.convert("RGB")]), atol=1e-6)


def test_lower_precision_is_near(dual):
    exact, rough = (load(dual("clip"), "m", dtype) for dtype in ("float32", "bfloat16"))
    assert rough.images([picture(1)]).dtype == np.float64
    difference = np.abs(exact.images([picture(1)]) - rough.images([picture(1)])).max()
    assert 0 < difference < 0.05
    assert rough.bytes_per_image * 2 == exact.bytes_per_image


def test_a_model_that_compares_in_another_way_is_noticed(dual):
    towers = load(dual("siglip"), "m", "float32")
    towers.check()
    towers.scale *= 1.001
    with pytest.raises(ValueError, match="its similarities are"):
        towers.check()


@pytest.mark.parametrize("kind", ["llava", "vit"])
def test_other_kinds_of_checkpoints_are_refused(tmp_path, kind):
    if kind == "llava":
        tiny_checkpoint("llava", tmp_path)
    else:
        from transformers import ViTConfig, ViTImageProcessorPil, ViTModel

        ViTModel(ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
                 ).save_pretrained(tmp_path)  # fmt: skip
        ViTImageProcessorPil().save_pretrained(tmp_path)
    assert "could not be loaded as a dual encoder" in broken(tmp_path)


def test_folder_without_safetensors(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    assert "holds no model.safetensors" in broken(copy)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "processor_config.json"])
def test_damaged_files(copy, name):
    (copy / name).write_bytes((copy / name).read_bytes()[:100])
    assert "could not be loaded" in broken(copy)


def test_missing_processor(copy):
    for name in ("processor_config.json", "tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    assert "could not be loaded" in broken(copy)


def test_weights_that_are_missing_are_not_made_up(copy):
    from safetensors.torch import load_file, save_file

    weights = load_file(copy / "model.safetensors")
    del weights["text_projection.weight"], weights["logit_scale"]
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    assert "lacks 2 weights (logit_scale, text_projection.weight)" in broken(copy)


def test_code_in_the_folder_is_never_run(copy, tmp_path):
    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "unheard_of", "auto_map": {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}}
    (copy / "config.json").write_text(json.dumps(config))
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    assert "could not be loaded" in broken(copy)
    assert not (tmp_path / "ran").exists()


def test_an_image_of_one_pixel_has_a_vector(dual):
    towers = load(dual("clip"), "m", "float32")
    assert np.isfinite(towers.images([Image.new("L", (1, 1))])).all()


def as_published(folder):
    """Leave a SigLIP checkpoint with the tokenizer files it has on the hub: a sentencepiece model, nothing newer."""
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["tokenizer_class"] = "SiglipTokenizer"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "tokenizer.json").unlink()
    return folder


@pytest.mark.skipif(find_spec("sentencepiece") is not None, reason="sentencepiece is installed")
def test_siglips_own_tokenizer_needs_a_package_that_is_named(dual, tmp_path):
    folder = as_published(shutil.copytree(dual("siglip"), tmp_path / "copy"))
    assert "pip install sentencepiece" in broken(folder)


def test_siglips_own_tokenizer(dual, tmp_path):
    pieces = pytest.importorskip("sentencepiece")
    folder = as_published(shutil.copytree(dual("siglip"), tmp_path / "copy"))
    words = [text for t in tasks.shipped().values() for some in class_texts(t).values() for text in some]
    with (folder / "spiece.model").open("wb") as written:
        pieces.SentencePieceTrainer.train(
            sentence_iterator=iter(words), model_writer=written, vocab_size=100,
            pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2,
        )  # fmt: skip
    towers = load(folder, "m", "float32")
    assert type(towers._tokenizer).__name__ == "SiglipTokenizer"
    assert towers.limit == 64
    assert towers.length("A sharp, clear image.") == towers.length("a sharp clear image") < 40
    assert towers._tokens(["A sharp image."])["input_ids"].shape == (1, 64)
