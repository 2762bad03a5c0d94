"""First stage: the vision tower learns quality, type of degradation and modality through throw-away linear heads.

The filters stay as they are initialised, so that their responses are computed once: two thirds of a training step went
into converting and filtering pixels that are the same in every epoch (48 against 176 images per second). All in
float32: on the machine this was made on, bfloat16 autocast took 1.14 s of CPU time per step where float32 took 0.74 s
(batch of 64, one thread).
"""

from __future__ import annotations

import math
import time
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from transformers import SiglipVisionModel

from auditkit.images.phantoms import MODALITIES
from tools.reference.architecture import (
    as_tensor,
    filter_waves,
    initialise_tower,
    patch_embedding,
    vision_config,
)
from tools.reference.degradations import TYPES, true_score
from tools.reference.samples import Samples, kind_indices

_BINS: Final = 24
_BATCH: Final = 48
_PEAK_RATE: Final = 1.2e-3
_WARM_UP: Final = 100


class QualityNet(nn.Module):
    """The tower with three heads on its mean token: score (as a distribution over bins), type, modality."""

    def __init__(self) -> None:
        super().__init__()
        config = vision_config()
        self.tower = SiglipVisionModel(config)
        patch_embedding(self.tower).requires_grad_(False)
        self.score = nn.Linear(config.hidden_size, _BINS)
        self.kind = nn.Linear(config.hidden_size, len(TYPES))
        self.modality = nn.Linear(config.hidden_size, len(MODALITIES))
        self.register_buffer("centres", (torch.arange(_BINS) + 0.5) / _BINS, persistent=False)

    @torch.no_grad()
    def responses(self, pixels: torch.Tensor) -> torch.Tensor:
        """Filter responses of every patch, ``(n, 64, width)``, for images ``(n, 3, 224, 224)``."""
        out: torch.Tensor = patch_embedding(self.tower)(pixels)
        return out.flatten(2).transpose(1, 2)

    def forward(self, responses: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits of score bins, type and modality from filter responses."""
        vision: Any = getattr(self.tower, "vision_model", self.tower)
        tokens = responses + vision.embeddings.position_embedding.weight
        hidden = vision.post_layernorm(vision.encoder(inputs_embeds=tokens).last_hidden_state)
        mean = hidden.mean(1)
        return self.score(mean), self.kind(mean), self.modality(mean)

    def expected_score(self, logits: torch.Tensor) -> torch.Tensor:
        """Mean of the score distribution, on 0-1."""
        centres: Any = self.centres
        expected: torch.Tensor = (logits.softmax(-1) * centres).sum(-1)
        return expected


def learning_rate(step: int, steps: int, peak: float, warm_up: int = _WARM_UP) -> float:
    """Linear warm-up, then a cosine down to 1 % of the peak."""
    progress = min(1.0, step / max(1, steps))
    return peak * min(1.0, (step + 1) / max(1, warm_up)) * (0.5 * (1 + math.cos(math.pi * progress)) + 0.01)


class Mirror:
    """Mirrors filter responses as if the images had been mirrored.

    A cosine wave of odd frequency changes its sign under reflection, one of even frequency stays; the bias does not
    take part, and the patches change places.
    """

    def __init__(self, net: QualityNet) -> None:
        embedding = patch_embedding(net.tower)
        assert embedding.bias is not None  # noqa: S101 - SigLIP's patch embedding always has one
        waves = filter_waves(embedding.kernel_size[0], embedding.out_channels)
        padded = [*waves, *[(0, 0)] * (embedding.out_channels - len(waves))]
        self._signs = [torch.tensor([(-1.0) ** wave[axis] for wave in padded]) for axis in (0, 1)]
        self._bias = embedding.bias.detach()

    def __call__(self, responses: torch.Tensor, axis: int) -> torch.Tensor:
        """``axis`` 0 turns top and bottom, 1 left and right; ``(n, patches, width)``."""
        side = round(responses.shape[1] ** 0.5)
        grid = responses.reshape(len(responses), side, side, -1).flip(1 + axis).reshape(responses.shape)
        mirrored: torch.Tensor = (grid - self._bias) * self._signs[axis] + self._bias
        return mirrored


def train_vision(
    samples: Samples,
    steps: int,
    seed: int,
    *,
    net: QualityNet,
    fresh: bool = True,
    peak: float = _PEAK_RATE,
    mirrored: bool = False,
    report_every: int = 100,
) -> None:
    """Train the tower from scratch, or further.

    Cross-entropy over score bins beside the squared error gives gradients to every level of quality from the start.

    Parameters
    ----------
    samples
        Training images.
    steps
        Number of batches of 48.
    seed
        Seeds the initial weights and the order of the images.
    net
        Changed in place.
    fresh
        Whether to initialise the tower first.
    peak
        Highest learning rate.
    mirrored
        Whether images are mirrored at random.
    report_every
        Steps between lines of progress.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 1, int(mirrored)] if mirrored else [seed, 1])
    if fresh:
        probe = np.sort(rng.choice(len(samples), min(600, len(samples)), replace=False))
        initialise_tower(net.tower, samples.pixels[probe])
    mirror = Mirror(net)
    net.train()
    kinds = torch.from_numpy(kind_indices(samples))
    modalities = torch.from_numpy(samples.modality)
    truth = torch.tensor([true_score(float(s)) / 100 for s in samples.severity])
    responses = all_responses(net, samples)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, peak, weight_decay=0.05, betas=(0.9, 0.98))
    started = time.monotonic()
    order = rng.permutation(len(samples))
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, peak)
        at = (step * _BATCH) % len(samples)
        if at + _BATCH > len(samples):
            order = rng.permutation(len(samples))
            at = 0
        rows = torch.from_numpy(order[at : at + _BATCH])
        seen = responses[rows].float()
        for axis in (0, 1):
            if mirrored and rng.random() < 0.5:
                seen = mirror(seen, axis)
        score, kind, modality = net(seen)
        error = ((net.expected_score(score) - truth[rows]) ** 2).mean()
        bins = (truth[rows] * _BINS).long().clamp(0, _BINS - 1)
        kind_loss = nn.functional.cross_entropy(kind, kinds[rows])
        modality_loss = nn.functional.cross_entropy(modality, modalities[rows])
        loss = 10 * error + 0.5 * nn.functional.cross_entropy(score, bins) + 0.5 * kind_loss + 0.2 * modality_loss
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        if (step + 1) % report_every == 0:
            speed = (step + 1) * _BATCH / (time.monotonic() - started)
            print(
                f"vision {step + 1}/{steps}  {speed:.0f} images/s  rmse {error.item() ** 0.5:.3f}"
                f"  type {kind_loss.item():.3f}  modality {modality_loss.item():.3f}",
                flush=True,
            )
    net.eval()


@torch.no_grad()
def all_responses(net: QualityNet, samples: Samples, batch: int = 100) -> torch.Tensor:
    """Filter responses of all images, float16: 25 KB an image instead of 150, and computed once."""
    chunks = [
        net.responses(as_tensor(np.asarray(samples.pixels[at : at + batch]))).half()
        for at in range(0, len(samples), batch)
    ]
    return torch.cat(chunks)


@torch.no_grad()
def predict_scores(net: QualityNet, samples: Samples, batch: int = 100) -> npt.NDArray[np.float32]:
    """Expected scores (0-1) of the first stage alone, to judge it before a decoder exists."""
    parts = []
    for start in range(0, len(samples), batch):
        pixels = as_tensor(np.asarray(samples.pixels[start : start + batch]))
        parts.append(net.expected_score(net(net.responses(pixels))[0]).numpy())
    return np.concatenate(parts)
