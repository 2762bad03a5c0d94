"""From a request to the body of a chat completion."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auditkit.models.base import Request

if TYPE_CHECKING:
    from PIL.Image import Image

TOP = 20
"""Most alternatives to the first token that the interface gives."""


def settings(extra: Mapping[str, Any], omit: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields that every request has: greedy, seeded, and the user's own, without those to leave out."""
    fields = {"temperature": 0, "seed": 0, **extra}
    return {name: value for name, value in fields.items() if value is not None and name not in omit}


def chat_body(
    request: Request, served: str, uris: Sequence[str], fields: Mapping[str, Any], length: str, logprobs: bool
) -> bytes:
    """Return the JSON of one question: system turn, images, text.

    Parameters
    ----------
    request : Request
        The question.
    served : str
        Name of the model as the server knows it.
    uris : sequence of str
        Its images, as `data_uri` gives them; put before the text.
    fields : mapping
        From `settings`.
    length : str
        Name of the field for the upper limit: ``max_tokens``, or ``max_completion_tokens``; empty to send none.
    logprobs : bool
        Whether to ask for log-probabilities of the first token.
    """
    content: list[dict[str, Any]] = [{"type": "image_url", "image_url": {"url": uri}} for uri in uris]
    content.append({"type": "text", "text": request.prompt})
    messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
    if request.system:
        messages.insert(0, {"role": "system", "content": request.system})
    limit = {length: request.max_new_tokens} if length else {}
    body = {"model": served, "messages": messages, **limit, **fields}
    if logprobs:
        body |= {"logprobs": True, "top_logprobs": TOP}
    return json.dumps(body).encode()


def folded(request: Request) -> Request:
    """Return the question with its system turn before the user's text, as local checkpoints without the role get it."""
    return replace(request, system=None, prompt=f"{request.system}\n\n{request.prompt}") if request.system else request


def data_uri(image: Image) -> str:
    """Return the image as a PNG in a data URI: the pixels as they are (grey stays one channel), and nothing else."""
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    stream = io.BytesIO()
    # Level 1 takes 1.7 ms for 224 x 224; a colour profile would be another way for a server to change the pixels.
    image.save(stream, "PNG", compress_level=1, icc_profile=None)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def plain_question() -> Request:
    """Return a question that every server should take: one token about a small grey picture."""
    from PIL import Image

    return Request("plain", (Image.new("L", (64, 64), 128),), "Say yes.", max_new_tokens=1)


class Pictures:
    """Data URIs of a call's images: each made once, when it is first needed, and let go after its last use.

    The engine passes the same object for the same pixels, and many questions are about one image.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._uses = Counter(id(image) for request in requests for image in request.images)
        self._made: dict[int, asyncio.Task[str]] = {}

    async def of(self, request: Request) -> list[str]:
        """Return the data URIs of a request's images; they are encoded beside the event loop."""
        for image in request.images:
            if id(image) not in self._made:
                self._made[id(image)] = asyncio.create_task(asyncio.to_thread(data_uri, image))
        return [await self._made[id(image)] for image in request.images]

    def done(self, request: Request) -> None:
        """Say that a request needs its images no more."""
        for image in request.images:
            self._uses[id(image)] -= 1
            if not self._uses[id(image)]:
                self._made.pop(id(image), None)
