"""Models and questions for the tests of the HTTP back end, and a real server of a real checkpoint."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit.models.base import ModelOptions, Request
from auditkit.models.endpoint import EndpointModel, model, patience
from tests.models.endpoint.faults import SERVED


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("AUDITKIT_API_KEY", raising=False)


@pytest.fixture
def short_waits(monkeypatch):
    """Back-off in hundredths of a second: what is tested is what happens, not how long it takes."""
    monkeypatch.setattr(patience, "WAIT", (0.01, 0.05))


@pytest.fixture
def endpoint() -> Iterator:
    """Makes models, and closes them."""
    made: list[EndpointModel] = []

    def endpoint(server, served=SERVED, *, with_=None, **options):
        """Options of `ModelOptions` by name; what the constructor takes beside them in a dict."""
        address = server if isinstance(server, str) else server.url
        asked = ModelOptions(**({"deadline": 10.0} | options))
        made.append(EndpointModel(address, served, name="m", options=asked, **(with_ or {})))
        return made[-1]

    yield endpoint
    for one in made:
        one.close()


@pytest.fixture
def short_contact(monkeypatch):
    """A server that is not there is given up after a second."""
    monkeypatch.setattr(model, "FIRST_CONTACT", 1.0)


def question(number: int = 0, *, side: int = 16, channels: int = 1, **others) -> Request:
    """A question about an image of its own."""
    shape = (side, side) if channels == 1 else (side, side, channels)
    pixels = np.random.default_rng(number).integers(0, 256, shape, dtype=np.uint8)
    return Request(f"q{number}", (Image.fromarray(pixels),), f"Rate number {number}.", **others)


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.fixture(scope="session")
def real_server(tmp_path_factory) -> Iterator[tuple[int, str]]:
    """``transformers serve`` with the reference checkpoint: its port, and the name that it serves."""
    pytest.importorskip("fastapi")
    from auditkit.models.reference import checkpoint

    folder, port = str(checkpoint("reference")), free_port()
    log = tmp_path_factory.mktemp("serve") / "log"
    command = [Path(sys.executable).with_name("transformers"), "serve", folder, "--device", "cpu"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*map(str, command), "--host", "127.0.0.1", "--port", str(port)],
            stdout=stream, stderr=stream, env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.2)
        yield port, folder
    finally:
        process.terminate()
        process.wait(20)
