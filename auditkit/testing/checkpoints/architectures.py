"""One entry per architecture: its vocabulary, its processor, its model, as small as it still is one.

Patch and tile sizes give an image 4 to 64 tokens. Every model is built by the class that loads true checkpoints of its
kind, and keeps what makes that kind hard to treat like the others; the comments say what.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from auditkit.models.local.processors import image_only
from auditkit.testing.checkpoints import chat
from auditkit.testing.checkpoints.vocabulary import Vocabulary


@dataclass(frozen=True)
class Size:
    """Width, depth and head width of decoder and vision tower."""

    width: int
    layers: int
    head: int

    def text(self, words: Any) -> dict[str, Any]:
        """Settings of a decoder. Output rows are never tied to the embeddings (Gemma's are): see `speech`."""
        heads = self.width // self.head
        return {
            "vocab_size": len(words), "pad_token_id": words.pad_token_id, "bos_token_id": words.bos_token_id,
            "eos_token_id": words.eos_token_id,
            "hidden_size": self.width, "intermediate_size": 2 * self.width, "num_hidden_layers": self.layers,
            "num_attention_heads": heads, "num_key_value_heads": heads // 2, "max_position_embeddings": 4096,
            "tie_word_embeddings": False,
        }  # fmt: skip

    @property
    def vision(self) -> dict[str, Any]:
        """Settings of a vision tower."""
        return {
            "hidden_size": self.width, "intermediate_size": 2 * self.width, "num_hidden_layers": self.layers + 1,
            "num_attention_heads": self.width // self.head,
        }  # fmt: skip


SIZES = {"tiny": Size(64, 2, 16), "medium": Size(640, 6, 64)}

Built = tuple[Any, Any]
"""A configuration and a processor."""


@dataclass(frozen=True)
class Architecture:
    """A kind of checkpoint.

    Attributes
    ----------
    model : str
        Name of the model's class in transformers.
    build : callable
        From tokenizer and size to configuration and processor.
    vocabulary : Vocabulary
        Its tokenizer; ``end`` is the token that ends an answer.
    ends : tuple of str
        Further tokens that end an answer, where the generation configs of true checkpoints list several.
    """

    model: str
    build: Callable[[Any, Size], Built]
    vocabulary: Vocabulary
    ends: tuple[str, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether it answers; dual encoders do not."""
        return self.model.endswith("ForConditionalGeneration")


def _gemma3(words: Any, size: Size, window: int = 512) -> Built:
    from transformers import Gemma3Config, Gemma3ImageProcessorPil, Gemma3Processor

    number = words.convert_tokens_to_ids
    config = Gemma3Config(
        text_config={
            **size.text(words), "head_dim": size.head, "query_pre_attn_scalar": size.head,
            # The last layer sees everything, the others a window; true ones have five of those to one.
            "layer_types": ["sliding_attention"] * (size.layers - 1) + ["full_attention"], "sliding_window": window,
        },
        vision_config={**size.vision, "image_size": 64, "patch_size": 8, "vision_use_head": False},
        mm_tokens_per_image=16, tie_word_embeddings=False,
        boi_token_index=number(words.boi_token), eoi_token_index=number(words.eoi_token),
        image_token_index=number(words.image_token), eos_token_id=words.eos_token_id,
    )  # fmt: skip
    pictures = Gemma3ImageProcessorPil(size={"height": 64, "width": 64})
    return config, Gemma3Processor(pictures, words, chat_template=chat.GEMMA3, image_seq_length=16)


def _qwen2_5_vl(words: Any, size: Size) -> Built:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLProcessor

    config = Qwen2_5_VLConfig(
        text_config={**size.text(words), "rope_parameters": _three_axes(size)},
        vision_config={
            **_qwen_vision(size), "patch_size": 14, "window_size": 56, "fullatt_block_indexes": [size.layers - 1],
        },
        tie_word_embeddings=False, **_qwen_tokens(words),
    )  # fmt: skip
    return config, _qwen_processor(Qwen2_5_VLProcessor, words, 14, chat.QWEN2_5_VL)


def _qwen3_vl(words: Any, size: Size) -> Built:
    from transformers import Qwen3VLConfig, Qwen3VLProcessor

    config = Qwen3VLConfig(
        text_config={**size.text(words), "head_dim": size.head, "rope_parameters": _three_axes(size)},
        # Features of inner layers of the tower enter the decoder's first layers as well.
        vision_config={
            **_qwen_vision(size), "patch_size": 16, "num_position_embeddings": 64,
            "deepstack_visual_indexes": list(range(size.layers)),
        },
        tie_word_embeddings=False, **_qwen_tokens(words),
    )  # fmt: skip
    return config, _qwen_processor(Qwen3VLProcessor, words, 16, chat.QWEN3_VL)


def _three_axes(size: Size) -> dict[str, Any]:
    """Rotary positions of time, height and width, in the proportions of the true ones (16, 24, 24 of 64)."""
    half = size.head // 2
    side = 3 * half // 8
    return {"rope_type": "default", "mrope_section": [half - 2 * side, side, side], "rope_theta": 1e6}


def _qwen_vision(size: Size) -> dict[str, Any]:
    vision = size.vision
    return {
        "depth": vision["num_hidden_layers"], "hidden_size": size.width, "num_heads": vision["num_attention_heads"],
        "intermediate_size": 2 * size.width, "out_hidden_size": size.width,
    }  # fmt: skip


def _qwen_tokens(words: Any) -> dict[str, int]:
    names = ("image", "video", "vision_start", "vision_end")
    return {f"{name}_token_id": words.convert_tokens_to_ids(getattr(words, f"{name}_token")) for name in names}


def _qwen_processor(kind: Any, words: Any, patch: int, template: str) -> Any:
    """The number of image tokens goes by the image's size: between 4 and 16 here, one for two by two patches."""
    from transformers import Qwen2VLImageProcessorPil

    area = (2 * patch) ** 2
    pictures = Qwen2VLImageProcessorPil(
        patch_size=patch, merge_size=2, temporal_patch_size=2, min_pixels=4 * area, max_pixels=16 * area
    )
    return image_only(kind)(image_processor=pictures, tokenizer=words, chat_template=template)


def _internvl(words: Any, size: Size) -> Built:
    from transformers import GotOcr2ImageProcessorPil, InternVLConfig, InternVLProcessor

    config = InternVLConfig(
        text_config={"model_type": "qwen2", **size.text(words)},
        vision_config={**size.vision, "image_size": [32, 32], "patch_size": [8, 8]},
        image_token_id=words.convert_tokens_to_ids(words.context_image_token), image_seq_length=4,
        downsample_ratio=0.5, tie_word_embeddings=False,
    )  # fmt: skip
    # The processor class cuts into tiles (up to 12, and the whole) unless told otherwise in the call: its own default
    # goes before what is saved here.
    pictures = GotOcr2ImageProcessorPil(size={"height": 32, "width": 32}, crop_to_patches=False)
    processor = image_only(InternVLProcessor)(
        image_processor=pictures, tokenizer=words, image_seq_length=4, chat_template=chat.INTERNVL
    )
    return config, processor


def _llava(words: Any, size: Size, text: str = "llama", template: str = chat.VICUNA, **others: Any) -> Built:
    from transformers import CLIPImageProcessorPil, LlavaConfig, LlavaProcessor

    config = LlavaConfig(**_llava_settings(words, size, text, **others), image_seq_length=16)
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = LlavaProcessor(
        image_processor=pictures, tokenizer=words, patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=template,
    )  # fmt: skip
    return config, processor


def _llava_next(words: Any, size: Size) -> Built:
    """The image as a whole and in tiles of the grid that fits it best, without what was padded."""
    from transformers import LlavaNextConfig, LlavaNextImageProcessorPil, LlavaNextProcessor

    grids = [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]
    config = LlavaNextConfig(**_llava_settings(words, size, "llama"), image_grid_pinpoints=grids, image_seq_length=16)
    pictures = LlavaNextImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}, image_grid_pinpoints=grids
    )
    processor = LlavaNextProcessor(
        image_processor=pictures, tokenizer=words, patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=chat.VICUNA,
    )  # fmt: skip
    return config, processor


