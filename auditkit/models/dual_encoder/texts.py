"""The statements that stand for the answers to a task, read from ``class_texts.toml``."""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from auditkit.tasks import Choice, Points, Task

SCALES = ("score_100", "score_10", "rating_5")
"""Formats answered by the share of ``high`` against ``low``; the others have one class per choice."""

_SLOT = "{option}"


def class_texts(task: Task, sentence: str = "") -> dict[str, tuple[str, ...]]:
    """Return what an image is compared with to answer a task.

    Parameters
    ----------
    task : Task
        One of those that auditkit ships. Of its words only the options' texts are used.
    sentence : str
        What is said beside the question. It follows every statement of every class, because it would be said whatever
        the image.

    Returns
    -------
    dict of str to tuple of str
        Statements by class: ``high`` and ``low`` for a number or a rating, otherwise the task's choices. Empty for a
        task whose scorer is of another kind.
    """
    data, scorer = _data(), task.scorer
    statements: dict[str, list[str]] = {}
    if isinstance(scorer, Choice):
        frames = next((entry["frames"] for entry in data["options"] if task.id in entry["tasks"]), [_SLOT])
        statements = {o.letter: [frame.replace(_SLOT, o.text) for frame in frames] for o in scorer.options}
    elif isinstance(scorer, Points):
        statements = data["scale" if scorer.format in SCALES else scorer.format]
    return {name: tuple(f"{text} {sentence}".rstrip() for text in texts) for name, texts in statements.items()}


def on_scale(task: Task) -> bool:
    """Whether a task is answered by the share of ``high`` against ``low``."""
    return isinstance(task.scorer, Points) and task.scorer.format in SCALES


def steps_of(task: Task) -> tuple[str, ...]:
    """Return the steps of a task's scale; none where it is not answered on one."""
    return task.scorer.choices or () if on_scale(task) else ()


def texts_digest() -> str:
    """Return the SHA-256 (hex) over all statements; comments and layout of the file do not count."""
    return hashlib.sha256(json.dumps(_data(), sort_keys=True).encode()).hexdigest()


@cache
def _data() -> dict[str, Any]:
    source = resources.files("auditkit.models.dual_encoder").joinpath("class_texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(source)
