"""Corruptions of public data sets that publish the corrupted pictures: entries without a law (``published.toml``)."""

from __future__ import annotations

import tomllib
from importlib.resources import files

from auditkit.perturbations.entry import GIVEN, Entry

_LAW = "Shows the picture that the data set publishes beside the clean one; nothing is computed."


def entries() -> dict[str, Entry]:
    """Return an entry for every published corruption, by name: ``"medmnist_c.pixelate"``.

    Examples
    --------
    >>> entries()["medmnist_c.pixelate"].strengths
    (1, 2, 3, 4, 5)
    """
    text = files("auditkit.perturbations").joinpath("published.toml").read_text(encoding="utf-8")
    found = {}
    for tier, table in tomllib.loads(text).items():
        levels = [{"severity": level} for level in range(1, table["levels"] + 1)]
        for own, label in table["names"].items():
            name = f"{tier}.{own}"
            fields = {"label": f"{label} ({table['label']})", "tier": tier, "levels": levels, "law": _LAW}
            fields |= {"rationale": table["rationale"], "source": table["source"]}
            found[name] = Entry.from_table(name, {"stage": "display", "function": GIVEN, **fields}, "published.toml")
    return found
