"""What there is of a checkpoint on this machine, told from its files: nothing is loaded, nothing is downloaded."""

from __future__ import annotations

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from auditkit.errors import AuditkitError

DUAL_ENCODERS = frozenset(
    {"altclip", "chinese_clip", "clip", "metaclip_2", "siglip", "siglip2", "vision-text-dual-encoder"}
)
"""Model types that compare an image with a text."""
_TALKING = frozenset(
    {"gemma3", "idefics3", "internvl", "llava", "llava_next", "qwen2_5_vl", "qwen2_vl", "qwen3_vl", "smolvlm"}
)
"""Model types known to answer; for others transformers is asked, which takes two seconds to import."""
INDEX = "model.safetensors.index.json"
_OTHER_FORMATS = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.h5", "*.msgpack", "*.gguf")


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in a folder.

    Attributes
    ----------
    files : tuple of Path
        Safetensors files that are there.
    missing : tuple of str
        Files that the index names and that are not there.
    others : tuple of str
        Weights in other formats, which are never read.
    """

    files: tuple[Path, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing; files that were cut short are found by `size_of` only."""
        return bool(self.files) and not self.missing


def weights(folder: Path) -> Weights:
    """List the weights of a checkpoint folder, by its index where it has one."""
    index = json_object(folder / INDEX)
    named = sorted({str(name) for name in index.get("weight_map", {}).values()})
    there = sorted(path for path in folder.glob("*.safetensors") if path.is_file())
    return Weights(
        files=tuple(there),
        missing=tuple(name for name in named if not (folder / name).is_file()),
        others=tuple(sorted(p.name for pattern in _OTHER_FORMATS for p in folder.glob(pattern) if p.is_file())),
    )


def size_of(files: tuple[Path, ...]) -> tuple[int, int]:
    """Return the number of parameters in safetensors files and their bytes, from the headers alone.

    Raises
    ------
    AuditkitError
        When a file is cut short or is not a safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    parameters = 0
    for path in files:
        try:
            with safe_open(path, framework="numpy") as tensors:
                parameters += sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise AuditkitError(f"{path.name} is damaged or was not downloaded to its end ({error}).") from None
    return parameters, sum(path.stat().st_size for path in files)


def model_type(folder: Path) -> str:
    """Return the architecture that a checkpoint folder names; empty where it names none."""
    return str(json_object(folder / "config.json").get("model_type", ""))


def backend_of(folder: Path, name: str) -> Literal["image-text-to-text", "dual-encoder"]:
    """Return how a checkpoint folder is to be asked, by the model type in its config.json.

    Parameters
    ----------
    folder : pathlib.Path
        Checkpoint folder.
    name : str
        What was given as --model, for messages.

    Raises
    ------
    AuditkitError
        When there is no config.json, or the model type is one that neither answers nor compares.
    """
    config = json_object(folder / "config.json")
    kind = str(config.get("model_type", ""))
    if not config:
        if (folder / "adapter_config.json").is_file():
            raise AuditkitError(
                f"--model={name} is a folder with an adapter only.",
                "Merge it first: PeftModel.from_pretrained(model, folder).merge_and_unload().save_pretrained(merged), "
                "then give the merged folder, with the processor's files copied into it.",
            )
        if (folder / "config.json").is_file():
            raise AuditkitError(
                f"--model={name}: its config.json is empty, damaged or no JSON object.",
                "Copy or download the checkpoint again.",
            )
        raise AuditkitError(
            f"--model={name} is a folder without config.json, so it is not a checkpoint.",
            "Give the folder that holds config.json, the weights (*.safetensors) and the processor's files.",
        )
    if kind in DUAL_ENCODERS:
        return "dual-encoder"
    if kind in _TALKING or kind in _types_that_answer():
        return "image-text-to-text"
    code = " and brings code of its own, which is never run" if "auto_map" in config else ""
    raise AuditkitError(
        f"--model={name}: config.json has the model_type {kind!r}{code}; transformers knows it neither as a model that "
        "answers about images nor as a dual encoder.",
        "Give a checkpoint in the format of transformers, serve the model and use --audit-endpoint=URL, or wrap it in "
        "a class with generate(requests): --model package.module:attribute.",
    )


def _types_that_answer() -> frozenset[str]:
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    return frozenset(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES)


def snapshot(repository: str, revision: str | None) -> Path | None:
    """Return the folder of a repository in the hub's local cache, or None.

    Parameters
    ----------
    repository : str
        ``owner/name``.
    revision : str or None
        Commit; None for the one that the cache calls main. The folder is named after the commit.
    """
    from huggingface_hub import try_to_load_from_cache

    # Not snapshot_download(local_files_only=True): since version 2 of huggingface_hub that refuses a snapshot in which
    # any file is missing, such as the weights in other formats that a careful download left out.
    found = try_to_load_from_cache(repository, "config.json", revision=revision)
    return Path(found).parent if isinstance(found, str) else None


def cached_commits(repository: str) -> list[str]:
    """Return the commits of a repository of which the hub's local cache holds anything."""
    folder = cache_folder(repository) / "snapshots"
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def unfinished(repository: str) -> int:
    """Return the bytes of a download that was begun and not finished."""
    return sum(path.stat().st_size for path in cache_folder(repository).glob("blobs/*.incomplete"))


def cache_folder(repository: str = "") -> Path:
    """Return the hub's local cache, or the folder of one repository in it; it need not exist."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    cache = Path(constants.HF_HUB_CACHE)
    return cache / repo_folder_name(repo_id=repository, repo_type="model") if repository else cache


def require_safetensors(folder: Path, name: str) -> None:
    """Refuse a folder without weights in safetensors: reading other formats can run code."""
    if not any(folder.glob("*.safetensors")):
        raise AuditkitError(
            f"--model={name}: {folder} holds no *.safetensors weights.",
            "Save the checkpoint with save_pretrained(..., safe_serialization=True); other formats are not loaded.",
        )


def require_all(missing: Collection[str], folder: Path, name: str) -> None:
    """Refuse a checkpoint that lacks weights of its network: transformers would make them up at random."""
    if missing:
        raise AuditkitError(
            f"--model={name}: {folder} lacks {len(missing)} weights ({', '.join(sorted(missing)[:3])}); "
            "transformers would make them up at random.",
            "Save the whole model with save_pretrained; adapters must be merged first.",
        )


def json_object(path: Path) -> dict[str, Any]:
    """Return a JSON file's object; an empty one when the file is missing or holds anything else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
