"""A small vision-language model that comes with the package, and its twin with a planted bias.

The reference model lets everything be tried without a download: it is a real LLaVA-layout network, trained on
procedural phantoms by `tools/reference` of the repository. It exists for demonstrations and tests and must never see a
clinical decision. The twin differs in one habit: it is impressed by prestige, so that the audits have a known bias to
find.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

__all__ = ["CheckpointName", "checkpoint"]

CheckpointName = Literal["reference", "reference-prestige"]

_FOLDERS: Final[dict[str, str]] = {"reference": "checkpoint", "reference-prestige": "checkpoint_prestige"}


def checkpoint(name: CheckpointName = "reference") -> Path:
    """Folder of a checkpoint, ready for ``from_pretrained``.

    Parameters
    ----------
    name
        ``"reference"``, or ``"reference-prestige"`` for the twin with the planted prestige bias.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ValueError
        If there is no checkpoint of that name.
    FileNotFoundError
        If the weights are missing from the installation.
    """
    if name not in _FOLDERS:
        raise ValueError(f"unknown checkpoint {name!r}: choose one of {', '.join(_FOLDERS)}")
    folder = Path(__file__).parent / _FOLDERS[name]
    if not (folder / "model.safetensors").is_file():
        extra = " --twin" if name == "reference-prestige" else ""
        raise FileNotFoundError(
            f"no weights in {folder}: reinstall auditkit, or in a checkout run python -m tools.reference train{extra}"
        )
    return folder
