"""What there is of a checkpoint on this machine, told from its files: nothing is loaded, nothing is downloaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from auditkit.errors import AuditkitError
from auditkit.parsed import json_value

DUAL_ENCODERS = frozenset(
    {"altclip", "chinese_clip", "clip", "metaclip_2", "siglip", "siglip2", "vision-text-dual-encoder"}
)
"""Model types that compare an image with a text."""
_TALKING = frozenset(
    {"gemma3", "idefics3", "internvl", "llava", "llava_next", "qwen2_5_vl", "qwen2_vl", "qwen3_vl", "smolvlm"}
)
"""Model types known to answer; for others transformers is asked, which takes two seconds to import."""
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
PROCESSORS = ("processor_config.json", "preprocessor_config.json")
TEMPLATES = ("chat_template.jinja", "chat_template.json")
_OTHER_FORMATS = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt", "*.h5", "*.msgpack", "*.gguf", "*.onnx")
_OF_TRAINING = ("optimizer", "scheduler", "scaler", "rng_state", "training_args")
"""Beginnings of files that a trainer leaves beside the weights, and that no answer depends on."""
_DTYPES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}

QUANTISERS = {
    "bitsandbytes": "bitsandbytes", "gptq": "gptqmodel", "awq": "gptqmodel", "compressed-tensors": "compressed-tensors",
    "torchao": "torchao", "hqq": "hqq", "quanto": "optimum-quanto", "eetq": "eetq", "aqlm": "aqlm", "vptq": "vptq",
    "fbgemm_fp8": "fbgemm-gpu", "fp8": "kernels", "mxfp4": "kernels", "quark": "amd-quark",
}  # fmt: skip
"""The package that reads each kind of quantised weights."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights in a folder.

    Attributes
    ----------
    files : tuple of Path
        Safetensors files that are read: those that the index names, or model.safetensors.
    missing : tuple of str
        Files that the index names and that are not there.
    others : tuple of str
        Weights that are not read: in other formats, or safetensors that are no part of the model.
    ambiguous : bool
        There is a model.safetensors beside an index that does not name it.
    """

    files: tuple[Path, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...]
    ambiguous: bool = False

    @property
    def complete(self) -> bool:
        """Whether nothing is missing; files that were cut short are found by `size_of` only."""
        return bool(self.files) and not self.missing


def weights(folder: Path) -> Weights:
    """List the weights of a checkpoint folder, by its index where it has one."""
    index = json_object(folder / INDEX)
    named = sorted({str(name) for name in index.get("weight_map", {}).values()})
    single = folder / SINGLE
    read = [folder / name for name in named] if named else [single]
    others = {path.name for pattern in ("*.safetensors", *_OTHER_FORMATS) for path in folder.glob(pattern)}
    unread = {
        name for name in others - {path.name for path in read} if not name.startswith(("adapter_", *_OF_TRAINING))
    }
    return Weights(
        files=tuple(path for path in read if path.is_file()),
        missing=tuple(name for name in named if not (folder / name).is_file()),
        others=tuple(sorted(unread)),
        ambiguous=bool(named) and single.is_file() and SINGLE not in named,
    )


def unread_sentence(folder: Path, spared: Sequence[str] = ()) -> tuple[str, ...]:
    """Return, for the record, that weights were not read: files of the folder, and what the patterns spare."""
    found = weights(folder)
    said = (f"Weights of the patterns {', '.join(spared)} are not read, as the registry says.",) if spared else ()
    if not found.others:
        return said
    return (
        *said,
        f"Not read, though it is in the checkpoint's folder: {', '.join(found.others)}. The answers are those of "
        f"{found.files[0].name}{' and what belongs to it' if len(found.files) > 1 else ''}.",
    )


def own_dtype(folder: Path) -> str:
    """Return the dtype that a checkpoint is to be loaded in by its own word: its config's, else its weights'.

    Returns
    -------
    str
        ``float32``, ``bfloat16`` or ``float16``; float32 where it has another, or tells none.
    """
    config = json_object(folder / "config.json")
    inner = config.get("text_config")
    for part in (config, inner if isinstance(inner, dict) else {}):
        told = str(part.get("dtype") or part.get("torch_dtype") or "").removeprefix("torch.")
        if told in _DTYPES.values():
            return told
    return _DTYPES.get(_stored_dtype(folder), "float32")


def _stored_dtype(folder: Path) -> str:
    """Return the dtype of the largest tensor, in safetensors' letters; empty where it cannot be read."""
    largest, found = 0, ""
    for path in weights(folder).files:
        for tensor in safetensors_header(path).values():
            size = math.prod(tensor.get("shape", [0]))
            if size > largest:
                largest, found = size, str(tensor.get("dtype", ""))
    return found