def _llava_settings(words: Any, size: Size, text: str, **others: Any) -> dict[str, Any]:
    vision = {"model_type": "clip_vision_model", **size.vision, "image_size": 32, "patch_size": 8}
    return {
        "text_config": {"model_type": text, **size.text(words), **others},
        "vision_config": vision,
        "image_token_index": words.convert_tokens_to_ids(words.image_token),
        "tie_word_embeddings": False,
    }


def _idefics3(words: Any, size: Size) -> Built:
    from transformers import Idefics3Config, Idefics3ImageProcessorPil, Idefics3Processor

    pictures = Idefics3ImageProcessorPil(**_IDEFICS_PICTURES)
    processor = Idefics3Processor(pictures, words, image_seq_len=16, chat_template=chat.IDEFICS3)
    return Idefics3Config(**_idefics_settings(words, size)), processor


def _smolvlm(words: Any, size: Size) -> Built:
    from transformers import SmolVLMConfig, SmolVLMImageProcessorPil, SmolVLMProcessor

    pictures = SmolVLMImageProcessorPil(**_IDEFICS_PICTURES)
    parts = {"image_seq_len": 16, "chat_template": chat.SMOLVLM}
    processor = image_only(SmolVLMProcessor).from_args_and_dict([pictures, words], parts)
    return SmolVLMConfig(**_idefics_settings(words, size)), processor


_IDEFICS_PICTURES: dict[str, Any] = {
    "size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 64}, "do_image_splitting": False,
}  # fmt: skip


def _idefics_settings(words: Any, size: Size) -> dict[str, Any]:
    return {
        "text_config": {"model_type": "llama", **size.text(words)},
        "vision_config": {**size.vision, "image_size": 64, "patch_size": 8},
        "scale_factor": 2, "image_token_id": words.convert_tokens_to_ids(words.image_token),
        "pad_token_id": words.pad_token_id, "tie_word_embeddings": False,
    }  # fmt: skip


