"""Ask a checkpoint directly, for evaluation and tests; audits go through `auditkit.models` instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

Pixels = npt.NDArray[np.uint8]


class Probe:
    """A checkpoint with its processor, in float32.

    Parameters
    ----------
    folder
        What ``from_pretrained`` takes; nothing is downloaded.
    """

    def __init__(self, folder: Path) -> None:
        self.processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForImageTextToText.from_pretrained(
            folder, local_files_only=True, dtype=torch.float32
        ).eval()
        tokenizer = self.processor.tokenizer
        ids = [tokenizer.encode(str(k), add_special_tokens=False) for k in range(101)]
        self._number_ids = torch.tensor([i[0] for i in ids])

    def inputs(self, images: Sequence[Pixels], questions: Sequence[str]) -> Any:
        """Model inputs for one question about each image."""
        texts = [
            self.processor.apply_chat_template(
                [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}],
                add_generation_prompt=True,
                tokenize=False,
            )
            for question in questions
        ]
        pictures = [Image.fromarray(pixels).convert("RGB") for pixels in images]
        return self.processor(text=texts, images=pictures, return_tensors="pt", padding=True, add_special_tokens=False)

    @torch.inference_mode()
    def answers(
        self, images: Sequence[Pixels], questions: Sequence[str], *, max_new_tokens: int = 12, batch: int = 32
    ) -> list[str]:
        """Free greedy answers, one per image and question."""
        found: list[str] = []
        for at in range(0, len(images), batch):
            inputs = self.inputs(images[at : at + batch], questions[at : at + batch])
            output = self.model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False)
            fresh = output[:, inputs["input_ids"].shape[1] :]
            found += self.processor.batch_decode(fresh, skip_special_tokens=True)
        return found

    @torch.inference_mode()
    def scores(self, images: Sequence[Pixels], questions: Sequence[str], *, batch: int = 32) -> npt.NDArray[np.float64]:
        """Expected score: mean of 0 to 100 under the probabilities of the first token of the answer."""
        found = []
        for at in range(0, len(images), batch):
            inputs = self.inputs(images[at : at + batch], questions[at : at + batch])
            logits = self.model(**inputs, logits_to_keep=1).logits[:, -1]
            found.append((logits[:, self._number_ids].softmax(-1) * torch.arange(101.0)).sum(-1))
        return torch.cat(found).double().numpy()
