"""Asking one by one, as a benchmark script does: the processor and ``generate`` for every question, nothing shared.

Written against transformers alone, so that the comparison does not measure auditkit against a part of itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditkit.models.base import Request, Response


class Naive:
    """A checkpoint asked one question at a time.

    Parameters
    ----------
    path : pathlib.Path
        The checkpoint folder.
    """

    name = fingerprint = "naive"

    def __init__(self, path: Path) -> None:
        import transformers

        from auditkit.models.local.processors import load_processor

        transformers.logging.set_verbosity_error()
        self._processor = load_processor(path)
        self._model = transformers.AutoModelForImageTextToText.from_pretrained(path, dtype="float32").eval()

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer greedily."""
        return [self._one(request) for request in requests]

    def _one(self, request: Request) -> Response:
        import torch

        image = request.images[0].convert("RGB")
        content = [{"type": "image", "image": image}, {"type": "text", "text": request.prompt}]
        messages = [{"role": "user", "content": content}]
        if request.system:
            messages.insert(0, {"role": "system", "content": [{"type": "text", "text": request.system}]})
        inputs = self._processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )
        with torch.inference_mode():
            output = self._model.generate(**inputs, max_new_tokens=request.max_new_tokens, do_sample=False)
        new = output[0, inputs["input_ids"].shape[1] :].tolist()
        ends = self._model.generation_config.eos_token_id
        at = next((i for i, t in enumerate(new) if t in (ends if isinstance(ends, list) else [ends])), None)
        said = self._processor.tokenizer.decode(new[:at], skip_special_tokens=True)
        return Response(said.strip(" "), None, "length" if at is None else "stop")
