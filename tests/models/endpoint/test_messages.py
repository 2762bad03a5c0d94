import asyncio
import base64
import io
import json

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from auditkit.models.base import Request
from auditkit.models.endpoint import messages
from auditkit.models.endpoint.messages import Pictures, chat_body, data_uri, settings
from tests.models.endpoint.conftest import question


def png(uri: str) -> bytes:
    head, _, data = uri.partition(",")
    assert head == "data:image/png;base64"
    return base64.b64decode(data, validate=True)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_pixel_arrives_and_grey_stays_grey(channels):
    image = question(3, side=40, channels=channels).images[0]
    found = Image.open(io.BytesIO(png(data_uri(image))))
    assert (found.mode, found.size) == (image.mode, image.size) == ({1: "L", 3: "RGB"}[channels], (40, 40))
    assert np.array_equal(np.asarray(found), np.asarray(image))


def test_nothing_but_pixels_is_sent():
    """As an image would come from a file with a name, a comment and a colour profile in it."""
    known, stream = PngImagePlugin.PngInfo(), io.BytesIO()
    known.add_text("PatientName", "Doe^Jane")
    image = Image.new("RGB", (8, 8), (1, 2, 3))
    exif = Image.Exif()
    exif[0x9286] = "Doe^Jane"
    image.save(stream, "PNG", pnginfo=known, exif=exif, icc_profile=b"profile of a monitor", dpi=(72, 72))
    opened = Image.open(io.BytesIO(stream.getvalue()))
    opened.load()
    assert opened.info["icc_profile"]
    sent = png(data_uri(opened))
    assert b"Doe" not in sent
    chunks, at = [], 8
    while at < len(sent):
        length = int.from_bytes(sent[at : at + 4])
        chunks.append(sent[at + 4 : at + 8])
        at += length + 12
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}


def test_body_of_a_question():
    asked = Request("id", question().images * 2, "Rate this.", "You inspect.", max_new_tokens=7)
    body = json.loads(chat_body(asked, "vlm", ["uri-1", "uri-2"], settings({}), "max_tokens", False))
    image_1, image_2 = ({"type": "image_url", "image_url": {"url": f"uri-{i}"}} for i in (1, 2))
    assert body == {
        "model": "vlm",
        "messages": [
            {"role": "system", "content": "You inspect."},
            {"role": "user", "content": [image_1, image_2, {"type": "text", "text": "Rate this."}]},
        ],
        "max_tokens": 7,
        "temperature": 0,
        "seed": 0,
    }


def test_a_question_without_a_picture_is_a_text():
    asked = Request("id", (), "Rate this.", max_new_tokens=7)
    body = json.loads(chat_body(asked, "vlm", [], settings({}), "max_tokens", False))
    assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": "Rate this."}]}]


def test_body_follows_the_settings():
    fields = settings({"seed": None, "reasoning_effort": "none"})
    body = json.loads(chat_body(question(), "vlm", ["uri"], fields, "max_completion_tokens", True))
    assert body["max_completion_tokens"] == 16
    assert body["reasoning_effort"] == "none"
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)
    assert "seed" not in body
    assert "max_tokens" not in body
    assert [message["role"] for message in body["messages"]] == ["user"], "no empty system turn"


def test_an_image_is_encoded_once_and_let_go(monkeypatch):
    made = []
    monkeypatch.setattr(messages, "data_uri", lambda image: made.append(image) or data_uri(image))
    one, other = question(1), question(2)
    requests = [one, Request("again", one.images, "Another."), Request("both", one.images + other.images, "Compare.")]

    async def use():
        pictures = Pictures(requests)
        found = await asyncio.gather(*(pictures.of(request) for request in requests))
        for request in requests:
            assert pictures._made
            pictures.done(request)
        assert not pictures._made
        return found

    first, second, both = asyncio.run(use())
    assert first == second == [data_uri(one.images[0])]
    assert both == [*first, data_uri(other.images[0])]
    assert len(made) == 2
