"""Checkpoint folders of the true architectures, a few megabytes each, that answer: to test what loads and asks models.

The layout, the processors, the chat templates and the model code are those of the true checkpoints; the weights are
random, but planted so that the answers are in the format asked for, depend on image and words, and end (see `speech`).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Literal

from auditkit.errors import AuditkitError

ARCHITECTURES: tuple[str, ...] = (
    "gemma3", "gemma3_small_window", "qwen2_5_vl", "qwen3_vl", "internvl", "llava", "llava_mistral",
    "llava_mistral_small_window", "llava_next", "idefics3", "smolvlm", "clip", "siglip",
)  # fmt: skip


def tiny_checkpoint(
    architecture: str, folder: Path | None = None, *, seed: int = 0, scale: Literal["tiny", "medium"] = "tiny"
) -> Path:
    """Write a checkpoint folder, as ``save_pretrained`` does.

    Parameters
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    folder : pathlib.Path, optional
        Where to write it; a new temporary folder when omitted, which is the caller's to remove.
    seed : int
        Of the weights: the same seed gives the same bytes on the same versions of torch and transformers.
    scale : {"tiny", "medium"}
        0.3 to 0.7 million parameters, or 47 to 105 million for measurements of speed.

    Returns
    -------
    pathlib.Path
        The folder: config.json, model.safetensors, generation_config.json, tokenizer and processor files,
        chat_template.jinja (none of the last and of generation_config.json for the dual encoders clip and siglip).

    Raises
    ------
    AuditkitError
        When there is no such architecture.
    """
    if architecture not in ARCHITECTURES:
        raise AuditkitError(
            f"There is no tiny checkpoint of {architecture!r}.", f"Known are {', '.join(ARCHITECTURES)}."
        )
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    import transformers

    from auditkit.testing.checkpoints.architectures import KINDS, SIZES
    from auditkit.testing.checkpoints.balance import balance
    from auditkit.testing.checkpoints.speech import randomise, teach

    kind = KINDS[architecture]
    words = kind.vocabulary.tokenizer()
    config, processor = kind.build(words, SIZES[scale])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = getattr(transformers, kind.model)(config).eval()
        randomise(model)
    if kind.speaks:
        teach(model, words, kind.vocabulary.end, digits=kind.vocabulary.digits)
        settings = model.generation_config
        settings.bos_token_id, settings.pad_token_id = words.bos_token_id, words.pad_token_id
        ends = [words.convert_tokens_to_ids(name) for name in (kind.vocabulary.end, *kind.ends)]
        settings.eos_token_id = ends if len(ends) > 1 else ends[0]
        balance(model, processor)
    folder = Path(tempfile.mkdtemp(prefix=f"{architecture}-")) if folder is None else folder
    bars = transformers.logging.is_progress_bar_enabled()
    transformers.logging.disable_progress_bar()
    model.save_pretrained(folder)
    if bars:
        transformers.logging.enable_progress_bar()
    processor.save_pretrained(folder)
    return folder
