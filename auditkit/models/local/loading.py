"""Reading a checkpoint from this machine: its network, its processor, and what is peculiar about it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.lookup import near
from auditkit.models.base import Request
from auditkit.models.local.adapted import put_on
from auditkit.models.local.chat import chat_text, end_tokens, must_fold_system
from auditkit.models.local.fast_inputs import FastInputs, fast_inputs
from auditkit.models.local.tokens import Tokens
from auditkit.models.on_disk import require_all

_WITHOUT_EFFECT = {
    *("bos_token_id", "eos_token_id", "pad_token_id", "max_length", "max_new_tokens", "use_cache"),
    *("do_sample", "temperature", "top_k", "top_p", "min_p", "typical_p", "cache_implementation"),
    *("output_attentions", "output_hidden_states", "_from_model_config", "transformers_version"),
    "repetition_penalty",  # applied here as generate does it
}
"""Settings of generation_config.json that leave greedy decoding as it is. Any other (beams, suppressed tokens) is
honoured by ``generate`` only, so such a checkpoint is asked by ``generate`` in batches."""


@dataclass(frozen=True)
class Loaded:
    """A checkpoint in memory.

    Attributes
    ----------
    model, processor
        As transformers loads them.
    tokens : Tokens
        Cuts texts about one image.
    fast : FastInputs or None
        A quicker way to the same inputs, where there is one.
    ends : frozenset of int
        Tokens that end an answer.
    fold_system : bool
        The chat template has no system turn.
    greedy : bool
        The checkpoint's own settings are such that taking the most probable token is what ``generate`` does.
    window : int or None
        Tokens that the narrowest attention layer looks back at; None where all see everything.
    parameters : int
        Number of weights.
    template : mapping
        Arguments of the chat template.
    """

    model: Any
    processor: Any
    tokens: Tokens
    fast: FastInputs | None
    ends: frozenset[int]
    fold_system: bool
    greedy: bool
    window: int | None
    parameters: int
    template: Mapping[str, Any] = field(default_factory=dict)

    def chat(self, request: Request) -> str:
        """Return the request in the checkpoint's chat template."""
        return self._chat(request.prompt, request.system, len(request.images))

    @cached_property
    def _chat(self) -> Callable[[str, str | None, int], str]:
        # The same words are put to hundreds of images; a template takes 0.2 ms.
        @lru_cache(maxsize=4096)
        def chat(prompt: str, system: str | None, images: int) -> str:
            return chat_text(
                self.processor, prompt, system, images, fold_system=self.fold_system, template=self.template
            )

        return chat


def load(
    path: Path,
    name: str,
    *,
    dtype: str,
    device_map: str | None = None,
    processor_settings: Mapping[str, Any] | None = None,
    processor: Path | None = None,
    adapter: Path | None = None,
    unread: Sequence[str] = (),
    template: Mapping[str, Any] | None = None,
) -> Loaded:
    """Load a checkpoint, offline, from safetensors only, without running code of its folder.

    Parameters
    ----------
    path, name, dtype, device_map, processor_settings, unread, template
        As of `LocalModel`.
    processor : pathlib.Path, optional
        Folder of the processor; by default the checkpoint's.
    adapter : pathlib.Path, optional
        Folder of an adapter to put on it.

    Raises
    ------
    AuditkitError
        When it cannot be loaded, lacks weights, has some that are not read, or has no chat template.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    settings = dict(processor_settings or {})
    try:
        import torch
        import transformers

        from auditkit.models.local.processors import load_processor

        transformers.logging.set_verbosity_error()
        transformers.logging.disable_progress_bar()
        loaded = load_processor(processor or path)
        place = device_map or ("cuda" if torch.cuda.is_available() else None)
        model, report = transformers.AutoModelForImageTextToText.from_pretrained(
            path,
            dtype=dtype,
            device_map=place,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
        require_all(report, path, name, unread)
        if adapter is not None:
            model = put_on(model, adapter)
        loaded.tokenizer.padding_side = "left"
        asked = dict(template or {})
        chat = chat_text(loaded, "x", template=asked)  # without a chat template every question would raise
    except AuditkitError as error:
        said = error.problem.removeprefix(f"--model={name}: ")
        raise AuditkitError(f"--model={name}: {said}", error.remedy) from None
    except Exception as error:  # files of strangers: OSError, KeyError, SafetensorError, TemplateError, ...
        raise AuditkitError(
            f"--model={name}: {path} could not be loaded: {type(error).__name__}: {error}.",
            f"`auditkit doctor --model={name}` looks at each of its files. It must be an image-text-to-text checkpoint "
            "with processor and chat template, as save_pretrained writes it.",
        ) from None
    _check_settings(settings, loaded, name)
    model = model.eval()
    return Loaded(
        model=model,
        processor=loaded,
        tokens=Tokens(loaded, settings),
        fast=None if settings else fast_inputs(model, loaded, chat),
        ends=end_tokens(model, loaded),
        fold_system=must_fold_system(loaded),
        greedy=set(model.generation_config.to_diff_dict()) <= _WITHOUT_EFFECT,
        window=_window(model.config.get_text_config()),
        template=asked,
        parameters=sum(p.numel() for p in model.parameters()),
    )


def _check_settings(settings: Mapping[str, Any], processor: Any, name: str) -> None:
    """Refuse settings that the image processor does not know: it would pass over them without a word."""
    pictures = processor.image_processor
    known = {key for kind in type(pictures).__mro__ for key in getattr(kind, "__annotations__", {})}
    known |= set(getattr(getattr(pictures, "valid_kwargs", None), "__annotations__", {}))
    known |= {key for key in vars(pictures) if not key.startswith("_")}
    for key in settings:
        if key not in known and not hasattr(pictures, key):
            raise AuditkitError(
                f"--model={name}: its image processor has no setting {key!r}. {near(key, known, most=3)}".rstrip(),
                "Change `processor` in the model's registry entry.",
            )


def _window(config: Any) -> int | None:
    """Return the width of the sliding window, where any layer has one."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and not any("sliding" in kind for kind in kinds):
        return None
    if getattr(config, "use_sliding_window", True) is False:
        return None
    width = getattr(config, "sliding_window", None)
    return None if width is None else int(width)
