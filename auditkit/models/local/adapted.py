"""Putting an adapter on a loaded base, with nothing of it left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError


def put_on(model: Any, adapter: Path) -> Any:
    """Return the model with the adapter in its layers.

    The adapter is not merged into the weights: in half precision a merge rounds it away in part, and this is how peft
    itself answers. The model stays the class that it is.

    Parameters
    ----------
    model
        The base, as transformers loads it; its layers are changed.
    adapter : pathlib.Path
        Folder with adapter_config.json and adapter_model.safetensors.

    Raises
    ------
    AuditkitError
        When it is of a kind that is not part of the layers, or not all of its weights have a place in the base.
    """
    from peft import PeftConfig, PeftModel

    config = PeftConfig.from_pretrained(str(adapter))
    if config.is_prompt_learning or config.is_adaption_prompt:
        raise AuditkitError(
            f"an adapter of the kind {config.peft_type} puts tokens before the question, which is not supported.",
            "Wrap it in a class with generate(requests): --model=package.module:attribute.",
        )
    config.inference_mode = True
    adapted = PeftModel(model, config)
    found = adapted.load_adapter(str(adapter), "default", is_trainable=False)
    for keys, fault in ((found.unexpected_keys, "has no place for"), (found.missing_keys, "misses")):
        if keys:
            raise AuditkitError(
                f"the base {fault} {len(keys)} weights of the adapter ({', '.join(sorted(keys)[:3])}).",
                "Name the base that it was trained on: --audit-base=NAME (a registry name or a folder).",
            )
    return adapted.get_base_model().eval()
