"""Requests per second through the HTTP back end, beside a bare HTTP loop and the `openai` client.

The server is a process of its own that reads and parses every request and answers at once, so what is measured is the
client. All three send the same questions about the same 224 x 224 grey phantoms, 16 at a time; the bare loop has its
bodies made beforehand and checks nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from auditkit.images.phantoms import phantom
from auditkit.models.base import ModelOptions, Request
from auditkit.models.endpoint import EndpointModel
from auditkit.models.endpoint.messages import chat_body, data_uri, settings

IMAGES = 64
PER_IMAGE = 32
AT_ONCE = 16
ROUNDS = 5

Seconds = tuple[float, float]
"""Wall time and this process's processor time."""

_SERVER = r"""
import asyncio, json

class Answering(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.held, self.length = transport, bytearray(), None

    def data_received(self, data):
        self.held += data
        while True:
            if self.length is None:
                end = self.held.find(b"\r\n\r\n")
                if end < 0:
                    return
                head = bytes(self.held[:end]).lower()
                del self.held[: end + 4]
                at = head.find(b"content-length:")
                self.length = int(head[at + 15 :].split(b"\r\n")[0]) if at >= 0 else 0
            if len(self.held) < self.length:
                return
            body = bytes(self.held[: self.length])
            del self.held[: self.length]
            self.length = None
            model = json.loads(body)["model"] if body else ""
            choice = {"index": 0, "message": {"role": "assistant", "content": "70"}, "finish_reason": "stop"}
            reply = {"id": "x", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
            text = json.dumps(reply).encode()
            head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(text)
            self.transport.write(head + text)

async def main():
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def questions() -> list[Request]:
    """Return the questions, image by image as the engine asks them; the images are new objects each time."""
    images = [Image.fromarray(pixels) for pixels in _PIXELS]
    return [
        Request(f"{i}.{j}", (image,), f"Rate the technical quality of this image from 0 to 100. Reader {j}.")
        for i, image in enumerate(images)
        for j in range(PER_IMAGE)
    ]


_PIXELS: list[np.ndarray] = []


def bare(url: str) -> Seconds:
    """Post bodies that are ready; return what it took."""
    import httpx2

    asked = questions()
    uris = {id(r.images[0]): data_uri(r.images[0]) for r in asked}
    bodies = [chat_body(r, "stub", [uris[id(r.images[0])]], settings({}), "max_tokens", False) for r in asked]

    async def ask() -> None:
        limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        async with httpx2.AsyncClient(limits=limits, timeout=None) as http:
            left = iter(bodies)

            async def work() -> None:
                for body in left:
                    reply = await http.post(f"{url}/chat/completions", content=body)
                    assert reply.json()["choices"]

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    return _timed(lambda: asyncio.run(ask()))


def peer(url: str) -> Seconds:
    """Ask through the `openai` client, which a user would write a loop around; return what it took."""
    from openai import AsyncOpenAI

    asked = questions()

    async def ask() -> None:
        async with AsyncOpenAI(base_url=url, api_key="none") as client:
            uris: dict[int, str] = {}
            left = iter(asked)

            async def work() -> None:
                for request in left:
                    image = request.images[0]
                    if id(image) not in uris:
                        uris[id(image)] = data_uri(image)
                    content = [
                        {"type": "image_url", "image_url": {"url": uris[id(image)]}},
                        {"type": "text", "text": request.prompt},
                    ]
                    reply = await client.chat.completions.create(
                        model="stub", messages=[{"role": "user", "content": content}], max_tokens=16, **settings({})
                    )
                    assert reply.choices[0].message.content == "70"

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    return _timed(lambda: asyncio.run(ask()))


def auditkit(url: str) -> Seconds:
    """Ask through `EndpointModel.generate`, PNG included; return what it took."""
    asked = questions()
    model = EndpointModel(url, "stub", name="stub", options=ModelOptions(concurrency=AT_ONCE))
    assert model.fingerprint
    seconds = _timed(lambda: _checked(model, asked))
    model.close()
    return seconds


def _checked(model: EndpointModel, asked: list[Request]) -> None:
    assert all(response.text == "70" for response in model.generate(asked))


def _timed(work: Callable[[], None]) -> Seconds:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """Print medians of alternating rounds: requests per second, processor time per request, and the ratio."""
    count = IMAGES * PER_IMAGE
    _PIXELS[:] = [phantom(("ct", "mr", "xray", "ultrasound")[i % 4], seed=i, size=224) for i in range(IMAGES)]
    size = statistics.median(len(data_uri(Image.fromarray(pixels))) for pixels in _PIXELS)
    rows: dict[str, Callable[[str], Seconds]] = {
        "bare httpx2 loop, bodies ready": bare,
        "openai client": peer,
        "EndpointModel.generate": auditkit,
    }
    took: dict[str, list[Seconds]] = {row: [] for row in rows}
    server = subprocess.Popen([sys.executable, "-c", _SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        for _ in range(ROUNDS):
            for row, run in rows.items():
                took[row].append(run(url))
    finally:
        server.terminate()
        server.wait(10)
    wall = {row: statistics.median(seconds[0] for seconds in took[row]) for row in rows}
    work = {row: statistics.median(seconds[1] for seconds in took[row]) for row in rows}
    print(
        f"{count} questions about {IMAGES} grey phantoms of 224 x 224 ({size / 1000:.0f} kB as a data URI), "
        f"{AT_ONCE} at a time; medians of {ROUNDS} alternating rounds. `python -m bench endpoint`\n"
    )
    print("| client | requests/s | client's processor ms per request | ratio of processor time |\n|---|---|---|---|")
    for row in rows:
        ratio = work[row] / work["bare httpx2 loop, bodies ready"]
        print(f"| {row} | {count / wall[row]:.0f} | {1000 * work[row] / count:.2f} | {ratio:.2f} |")
