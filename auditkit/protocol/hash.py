"""SHA-256 of criteria and entries: the same wherever they are computed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def criteria_sha256(criteria: Mapping[str, Any]) -> str:
    """Return the SHA-256 of criteria as resolved, which is how a record holds them."""
    return digest(criteria)


def protocol_sha256(parts: Mapping[str, str]) -> str:
    """Return the protocol's SHA-256 from those of its parts."""
    return digest(dict(parts))


def digest(content: object) -> str:
    """Return the SHA-256 (64 hex digits) over content as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