def _clip(words: Any, size: Size) -> Built:
    from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPProcessor

    words.model_max_length = 77
    special = {"bos_token_id": words.bos_token_id, "eos_token_id": words.eos_token_id, "pad_token_id": 0}
    config = CLIPConfig(
        text_config={**size.vision, **special, "vocab_size": len(words), "max_position_embeddings": 77},
        vision_config={**size.vision, "image_size": 32, "patch_size": 8},
        projection_dim=size.width,
    )
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return config, CLIPProcessor(pictures, words)


def _siglip(words: Any, size: Size) -> Built:
    """Its text tower reads the last position, so texts must be padded to the full length of 64."""
    from transformers import SiglipConfig, SiglipImageProcessorPil, SiglipProcessor

    words.model_max_length = 64
    text = {"vocab_size": len(words), "max_position_embeddings": 64, "projection_size": size.width}
    config = SiglipConfig(
        text_config={**size.vision, **text, "eos_token_id": words.eos_token_id, "pad_token_id": words.pad_token_id},
        vision_config={**size.vision, "image_size": 32, "patch_size": 8},
    )
    return config, SiglipProcessor(SiglipImageProcessorPil(size={"height": 32, "width": 32}), words)


_GEMMA = Vocabulary(
    pad="<pad>", end="<end_of_turn>", start="<bos>", adds_start=True,
    named={"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"},
    others=("<eos>", "<start_of_turn>"),
)  # fmt: skip
_QWEN = Vocabulary(
    pad="<|endoftext|>", end="<|im_end|>", others=("<|im_start|>",),
    named={"image_token": "<|image_pad|>", "video_token": "<|video_pad|>",
           "vision_start_token": "<|vision_start|>", "vision_end_token": "<|vision_end|>"},
)  # fmt: skip
_INTERN = Vocabulary(
    pad="<|endoftext|>", end="<|im_end|>", others=("<|im_start|>",), digits=False,
    named={"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
           "video_token": "<video>"},
)  # fmt: skip
_LLAMA = Vocabulary(
    pad="<pad>", end="</s>", start="<s>", adds_start=True, digits=False, named={"image_token": "<image>"}
)
_MISTRAL = replace(_LLAMA, digits=True)
_TILES = tuple(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7))
_IDEFICS = Vocabulary(
    pad="<|pad|>", end="<end_of_utterance>", start="<|begin_of_text|>", adds_start=True,
    named={"image_token": "<image>", "fake_image_token": "<fake_token_around_image>",
           "global_image_token": "<global-img>", "end_of_utterance_token": "<end_of_utterance>"},
    others=("<|end_of_text|>", *_TILES),
)  # fmt: skip
_SMOL = replace(
    _IDEFICS, pad="<|im_end|>", start="<|im_start|>", adds_start=False, others=("<|endoftext|>", "<video>", *_TILES)
)
_DUAL = Vocabulary(
    pad="<pad>", end="<|endoftext|>", start="<|startoftext|>", adds_start=True, adds_end=True, digits=False
)

_GEMMA_MODEL, _LLAVA_MODEL = "Gemma3ForConditionalGeneration", "LlavaForConditionalGeneration"
_mistral = partial(_llava, text="mistral", template=chat.MISTRAL)

KINDS: dict[str, Architecture] = {
    "gemma3": Architecture(_GEMMA_MODEL, _gemma3, _GEMMA, ("<eos>",)),
    "gemma3_small_window": Architecture(_GEMMA_MODEL, partial(_gemma3, window=64), _GEMMA, ("<eos>",)),
    "qwen2_5_vl": Architecture("Qwen2_5_VLForConditionalGeneration", _qwen2_5_vl, _QWEN, ("<|endoftext|>",)),
    "qwen3_vl": Architecture("Qwen3VLForConditionalGeneration", _qwen3_vl, _QWEN, ("<|endoftext|>",)),
    "internvl": Architecture("InternVLForConditionalGeneration", _internvl, _INTERN),
    "llava": Architecture(_LLAVA_MODEL, _llava, _LLAMA),
    "llava_mistral": Architecture(_LLAVA_MODEL, partial(_mistral, sliding_window=None), _MISTRAL),
    # All layers slide here, so a window of 64 would hide the image from the last token of most prompts.
    "llava_mistral_small_window": Architecture(_LLAVA_MODEL, partial(_mistral, sliding_window=80), _MISTRAL),
    "llava_next": Architecture("LlavaNextForConditionalGeneration", _llava_next, _LLAMA),
    "idefics3": Architecture("Idefics3ForConditionalGeneration", _idefics3, _IDEFICS, ("<|end_of_text|>",)),
    "smolvlm": Architecture("SmolVLMForConditionalGeneration", _smolvlm, _SMOL),
    "clip": Architecture("CLIPModel", _clip, _DUAL),
    "siglip": Architecture("SiglipModel", _siglip, replace(_DUAL, adds_start=False, start=None)),
}
