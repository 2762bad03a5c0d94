"""Adapters (LoRA and its kin): small weights that are put on a base model, in a folder of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from auditkit.errors import AuditkitError
from auditkit.models.on_disk import PROCESSORS, TEMPLATES, TOKENIZERS, has_template, json_object, weights
from auditkit.version import install_line

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_ANSWERING = (*TOKENIZERS, *PROCESSORS, *TEMPLATES, "merges.txt", "added_tokens.json")
"""Files of a processor that can change an answer."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter folder.

    Attributes
    ----------
    folder : Path
        Where it is.
    kind : str
        As peft names it: ``LORA``.
    base : str
        What it names as its base: a repository of the hub, or a folder on the machine that it was trained on.
    revision : str or None
        Commit of that repository, where it names one.
    """

    folder: Path
    kind: str
    base: str
    revision: str | None


def is_adapter(folder: Path) -> bool:
    """Whether a folder has an adapter in it, alone or beside a whole model."""
    return (folder / CONFIG).is_file() or any(folder.glob("adapter_model*"))


def adapter_in(folder: Path, name: str) -> Adapter:
    """Return the adapter in a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Holds adapter_config.json and adapter_model.safetensors.
    name : str
        What was given as --model, for messages.

    Raises
    ------
    AuditkitError
        When there is a whole model beside it, peft is missing, its weights are missing or are in another format, or
        its configuration cannot be read.
    """
    if weights(folder).files or weights(folder).missing:
        raise AuditkitError(
            f"--model={name}: {folder} holds a whole model and an adapter ({CONFIG}), so it does not tell which of the "
            "two is meant.",
            f"For the model with the adapter: move adapter_* into a folder of their own and give "
            f"--model=./that-folder --audit-base={folder}\nFor the model alone: remove adapter_* from the folder.",
        )
    config = json_object(folder / CONFIG)
    if not config.get("peft_type"):
        raise AuditkitError(
            f"--model={name}: {folder / CONFIG} is not there, damaged, or names no peft_type.",
            "Copy the adapter's folder again, as PeftModel.save_pretrained writes it.",
        )
    if not (folder / WEIGHTS).is_file():
        others = sorted(path.name for path in folder.glob("adapter_model*"))
        raise AuditkitError(
            f"--model={name}: {folder} holds no {WEIGHTS}"
            + (f"; {', '.join(others)} is in a format that can run code when it is read." if others else "."),
            "Save it with model.save_pretrained(folder), which writes safetensors.",
        )
    if find_spec("peft") is None:
        raise AuditkitError(
            f"--model={name} is an adapter ({config['peft_type']}), and peft, which reads it, is not installed.",
            f"Install with: {install_line('peft')}",
        )
    revision = config.get("revision")
    base = str(config.get("base_model_name_or_path") or "")
    return Adapter(folder, str(config["peft_type"]), base, str(revision) if revision else None)


def processor_folder(adapter: Path, base: Path, name: str) -> Path:
    """Return which folder's processor is used: the adapter's own where it is whole, else the base's.

    Raises
    ------
    AuditkitError
        When the adapter brings a part of one that differs from the base's: it would not be read.
    """
    tokenizer, pictures = (any((adapter / file).is_file() for file in kind) for kind in (TOKENIZERS, PROCESSORS))
    if tokenizer and pictures and has_template(adapter):
        return adapter
    other = sorted(_differing(adapter, base))
    if other:
        raise AuditkitError(
            f"--model={name}: the adapter's folder has a part of a processor that differs from its base's "
            f"({', '.join(other)}), and not the rest.",
            f"To use them, copy the rest of the processor's files from {base} into {adapter}; else remove them.",
        )
    return base


def _differing(adapter: Path, base: Path) -> Iterable[str]:
    for name in _ANSWERING:
        mine, theirs = adapter / name, base / name
        if mine.is_file() and not (theirs.is_file() and mine.read_bytes() == theirs.read_bytes()):
            yield name
    own = json_object(adapter / "tokenizer_config.json").get("chat_template")
    if own is not None and own != json_object(base / "tokenizer_config.json").get("chat_template"):
        yield "chat_template in tokenizer_config.json"