def safetensors_header(path: Path) -> dict[str, dict[str, Any]]:
    """Return what a safetensors file says of its tensors, by name; empty when it cannot be read."""
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json_value(stream.read(min(length, path.stat().st_size)))
    except (OSError, ValueError):
        return {}
    if not isinstance(header, dict):
        return {}
    return {k: v for k, v in header.items() if isinstance(v, dict) and k != "__metadata__"}


def quantisation(folder: Path) -> tuple[str, str] | None:
    """Return how a checkpoint's weights are quantised and the package that reads them; None where they are not.

    The package is empty for a kind that is not known here.
    """
    config = json_object(folder / "config.json")
    inner = config.get("text_config")
    for part in (config, inner if isinstance(inner, dict) else {}):
        told = part.get("quantization_config")
        if isinstance(told, dict):
            method = str(told.get("quant_method") or "bitsandbytes")  # the first kind there was has no name
            return method, QUANTISERS.get(method, "")
    return None


def has_template(folder: Path) -> bool:
    """Whether a folder has a chat template, in any place where transformers looks for it."""
    return any((folder / name).is_file() for name in TEMPLATES) or any(
        "chat_template" in json_object(folder / name) for name in ("tokenizer_config.json", *PROCESSORS)
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
        if (folder / "config.json").is_file():
            raise AuditkitError(
                f"--model={name}: its config.json is empty, damaged or no JSON object.",
                "Copy or download the checkpoint again.",
            )
        gguf = sorted(folder.glob("*.gguf"))
        if gguf:
            raise AuditkitError(f"--model={name} holds {gguf[0].name}, which is for llama.cpp.", serve_gguf(gguf[0]))
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
        "a class with generate(requests): --model=package.module:attribute.",
    )


def serve_gguf(file: Path) -> str:
    """Return the lines to type for weights in llama.cpp's format."""
    return (
        f"Serve it: llama-server -m {file} --mmproj MMPROJ.gguf --alias NAME --port 8080\n"
        "and ask the server: --model=NAME --audit-endpoint=http://127.0.0.1:8080/v1"
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
    """Refuse a folder with no weights in safetensors (reading other formats can run code), or with two models."""
    found = weights(folder)
    if not found.files:
        gguf = [other for other in found.others if other.endswith(".gguf")]
        if gguf:
            raise AuditkitError(
                f"--model={name}: {folder} holds no {SINGLE} but {gguf[0]}, which is for llama.cpp.",
                serve_gguf(folder / gguf[0]),
            )
        raise AuditkitError(
            f"--model={name}: {folder} holds no {SINGLE}{', only ' if found.others else ''}{', '.join(found.others)}.",
            "Save the checkpoint with save_pretrained(..., safe_serialization=True); other formats are not loaded.",
        )
    if found.ambiguous:
        raise AuditkitError(
            f"--model={name}: {folder} holds two models, {SINGLE} and the files that {INDEX} names.",
            "Remove the one that is not meant.",
        )


def require_all(report: Mapping[str, Any], folder: Path, name: str, spared: Sequence[str] = ()) -> None:
    """Refuse a checkpoint whose weights are not exactly its network's, by what transformers says after loading.

    Parameters
    ----------
    report : mapping
        From ``from_pretrained(..., output_loading_info=True)``: missing weights would be made up at random, unexpected
        ones are not read, so that the answers are another model's.
    folder, name
        For the message.
    spared : sequence of str
        Patterns of unexpected weights that the registry's entry declares to be of no use (``unread``).
    """
    missing = sorted(report.get("missing_keys") or ())
    if missing:
        raise AuditkitError(
            f"--model={name}: {folder} lacks {len(missing)} weights ({', '.join(missing[:3])}); "
            "transformers would make them up at random.",
            "Save the whole model with save_pretrained.",
        )
    unread = sorted(
        key for key in report.get("unexpected_keys") or () if not any(fnmatchcase(key, pattern) for pattern in spared)
    )
    if unread:
        raise AuditkitError(
            f"--model={name}: {folder} has {len(unread)} weights that its network has no place for "
            f"({', '.join(unread[:3])}); they would not be read, so the answers would be another model's.",
            "Save the model with save_pretrained, adapters as a folder of their own. If they are of no use, say so in "
            f'the model\'s registry entry: unread = ["{unread[0]}"]',
        )


def json_object(path: Path) -> dict[str, Any]:
    """Return a JSON file's object; an empty one when the file is missing or holds anything else."""
    try:
        content = json_value(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
