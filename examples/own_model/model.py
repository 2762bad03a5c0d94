"""A model of one's own is an object with ``generate``: requests in, as many responses out, in the same order."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from auditkit import Request, Response


class Sharpness:
    """Scores an image by its measured sharpness; knows nothing of images otherwise."""

    name = "sharpness"
    revision = "1"
    fingerprint = "sharpness 1"  # everything that changes its answers: change it with the code below

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer every request."""
        return [Response(self._answer(request)) for request in requests]

    def _answer(self, request: Request) -> str:
        if not re.search(r"\b100\b", request.prompt):
            return "I can only answer from 0 to 100."  # counted as an answer that cannot be used
        pixels = np.asarray(request.images[0].convert("L"), dtype=float)
        edges = np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean()
        return f"{100 * edges / (edges + 10):.0f}"


sharpness = Sharpness()
