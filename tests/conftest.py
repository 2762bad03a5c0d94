"""Small pieces that several rooms' tests need: records made of noise, a model that is a function, a store."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import settings

from auditkit.ask.store import Store
from auditkit.images.item import Item, Picture
from auditkit.models.base import Request, Response
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from tests.forked import Forked

pytest_plugins = ["pytester"]

# How long an example takes is the machine's, and it may be busy.
settings.register_profile("auditkit", deadline=None)
settings.load_profile("auditkit")


class FunctionModel:
    """A model that answers by a function of the request and remembers what it was asked."""

    name = "function"
    revision = "1"
    fingerprint = "weights-1"

    def __init__(self, answer: Callable[[Request], object] = lambda request: "70") -> None:
        self.answer = answer
        self.batches: list[list[Request]] = []

    def generate(self, requests):
        self.batches.append(list(requests))
        answers = [self.answer(request) for request in requests]
        return [Response(a) if isinstance(a, str) else a for a in answers]

    @property
    def asked(self) -> list[str]:
        return [request.id for batch in self.batches for request in batch]


class Records:
    """Makes records whose pixels are noise seeded by their number, and counts how often each is read."""

    def __init__(self) -> None:
        self.reads: dict[str, int] = {}

    def __call__(self, n: int, *, side: int = 24, modalities=("ct", "xray"), patients: int | None = None, prefix="i"):
        return tuple(self.one(f"{prefix}{i:04d}", i, side, modalities[i % len(modalities)], patients) for i in range(n))

    def one(self, name: str, seed: int, side: int = 24, modality: str = "ct", patients: int | None = None):
        def read():
            self.reads[name] = self.reads.get(name, 0) + 1
            return np.random.default_rng(seed).integers(40, 200, (side, side), dtype=np.uint8)

        return Item(
            id=name,
            cluster=f"p{seed if patients is None else seed % patients}",
            modality=modality,
            pictures=(Picture(hashlib.sha256(f"{name} {seed} {side}".encode()).hexdigest(), read),),
            synthetic=True,
            source="noise",
            name=f"{name}.png",
        )


@pytest.fixture
def records() -> Records:
    return Records()


@pytest.fixture
def function_model() -> type[FunctionModel]:
    return FunctionModel


@pytest.fixture(scope="session")
def protocol(pytestconfig) -> Protocol:
    return load_protocol(pytestconfig.rootpath / "audits" / "protocol.toml")


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Runs commands in processes that need not import the package first."""
    with Forked() as started:
        yield started


@pytest.fixture
def rng(request) -> np.random.Generator:
    """Draws of the test's own: what it sees depends on its name alone, not on which tests ran before it."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = Store(str(tmp_path / "answers.sqlite"))
    yield opened
    opened.close()
