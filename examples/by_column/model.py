"""A model that refuses what one scanner delivers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from auditkit import Request, Response


class Shy:
    """Answers 70, but refuses pictures with a black frame, which only the scanner "south" makes."""

    name = "shy"
    revision = "1"
    fingerprint = "shy 1"

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Answer every request."""
        return [Response("I'm sorry, I can't assist." if framed(request) else "70") for request in requests]


def framed(request: Request) -> bool:
    """Tell whether the first rows are black."""
    return bool(np.asarray(request.images[0])[:3].max() < 20)


shy = Shy()
