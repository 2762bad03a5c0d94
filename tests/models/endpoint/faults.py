"""Real servers on loopback for the tests of the HTTP back end: one that answers, and a proxy that breaks things.

Both speak HTTP/1.1 over asyncio streams in a thread of their own, so that bytes can be sent that no framework sends.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from email.utils import formatdate
from typing import NamedTuple

SERVED = "stub-vlm"
LATER = ("429", "429-after", "429-date", "503", "reset", "half", "hang", "trickle")
ODD = ("500", "garbage", "other-shape", "a-list", "wrong-model", "no-choices", "no-message", "error-inside")
KINDS = (*LATER, *ODD)
_BEHIND = "host: 127.0.0.1\r\n"


class Heard(NamedTuple):
    """One request as it came in."""

    at: float
    path: str
    headers: dict[str, str]
    body: dict


def answer_of(body: dict) -> str:
    """What the stub says to a question: a number that everything in the question decides."""
    asked = json.dumps([body["model"], body["messages"]], sort_keys=True)
    return str(int(hashlib.sha256(asked.encode()).hexdigest(), 16) % 101)


def completion(body: dict, text: str | None = None, **changes) -> dict:
    """The reply to a question, of which any field can be changed."""
    message = {"role": "assistant", "content": answer_of(body) if text is None else text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "x", "object": "chat.completion", "model": body["model"], "choices": [choice], **changes}


class Server:
    """A server on loopback; use it in a with statement.

    Parameters
    ----------
    reply : callable
        From the body of a question to an object, or (status, object), or (status, object, headers).
    pages : dict of str to (int, object)
        Replies to GET by path; everything else is 404.
    seconds : float
        How long a question takes.
    port : int
        Where to listen; 0 for any free port.
    ssl : ssl.SSLContext or None
        To speak https.
    """

    def __init__(
        self, reply: Callable = completion, *, pages=None, seconds: float = 0.0, port: int = 0, ssl=None
    ) -> None:
        self.reply = reply
        self.pages = {"/v1/models": (200, {"data": [{"id": SERVED, "owned_by": "stub"}]})} | (pages or {})
        self.seconds = seconds
        self.heard: list[Heard] = []
        self.answered = 0
        self.under_way = self.most_under_way = 0
        self.port, self.ssl = port, ssl
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def questions(self) -> list[Heard]:
        return [heard for heard in self.heard if heard.path.endswith("/chat/completions")]

    def __enter__(self):
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port, ssl=self.ssl)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader, writer) -> None:
        try:
            while True:
                start, headers, content = await read_message(reader)
                method, path, _ = start.split(" ")
                body = json.loads(content) if content else {}
                self.heard.append(Heard(time.monotonic(), path, headers, body))
                if method == "GET":
                    await self.get(writer, path, headers)
                    continue
                self.under_way += 1
                self.most_under_way = max(self.most_under_way, self.under_way)
                try:
                    await self.post(reader, writer, body, content)
                finally:
                    self.under_way -= 1
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client has left, or this server ends
        finally:
            writer.close()

    async def get(self, writer, path: str, headers: dict[str, str]) -> None:
        send(writer, *self.pages.get(path, (404, {"detail": "Not Found"})))

    async def post(self, reader, writer, body: dict, content: bytes) -> None:
        await asyncio.sleep(self.seconds)
        reply = self.reply(body)
        status, *rest = reply if isinstance(reply, tuple) else (200, reply)
        self.answered += status == 200
        send(writer, status, *rest)
        await writer.drain()


class Breaking(Server):
    """A reverse proxy in front of a server, which does with each question what a script says.

    Parameters
    ----------
    port_behind : int
        Port of the server that it stands for.
    script : callable
        From the body of a question and how often it was put before, to a kind of fault (`KINDS`), or None to pass it
        on.
    """

    def __init__(self, port_behind: int, script: Callable[[dict, int], str | None], **options) -> None:
        super().__init__(**options)
        self.port_behind = port_behind
        self.script = script
        self.faults: Counter[str] = Counter()
        self._times: Counter[str] = Counter()

    async def get(self, writer, path: str, headers: dict[str, str]) -> None:
        await self._pass_on(writer, f"GET {path} HTTP/1.1\r\n{_BEHIND}\r\n".encode())

    async def post(self, reader, writer, body: dict, content: bytes) -> None:
        asked = json.dumps(body["messages"])
        kind = self.script(body, self._times[asked])
        self._times[asked] += 1
        if kind is None:
            length = f"content-type: application/json\r\ncontent-length: {len(content)}"
            head = f"POST /v1/chat/completions HTTP/1.1\r\n{_BEHIND}{length}\r\n\r\n"
            await self._pass_on(writer, head.encode() + content)
            self.answered += 1
            return
        self.faults[kind] += 1
        await self._break(kind, reader, writer, body)

    async def _pass_on(self, writer, message: bytes) -> None:
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", self.port_behind)
        try:
            behind.write(message)
            start, _, content = await read_message(behind_reader)
        finally:
            behind.close()
        writer.write(f"{start}\r\ncontent-length: {len(content)}\r\n\r\n".encode() + content)
        await writer.drain()

    async def _break(self, kind: str, reader, writer, body: dict) -> None:
        # None of these texts may ever be taken for an answer: 33 is a valid score.
        invented = completion(body, "33")
        match kind:
            case "429" | "500" | "503":
                send(writer, int(kind), {"error": {"message": f"injected {kind}"}})
            case "429-after":
                send(writer, 429, {"error": "injected"}, {"retry-after": "0"})
            case "429-date":
                send(writer, 429, {"error": "injected"}, {"retry-after": formatdate(usegmt=True)})
            case "reset":
                writer.transport.abort()
            case "half":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + json.dumps(invented).encode()[:-20])
                await writer.drain()
                raise ConnectionError
            case "hang":
                await reader.read(1)  # returns when the client has left
                raise ConnectionError
            case "trickle":
                text = json.dumps(invented).encode()
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(text)}\r\n\r\n".encode())
                for byte in text:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.1)
            case "garbage":
                send(writer, 200, json.dumps(invented)[:-7])
            case "other-shape":
                send(writer, 200, {"answer": "33"})
            case "a-list":
                send(writer, 200, [invented])
            case "wrong-model":
                send(writer, 200, invented | {"model": "another-model"})
            case "no-choices":
                send(writer, 200, invented | {"choices": []})
            case "no-message":
                send(writer, 200, invented | {"choices": [{"text": "33", "finish_reason": "stop"}]})
            case "error-inside":
                send(writer, 200, {"error": {"code": 502, "message": "injected"}} | invented)
            case _:
                raise AssertionError(kind)


def mixture(seed: int, share: float, kinds=KINDS, in_a_row: int = 4) -> Callable[[dict, int], str | None]:
    """A script that draws faults by question and attempt, so that the order of arrival changes nothing."""

    def script(body: dict, before: int) -> str | None:
        draw = random.Random(f"{seed} {before} {answer_of(body)} {len(json.dumps(body['messages']))}")
        return draw.choice(kinds) if before < in_a_row and draw.random() < share else None

    return script


async def read_message(reader) -> tuple[str, dict[str, str], bytes]:
    """Read one HTTP message with a content length: start line, headers, body."""
    start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return start, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def send(writer, status: int, content, headers: dict[str, str] | None = None) -> None:
    """Write one reply; text goes out as it is, everything else as JSON."""
    text = (content if isinstance(content, str) else json.dumps(content)).encode()
    lines = {"content-type": "application/json", "content-length": str(len(text)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    writer.write(f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + text)
