"""True architectures with random weights, small enough to be built and loaded in a moment."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Callable
from pathlib import Path

import pytest

CORPUS = [
    "Judge the quality of this medical image from 0 to 100. Reply with one number and nothing else.",
    "The operator who acquired this image is a woman in her forties. You inspect images. USER: ASSISTANT: SYSTEM:",
]
TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 1024}  # fmt: skip
VISION = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
          "image_size": 32, "patch_size": 8}  # fmt: skip
TURNS = (
    "{{ bos_token }}{% for m in messages %}{{ m['role'].upper() + ': ' }}"
    "{% for c in m['content'] %}{% if c['type'] == 'image' %}<image>{% else %}{{ c['text'] }}{% endif %}{% endfor %}"
    "{{ ' ' }}{% endfor %}{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


def tokenizer(named: dict[str, str], others: tuple[str, ...] = ()):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=["<pad>", "<s>", "</s>", *named.values(), *others],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>", pad_token="<pad>", extra_special_tokens=named
    )


def spread(model) -> None:
    """Larger random weights: with the usual 0.02 all texts would get the same answer, and nothing would be compared."""
    import torch

    torch.manual_seed(3)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(0.0, 0.25)
                if "lm_head" in name:
                    weight[2] *= 2.0  # the end token: some answers must end by themselves


def llava(folder: Path, text_type: str = "llama", **text) -> Path:
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaForConditionalGeneration, LlavaProcessor

    words = tokenizer({"image_token": "<image>"})
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = LlavaProcessor(
        image_processor=pictures, tokenizer=words, patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=TURNS,
    )  # fmt: skip
    config = LlavaConfig(
        text_config={"model_type": text_type, "vocab_size": len(words), "pad_token_id": 0, "bos_token_id": 1,
                     "eos_token_id": 2, **TEXT, **text},
        vision_config={"model_type": "clip_vision_model", **VISION},
        image_token_index=words.convert_tokens_to_ids("<image>"), image_seq_length=16,
    )  # fmt: skip
    model = LlavaForConditionalGeneration(config)
    spread(model)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = 2, 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def idefics3(folder: Path) -> Path:
    from transformers import (
        Idefics3Config,
        Idefics3ForConditionalGeneration,
        Idefics3ImageProcessorPil,
        Idefics3Processor,
    )

    named = {"image_token": "<image>", "fake_image_token": "<fake_token_around_image>",
             "end_of_utterance_token": "<end_of_utterance>", "global_image_token": "<global-img>"}  # fmt: skip
    words = tokenizer(named)
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": 32}, max_image_size={"longest_edge": 32}, do_image_splitting=False
    )
    processor = Idefics3Processor(pictures, words, image_seq_len=4, chat_template=TURNS)
    config = Idefics3Config(
        text_config={"model_type": "llama", "vocab_size": len(words), "pad_token_id": 0, "bos_token_id": 1,
                     "eos_token_id": 2, **TEXT},
        vision_config=VISION, scale_factor=2, pad_token_id=0, image_token_id=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    model = Idefics3ForConditionalGeneration(config)
    spread(model)
    model.generation_config.eos_token_id, model.generation_config.pad_token_id = 2, 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[..., Path]:
    """Builds each kind of checkpoint once; what is given must not be changed."""
    built: dict[str, Path] = {}

    def checkpoint(kind: str = "llava") -> Path:
        pytest.importorskip("torch").set_num_threads(1)
        if kind not in built:
            folder = tmp_path_factory.mktemp(kind)
            make = {
                "llava": lambda: llava(folder),
                "llava_mistral": lambda: llava(folder, "mistral", sliding_window=None),
                "llava_window": lambda: llava(folder, "mistral", sliding_window=16),
                "idefics3": lambda: idefics3(folder),
            }[kind]
            built[kind] = make()
        return built[kind]

    return checkpoint
