"""Whether a server answers a question about an image: what `auditkit doctor` asks."""

from __future__ import annotations

import time
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.models.base import ModelOptions
from auditkit.models.endpoint.hints import hint
from auditkit.models.endpoint.messages import plain_question
from auditkit.models.endpoint.model import EndpointModel

_SECONDS = 60.0


def probe(
    base_url: str, served: str, key_variable: str = "AUDITKIT_API_KEY", *, seconds: float = _SECONDS, **how: Any
) -> tuple[bool, str, str]:
    """Ask a server one question of one token about a small grey image.

    Parameters
    ----------
    base_url, served, key_variable : str
        As for `EndpointModel`.
    seconds : float
        Deadline of the question; to reach the server takes at most 10 s.
    **how
        What else `EndpointModel` takes.

    Returns
    -------
    ok : bool
        Whether there was an answer.
    found : str
        What was found: server, model, time and answer; or what is wrong.
    remedy : str
        The line to type; empty when all is well.
    """
    model: EndpointModel | None = None
    try:
        options = ModelOptions(deadline=seconds, concurrency=1)
        model = EndpointModel(base_url, served, name=served, options=options, key_variable=key_variable, **how)
        start = time.monotonic()
        (response,) = model.generate([plain_question()])
        took = time.monotonic() - start
        if response.error is not None:
            listed = ", ".join(model.identity.listed[:10])
            remedy = f"The server lists: {listed}." if listed else "Look into the server's log."
            remedy = hint(response.error, ("temperature", "seed", "max_tokens", *how.get("extra", {}))) or remedy
            return False, f"{model.base_url}, model {served!r}: {response.error}", remedy
        return True, f"{model.description} at {model.base_url}: {response.text!r} after {took:.1f} s", ""
    except AuditkitError as error:
        return False, error.problem, error.remedy
    finally:
        if model is not None:
            model.close()
