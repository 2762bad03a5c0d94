"""Dual encoders with random weights, at the scale and bias of trained ones."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit import perturbations, tasks
from auditkit.models.base import Request
from auditkit.models.dual_encoder.texts import class_texts
from auditkit.testing.checkpoints import tiny_checkpoint
from tests.models.conftest import request_of

TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
KINDS = ("clip", "siglip", "siglip2", "bert_and_vit")
SCALE, BIAS = 20.0, -12.0


def ask(words: str, sentence: str = "", seed: int = 0, image: Image.Image | None = None) -> Request:
    """Return a question of the catalogue about a picture of that seed."""
    return request_of(image or picture(seed), words, *filter(None, [sentence]))


def picture(seed: int) -> Image.Image:
    """Return a grey image whose brightness and grain depend on the seed."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(rng.uniform(40, 210), rng.uniform(5, 60), (36, 44))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _words(special: list[str]) -> dict:
    """Learn a vocabulary from all statements and sentences."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    texts = [t for task in tasks.shipped().values() for some in class_texts(task).values() for t in some]
    texts += [str(e.parameters(0)["sentence"]) for e in perturbations.shipped().values() if e.stage == "words"]
    words = Tokenizer(models.BPE(unk_token="<unk>"))
    words.normalizer = normalizers.Sequence([normalizers.Lowercase(), normalizers.Replace(" ", "▁")])
    words.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    words.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=900, special_tokens=special, show_progress=False))
    model = json.loads(words.to_str())["model"]
    return {"vocab": model["vocab"], "merges": [tuple(merge) for merge in model["merges"]]}


def _siglip2(folder: Path) -> None:
    """Images of any shape, as patches with a mask: more than pixel_values goes to the vision tower."""
    from transformers import Siglip2Config, Siglip2ImageProcessorPil, Siglip2Model, Siglip2Processor, Siglip2Tokenizer

    words = Siglip2Tokenizer(**_words(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]), model_max_length=64)
    text = {**TEXT, "vocab_size": len(words), "max_position_embeddings": 64, "projection_size": 32, "pad_token_id": 0}
    config = Siglip2Config(text_config=text, vision_config={**TEXT, "patch_size": 8, "num_patches": 16})
    Siglip2Model(config).save_pretrained(folder)
    Siglip2Processor(Siglip2ImageProcessorPil(patch_size=8, max_num_patches=16), words).save_pretrained(folder)


def _bert_and_vit(folder: Path, limit: int) -> None:
    """Two towers of other kinds put together, as medical ones on PubMedBERT are; BERT needs its mask."""
    from transformers import (
        BertConfig,
        BertTokenizer,
        VisionTextDualEncoderConfig,
        VisionTextDualEncoderModel,
        VisionTextDualEncoderProcessor,
        ViTConfig,
        ViTImageProcessorPil,
    )

    known = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_words(["<unk>"])["vocab"]]
    whole = {word.strip("▁.,:"): None for word in known if word.strip("▁.,:")}
    every = [*whole, *(mark for mark in ".,:-" if mark not in whole)]  # a word given twice would leave a gap in the ids
    words = BertTokenizer({word: i for i, word in enumerate(every)}, model_max_length=limit)
    text = BertConfig(**TEXT, vocab_size=len(words), max_position_embeddings=limit, pad_token_id=words.pad_token_id)
    config = VisionTextDualEncoderConfig.from_vision_text_configs(
        ViTConfig(**TEXT, image_size=32, patch_size=8), text, projection_dim=24
    )
    VisionTextDualEncoderModel(config).save_pretrained(folder)
    pictures = ViTImageProcessorPil(size={"height": 32, "width": 32})
    VisionTextDualEncoderProcessor(pictures, words).save_pretrained(folder)


def _spread(folder: Path) -> None:
    """Give the weights the size that keeps images and texts apart, and scale and bias those of a trained checkpoint."""
    import torch
    from safetensors.torch import load_file, save_file

    torch.manual_seed(1)
    weights = load_file(folder / "model.safetensors")
    for name, weight in weights.items():
        if name == "logit_scale":
            weight.fill_(math.log(SCALE))
        elif name == "logit_bias":
            weight.fill_(BIAS)
        elif weight.dim() > 1:
            weight.normal_(0.0, 1.2 * weight[0].numel() ** -0.5)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


@pytest.fixture(scope="session")
def dual(tmp_path_factory) -> Callable[..., Path]:
    """Builds each kind of checkpoint once; what is given must not be changed."""
    built: dict[tuple[str, int], Path] = {}

    def dual(kind: str = "clip", limit: int = 128) -> Path:
        pytest.importorskip("torch").set_num_threads(1)
        if (kind, limit) not in built:
            folder = built[kind, limit] = tmp_path_factory.mktemp(kind)
            if kind == "siglip2":
                _siglip2(folder)
            elif kind == "bert_and_vit":
                _bert_and_vit(folder, limit)
            else:
                tiny_checkpoint(kind, folder)
            _spread(folder)
        return built[kind, limit]

    return dual
