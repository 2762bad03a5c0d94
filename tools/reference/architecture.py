"""Shape and initial values of the reference model, in the LLaVA layout: SigLIP tower, projector, Llama decoder.

The image is 224 px in 8 x 8 patches of 28 px: 64 image tokens, few enough for a CPU, at a resolution where pixelation
at 256 px still shows (a 128 px input erased it: mean per-image Spearman -0.10 on real images).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import LlavaConfig, LlavaForConditionalGeneration, SiglipVisionConfig

from tools.reference.samples import INPUT_SIZE

PATCH: Final = 28
IMAGE_TOKENS: Final = (INPUT_SIZE // PATCH) ** 2
VISION_WIDTH: Final = 192
TEXT_WIDTH: Final = 128
VISION_HEAD_WIDTH: Final = 64
TEXT_HEAD_WIDTH: Final = 32
_LIKENESS: Final = 0.09
_COLOURED: Final = 16
_ANCHORS: Final = 8
_ANCHOR: Final = 1.0
_RESPONSE: Final = 0.2
"""Standard deviation of a filter's responses. It is small because their tails are heavy (kurtosis 24), and what the
blocks write must not drown beside the largest."""
_MODULUS_GAINS: Final = (4.0, 25.0)
PAD_ID, BOS_ID, EOS_ID, IMAGE_ID = 0, 1, 2, 3


def vision_config() -> SiglipVisionConfig:
    """Three transformer layers of width 192 over 64 patches, without a pooling head."""
    return SiglipVisionConfig(
        hidden_size=VISION_WIDTH,
        intermediate_size=2 * len(_MODULUS_GAINS) * VISION_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=VISION_WIDTH // VISION_HEAD_WIDTH,
        image_size=INPUT_SIZE,
        patch_size=PATCH,
        vision_use_head=False,
        hidden_act="gelu_pytorch_tanh",
    )


def build_model(vocabulary: int) -> Any:
    """A freshly initialised ``LlavaForConditionalGeneration`` for a vocabulary of the given size."""
    text = {
        "model_type": "llama",
        "hidden_size": TEXT_WIDTH,
        "intermediate_size": 3 * TEXT_WIDTH,
        "num_hidden_layers": 4,
        "num_attention_heads": TEXT_WIDTH // TEXT_HEAD_WIDTH,
        "num_key_value_heads": TEXT_WIDTH // TEXT_HEAD_WIDTH,
        "vocab_size": vocabulary,
        "max_position_embeddings": 1024,
        "pad_token_id": PAD_ID,
        "bos_token_id": BOS_ID,
        "eos_token_id": EOS_ID,
        "tie_word_embeddings": True,
    }
    config = LlavaConfig(
        text_config=text,
        vision_config=vision_config().to_dict(),
        image_token_index=IMAGE_ID,
        vision_feature_select_strategy="full",
        vision_feature_layer=-1,
        image_seq_length=IMAGE_TOKENS,
        tie_word_embeddings=True,
    )
    model = LlavaForConditionalGeneration(config)
    _start_by_likeness(model)
    model.generation_config.pad_token_id = PAD_ID
    model.generation_config.bos_token_id = BOS_ID
    model.generation_config.eos_token_id = EOS_ID
    return model


def _start_by_likeness(model: Any) -> None:
    """Let queries and keys start equal, so that a token attends to its like from the first step.

    Matching an option with what is known of the image needs that, and gradient descent takes thousands of steps to
    find it (after Trockman and Kolter 2023, mimetic initialisation of self-attention layers).
    """
    with torch.no_grad():
        for layer in model.model.language_model.layers:
            layer.self_attn.q_proj.weight.normal_(0.0, _LIKENESS)
            layer.self_attn.k_proj.weight.copy_(layer.self_attn.q_proj.weight)


def patch_embedding(tower: nn.Module) -> nn.Conv2d:
    """The convolution that turns patches into tokens, wherever this transformers version keeps it."""
    vision: Any = getattr(tower, "vision_model", tower)
    found: nn.Conv2d = vision.embeddings.patch_embedding
    return found


def initialise_tower(tower: nn.Module, pixels: npt.NDArray[np.uint8]) -> None:
    """Start the tower as a bank of cosine filters followed by their modulus.

    Quality is in the power of the high frequencies, and a randomly started transformer is slow to find it: cosine
    filters alone left the root mean square error of the score at 0.20 after 800 steps. So the first block starts as a
    modulus: its hidden units come in pairs that see one filter with either sign, and what they write is the pair's
    sum, about ``|c|``. All of it is trained on afterwards.

    Parameters
    ----------
    tower
        Changed in place.
    pixels
        Images to measure the size of the filters' responses on, uint8 ``(n, h, w, 3)``.
    """
    vision: Any = getattr(tower, "vision_model", tower)
    embedding = patch_embedding(tower)
    n, width = embedding.kernel_size[0], embedding.out_channels
    weight = torch.from_numpy(_cosine_filters(n, width))
    with torch.no_grad():
        embedding.weight.copy_(weight)
        bias: Any = embedding.bias
        bias.zero_()
        responses = embedding(as_tensor(pixels)).transpose(0, 1).flatten(1)
        spread = responses.std(1).clamp(min=1e-3) / _RESPONSE
        embedding.weight.div_(spread[:, None, None, None])
        bias.copy_(-responses.mean(1) / spread)
        # The anchors keep layer normalisation from dividing the power away: beside them, a token's filter responses
        # hardly change its norm unless they are large.
        positions = vision.embeddings.position_embedding.weight
        positions.mul_(_RESPONSE)
        positions[:, -_ANCHORS:] = _ANCHOR * (torch.arange(_ANCHORS) % 2 * 2.0 - 1.0)
        first = vision.encoder.layers[0]
        first.self_attn.out_proj.weight.mul_(0.1)
        eye = torch.eye(width)
        first.mlp.fc1.weight.copy_(torch.cat([gain * sign * eye for gain in _MODULUS_GAINS for sign in (1, -1)]))
        first.mlp.fc1.bias.zero_()
        mixing = []
        for gain in _MODULUS_GAINS:
            rotation = torch.linalg.qr(torch.randn(width, width)).Q / gain**0.5
            mixing += [rotation, rotation]
        first.mlp.fc2.weight.copy_(torch.cat(mixing, 1))
        first.mlp.fc2.bias.zero_()


def filter_waves(n: int, width: int) -> list[tuple[int, int]]:
    """Vertical and horizontal frequency of every filter: grey low, grey spread up to the highest, then colour."""
    order = sorted(((u, v) for u in range(n) for v in range(n)), key=lambda p: (p[0] + p[1], p))
    grey = width - _COLOURED - _ANCHORS
    spread = np.linspace(width // 4, n * n - 1, grey - width // 4).astype(int)
    return order[: width // 4] + [order[i] for i in spread] + [order[j // 2] for j in range(_COLOURED)]


def _cosine_filters(n: int, width: int) -> npt.NDArray[np.float32]:
    """Filters of ``n`` by ``n`` pixels; the last ones, beside the anchors, are zero."""
    k = np.arange(n)
    basis = np.sqrt(2 / n) * np.cos(np.pi * (2 * k[None] + 1) * k[:, None] / (2 * n))
    basis[0] /= np.sqrt(2)
    grey = width - _COLOURED - _ANCHORS
    contrasts = np.array([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]])
    weight = np.zeros((width, 3, n, n), dtype=np.float32)
    for i, (u, v) in enumerate(filter_waves(n, width)):
        wave = np.outer(basis[u], basis[v])[None]
        weight[i] = wave / 3 if i < grey else wave * contrasts[(i - grey) % 2][:, None, None]
    return weight


def as_tensor(pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
    """uint8 ``(n, h, w, 3)`` to the float tensor ``(n, 3, h, w)`` in [-1, 1] that the processor would give."""
    contiguous = np.ascontiguousarray(pixels)
    if not contiguous.flags.writeable:  # a memory map; torch warns of those
        contiguous = contiguous.copy()
    # In place: allocating 38 MB three times took a sixth of a training step.
    return torch.from_numpy(contiguous).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)


@torch.no_grad()
def image_features(tower: nn.Module, pixels: npt.NDArray[np.uint8], batch: int = 250) -> torch.Tensor:
    """Hidden states that the projector receives, float16 ``(n, 64, width)``, in chunks."""
    tower.eval()
    chunks = []
    for start in range(0, len(pixels), batch):
        out = tower(pixel_values=as_tensor(pixels[start : start + batch]), output_hidden_states=True)
        chunks.append(out.hidden_states[-1].half())
    return torch.cat(chunks)
