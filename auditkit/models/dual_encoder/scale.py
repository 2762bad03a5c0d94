"""The logit scale of a checkpoint, read from its weights without loading them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

_NAME = "logit_scale"
_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_LONGEST = 100_000_000  # what the format allows for the table at the beginning of a file


def scale_of(path: Path) -> float | None:
    """Return exp of a checkpoint folder's ``logit_scale``; None where no file shows it.

    Only the table at the beginning of each file and one number are read. Files that are damaged show nothing here;
    loading them says so.
    """
    for file in sorted(path.glob("*.safetensors")):
        try:
            found = _read(file)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
            continue
        if found is not None and math.isfinite(found):
            return found
    return None


def _read(file: Path) -> float | None:
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if length > _LONGEST:
            return None
        entry = json.loads(stream.read(length)).get(_NAME)
        if entry is None:
            return None
        start, end = entry["data_offsets"]
        stream.seek(8 + length + start)
        data = stream.read(end - start)
    if entry["dtype"] == "BF16":  # the upper half of a float32
        return math.exp(float(np.frombuffer(b"\0\0" + data, "<f4")[0]))
    return math.exp(float(np.frombuffer(data, _DTYPES[entry["dtype"]])[0]))
