"""The statements that stand for the answers to a template, read from ``class_texts.toml``."""

from __future__ import annotations

import hashlib
import json
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from auditkit.tasks import Template

SCALES = ("score_100", "rating_5")
"""Formats answered by the share of ``high`` against ``low``; the others have one class per choice."""

_SLOT = "{option}"


def class_texts(template: Template, sentence: str = "") -> dict[str, tuple[str, ...]]:
    """Return what an image is compared with to answer a template.

    Parameters
    ----------
    template : Template
        The question; of its wording only the options' texts are used.
    sentence : str
        The context sentence. It follows every statement of every class, because it would be said whatever the image.

    Returns
    -------
    dict of str to tuple of str
        Statements by class: ``high`` and ``low`` for a number or a rating, otherwise the template's choices.
    """
    data = _data()
    found: dict[str, list[str]]
    if template.format == "options":
        frames = next((e["frames"] for e in data["options"] if template.id in e["templates"]), [_SLOT])
        found = {o.letter: [frame.replace(_SLOT, o.text) for frame in frames] for o in template.options}
    else:
        found = data["scale" if template.format in SCALES else template.format]
    return {name: tuple(f"{text} {sentence}".rstrip() for text in texts) for name, texts in found.items()}


def texts_digest() -> str:
    """Return the SHA-256 (hex) over all statements; comments and layout of the file do not count."""
    return hashlib.sha256(json.dumps(_data(), sort_keys=True).encode()).hexdigest()


@cache
def _data() -> dict[str, Any]:
    source = resources.files("auditkit.models.dual_encoder").joinpath("class_texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(source)
