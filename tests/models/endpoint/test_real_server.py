"""A real server of a real checkpoint, over real HTTP, beside the same checkpoint in this process."""

import numpy as np
from PIL import Image

from auditkit.models.base import Request
from auditkit.models.endpoint import probe
from auditkit.models.local import LocalModel
from auditkit.models.reference import checkpoint
from tests.models.conftest import ALL_WORDS, request_of
from tests.models.endpoint.faults import Breaking, mixture


def requests() -> list[Request]:
    """Every wording about four images of different quality, of which one is in colour."""
    images = []
    for step in range(4):
        ramp = np.add.outer(np.arange(128), np.arange(128)) * (0.3 + 0.2 * step)
        pixels = ramp + np.random.default_rng(step).normal(0, 5 + 20 * step, (128, 128))
        grey = np.clip(pixels, 0, 255).astype(np.uint8)
        images.append(Image.fromarray(np.stack([grey, grey[::-1], grey], -1) if step == 3 else grey))
    return [request_of(image, words) for words in ALL_WORDS for image in images]


def test_answers_over_http_equal_those_in_process(real_server, endpoint):
    port, served = real_server
    asked = requests()
    assert len(asked) >= 30
    assert any(request.system for request in asked)
    there = endpoint(f"http://127.0.0.1:{port}/v1", served, deadline=60.0).generate(asked)
    # The server loads a checkpoint in its own dtype, which is float16 here.
    here = LocalModel(checkpoint("reference"), name="reference", dtype="float16").generate(asked)
    assert [(r.text, r.finish_reason, r.error) for r in there] == [(r.text, r.finish_reason, None) for r in here]
    assert len({r.text for r in there}) > 5, "the images and questions make a difference"


def test_answers_through_a_proxy_that_breaks_things(real_server, endpoint, short_waits):
    port, served = real_server
    asked = requests()
    kinds = ("429", "500", "503", "reset", "half", "garbage", "other-shape", "wrong-model", "no-choices")
    straight = endpoint(f"http://127.0.0.1:{port}/v1", served, deadline=60.0).generate(asked)
    with Breaking(port, mixture(4, 0.4, kinds)) as server:
        broken = endpoint(server, served, deadline=60.0).generate(asked)
        assert broken == straight
        assert sum(server.faults.values()) > 10


def test_probe_of_a_real_server(real_server):
    port, served = real_server
    ok, found, remedy = probe(f"http://127.0.0.1:{port}/v1", served)
    assert (ok, remedy) == (True, ""), found
    ok, found, _ = probe(f"http://127.0.0.1:{port}/v1", "another")
    assert not ok
    assert "another" in found
