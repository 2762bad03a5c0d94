"""Processors of checkpoints on this machine: from files only, for images only, without torchvision.

transformers makes every image processor from Pillow alone, but the processors of checkpoints that also take films
(Qwen2-VL and later, InternVL, SmolVLM) insist on a video processor, and all of those need torchvision, even when no
film is ever shown. Such a processor is made here without its video half.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.parsed import json_value

_VIDEO = "video_processor"
_NAMING = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
"""Files that may name the processor's class, the newest layout first."""


def load_processor(path: Path) -> Any:
    """Load the processor of a checkpoint, in any layout that the hub has seen.

    Pictures are always processed by Pillow, so that the same checkpoint gets the same pixels with and without
    torchvision. The padding side is left as the checkpoint has it.

    Parameters
    ----------
    path : pathlib.Path
        The checkpoint's folder. Nothing is looked up elsewhere, and code in the folder is never run.

    Returns
    -------
    transformers.ProcessorMixin
        With at least ``image_processor`` and ``tokenizer``; ``chat_template`` is the tokenizer's where the processor
        has none of its own, and None where neither has one.

    Raises
    ------
    AuditkitError
        When the folder's files make no processor of images and text, with the cause in the words of transformers.
    """
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import transformers

    try:
        kind: Any = getattr(transformers, _class_name(path), None)
        films = kind is not None and _VIDEO in kind.get_attributes()
        loader = image_only(kind) if films else transformers.AutoProcessor
        processor = loader.from_pretrained(path, local_files_only=True, trust_remote_code=False, backend="pil")
    except Exception as error:  # files of strangers: OSError, ValueError, KeyError, TypeError, ImportError, ...
        raise AuditkitError(
            f"The processor in {path} could not be loaded: {type(error).__name__}: {error}",
            "The folder needs the tokenizer's files and a processor_config.json or preprocessor_config.json that "
            "transformers knows without code of its own.",
        ) from error
    for half in ("image_processor", "tokenizer"):
        if getattr(processor, half, None) is None:
            raise AuditkitError(
                f"The processor in {path} is a {type(processor).__name__}, which has no {half}.",
                "Copy the processor's files of the original checkpoint (processor_config.json or "
                "preprocessor_config.json, tokenizer.json, tokenizer_config.json) into the folder.",
            )
    if getattr(processor, "chat_template", None) is None:  # older folders have it in tokenizer_config.json only
        processor.chat_template = processor.tokenizer.chat_template
    return processor


def image_only(kind: type[Any]) -> type[Any]:
    """Return a processor class that is ``kind`` without its video processor, and is saved under the same name.

    Parameters
    ----------
    kind : type
        A processor class of transformers, with ``video_processor`` among its parts.
    """
    position = kind.get_attributes().index(_VIDEO)

    class ImageOnly(kind):  # type: ignore[misc]
        @classmethod
        def get_attributes(cls) -> list[str]:
            return [name for name in super().get_attributes() if name != _VIDEO]

        @classmethod
        def from_args_and_dict(cls, args: list[Any], processor_dict: dict[str, Any], **kwargs: Any) -> Any:
            # SmolVLM's video processor has no default, so something must stand in its place.
            args = [*args[:position], _NoVideo, *args[position:]]
            rest = {name: value for name, value in processor_dict.items() if name != _VIDEO}
            return super().from_args_and_dict(args, rest, **kwargs)

    ImageOnly.video_processor = _NoVideo
    ImageOnly.__name__ = ImageOnly.__qualname__ = kind.__name__
    return ImageOnly


class _NoVideo:
    """Stands where a video processor would; SmolVLM asks it these two before it reads any message."""

    num_frames = None
    fps = None


def _class_name(path: Path) -> str:
    """Name of the processor's class by the checkpoint's files, or by its model type; empty when unknown."""
    for file in _NAMING:
        name = _json(path / file).get("processor_class")
        if isinstance(name, str):
            return name
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    found = PROCESSOR_MAPPING_NAMES.get(_json(path / "config.json").get("model_type"), "")
    return found if isinstance(found, str) else ""


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    content = json_value(file.read_bytes())
    return content if isinstance(content, dict) else {}
