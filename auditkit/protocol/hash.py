"""SHA-256 of criteria and entries: the same wherever they are computed."""

from __future__ import annotations

import hashlib
import json


def digest(content: object) -> str:
    """Return the SHA-256 (64 hex digits) over content as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
