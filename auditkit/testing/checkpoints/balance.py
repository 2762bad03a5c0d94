"""Even out the random part of a planted decoder, so that image and words decide and not the weights alone.

What is the same for all questions (the last token of the chat template, the mean brightness of images) is most of what
a random network holds at its end: without this step three of four answers were the same, whatever was shown. So the
network is asked some questions, and what is common to them is taken out of the output rows.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PIL import Image, ImageFilter

from auditkit import perturbations, tasks
from auditkit.protocol.catalogue import Catalogue
from auditkit.testing.checkpoints.speech import PLANNED
from auditkit.vocabulary import Perturbation, Question

_SPREAD: Final = 2.0
"""Standard deviation, over the tokens that may come next, of their logits: below the 20 by which the facts decide."""
_FLOOR: Final = 0.01
"""Directions weaker than this share of the mean power have no say: there, rounding would decide, or what a wide network
does with other questions than those asked here."""
_PICTURES: Final = 4


def balance(model: Any, processor: Any) -> None:
    """Change the random part of the output rows, in place.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        As `speech.teach` leaves it.
    processor : transformers.ProcessorMixin
        Its processor; the padding side is left as it was.
    """
    import torch

    output = model.get_output_embeddings()
    seen: list[Any] = []
    hook = output.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, -1].clone()))
    with torch.inference_mode():
        model.generate(**_questions(processor), max_new_tokens=4, do_sample=False)
    hook.remove()
    first, states = seen[0][:, PLANNED:], torch.cat(seen)[:, PLANNED:]
    with torch.no_grad():
        power, axes = torch.linalg.eigh(states.T @ states / len(states))
        heard = power > _FLOOR * power.mean()
        even = axes[:, heard] / power[heard].sqrt()
        # Within a template only picture and context vary; directions in which they do most get the most weight.
        templates = (first @ even).unflatten(0, (-1, _PICTURES))
        varied = (templates - templates.mean(1, keepdim=True)).flatten(0, 1)
        even = even @ (varied.T @ varied) @ even.T
        rows = output.weight
        spoken = rows.abs().sum(1) > 0
        taste = rows[spoken, PLANNED:] @ even
        taste = taste / taste.norm(dim=1, keepdim=True)  # else the longest rows are said most of the time
        spread = (first @ taste.T).std(1).mean()
        rows[spoken, PLANNED:] = taste * (_SPREAD / spread)


def _questions(processor: Any) -> Any:
    """Every format about several pictures, as one batch of the model's inputs."""
    rng = np.random.default_rng(0)
    said = [(), *((Perturbation(name),) for name in list(perturbations.levels())[: _PICTURES - 1])]
    catalogue = Catalogue.of({}, {}, "quality.direct")
    pictures, texts = [], []
    worded = [(task.id, wording) for task in tasks.shipped().values() for wording in task.wordings]
    for task, wording in worded:
        if wording not in ("direct", "reader") or task.startswith("options.degradation"):
            continue
        for i in range(_PICTURES):
            pixels = rng.normal(rng.uniform(50, 200), rng.uniform(10, 70), (48, 48 + 16 * (i % 2))).clip(0, 255)
            picture = Image.fromarray(pixels.astype(np.uint8)).convert("RGB")
            pictures.append([picture.filter(ImageFilter.GaussianBlur(i % 3))])
            asked = catalogue.prompt(Question(task, wording, said[i]))
            content = [{"type": "image"}, {"type": "text", "text": asked.user}]
            message = [{"role": "user", "content": content}]
            texts.append(processor.apply_chat_template(message, add_generation_prompt=True, tokenize=False))
    side, processor.tokenizer.padding_side = processor.tokenizer.padding_side, "left"
    opened = texts[0].startswith(processor.tokenizer.bos_token or "\0")
    inputs = processor(text=texts, images=pictures, return_tensors="pt", padding=True, add_special_tokens=not opened)
    processor.tokenizer.padding_side = side
    return inputs
