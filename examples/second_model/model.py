"""Two models, of which one was made from the other: it scores a little higher, and words of renown move it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditkit import Request, Response


class Sharpness:
    """Scores an image by its measured sharpness.

    Parameters
    ----------
    name : str
        What it is called in reports.
    lift : float
        Points above what was measured.
    renown : float
        Points more where the words speak of an excellent reputation.
    """

    revision = "1"

    def __init__(self, name: str, lift: float = 0.0, renown: float = 0.0) -> None:
        self.name = name
        self.fingerprint = f"sharpness 1 {lift} {renown}"  # everything that changes its answers
        self._lift = lift
        self._renown = renown

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer every request."""
        return [Response(self._answer(request)) for request in requests]

    def _answer(self, request: Request) -> str:
        pixels = np.asarray(request.images[0].convert("L"), dtype=float)
        edges = np.abs(np.diff(pixels, axis=0)).mean() + np.abs(np.diff(pixels, axis=1)).mean()
        moved = self._renown if "excellent public reputation" in request.prompt else 0.0
        return f"{min(100 * edges / (edges + 10) + self._lift + moved, 100):.0f}"


plain = Sharpness("plain")
tuned = Sharpness("tuned", lift=2.0, renown=15.0)
