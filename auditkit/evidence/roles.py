"""Who else answered in a run, beside the model that is audited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal

from auditkit.evidence.model import ModelInfo
from auditkit.evidence.run import Probes
from auditkit.evidence.values import Outcomes


class RoleInfo(ModelInfo):
    """A model whose answers audits compare with those of the audited one."""

    role: str
    """What it answers as, by the option ``--audit-with ROLE=NAME``: ``sibling``."""
    given: Literal["model", "server", "record", "data"]
    """How it was given: loaded and asked here, asked on a server, by the record of another run, or as
    columns of the data, where nobody was asked."""
    batch_size: int = 1
    """Nominal requests per call; part of every answer's key in the store. Of a record, that of its run."""
    probes: Probes = Probes()
    """What it was asked; of a record nothing."""
    outcomes: Outcomes = Outcomes()
    """Over every distinct question put to it."""
    run: str = ""
    """Of a record: the id of its run."""
    finished: str = ""
    """Of a record: when its run ended."""
    evidence_sha256: str = ""
    """Of a record: SHA-256 over the bytes of its evidence.json."""
    marks_sha256: str = ""
    """Of a record: SHA-256 over its answers as they stand in this one."""


def distinct_names(names: Mapping[str, str]) -> dict[str, str]:
    """Return what models are called by role, with the role behind a name that two of them have.

    Examples
    --------
    >>> distinct_names({"model": "gemma", "sibling": "gemma", "judge": "llava"})
    {'model': 'gemma (model)', 'sibling': 'gemma (sibling)', 'judge': 'llava'}
    """
    held = Counter(names.values())
    return {role: f"{name} ({role})" if held[name] > 1 else name for role, name in names.items()}
