"""The known models in a table, and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.util import find_spec

from auditkit.models.registry import OWN_FILE, Entry

_HEAD = ("name", "family", "size", "for", "back end", "licence", "where")


def where(entry: Entry) -> str:
    """Return in two words where a model is: ships, server, folder, in cache, not here, cannot load."""
    if entry.unsupported:
        return "cannot load"
    if entry.checkpoint is not None:
        return "ships"
    if entry.base_url is not None:
        return "server"
    if entry.folder is not None:
        return "folder"
    if find_spec("huggingface_hub") is None:
        return "not here"
    from auditkit.models.on_disk import snapshot, weights

    folder = snapshot(entry.repository or "", entry.revision)
    return "in cache" if folder is not None and weights(folder).complete else "not here"


def as_table(entries: Iterable[Entry]) -> str:
    """Return one line per model, in 100 columns where no name is longer than the shipped ones, and a last word."""
    rows = [_HEAD, *map(_row, entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(
        [
            *lines,
            "",
            f"Add your own in {OWN_FILE}: docs/models.md.",
            "--model also takes ./folder of a checkpoint and package.module:attribute.",
            "`auditkit doctor --model NAME` says what is missing for one of them, and what to type.",
        ]
    )


def as_json(entries: Iterable[Entry]) -> str:
    """Return a JSON list of the entries, each with all its keys and ``where``."""
    return json.dumps([{**entry.model_dump(), "where": where(entry)} for entry in entries], indent=1)


def _row(entry: Entry) -> tuple[str, ...]:
    count = entry.parameters
    size = "" if count is None else f"{count:.1f}B" if count >= 1 else f"{count * 1e3:.0f}M"
    return (
        entry.name,
        entry.family,
        size,
        "medicine" if entry.medical else "general",
        entry.backend,
        f"{entry.licence}, gated" if entry.gated else entry.licence,
        where(entry),
    )
