"""Checkpoints of the true architectures, each built once for all tests, and questions to put to them."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Callable
from pathlib import Path

import pytest

from auditkit import tasks
from auditkit.models.base import Request
from auditkit.protocol.catalogue import Catalogue
from auditkit.testing import tiny_checkpoint
from auditkit.vocabulary import Perturbation, Question

SHIPPED = Catalogue.of({}, {}, "quality.direct")
ALL_WORDS = [f"{task.id}.{wording}" for task in tasks.shipped().values() for wording in task.wordings]


def request_of(image, words: str = "quality.direct", *said: str, limit: int | None = None) -> Request:
    """Return a question of the catalogue as the engine makes it, with sentences put after it by their names."""
    task, _, wording = words.rpartition(".")
    question = SHIPPED.resolve(Question(task, wording, tuple(map(Perturbation, said))))
    prompt = SHIPPED.prompt(question)
    return Request(
        "id", (image,), prompt.user, prompt.system, prompt.choices, limit or prompt.max_new_tokens, question
    )  # fmt: skip


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], Path]:
    """``checkpoint(architecture)`` is the folder of a tiny checkpoint; what is given must not be changed."""
    built: dict[str, Path] = {}

    def checkpoint(architecture: str = "llava") -> Path:
        pytest.importorskip("torch").set_num_threads(1)
        if architecture not in built:
            built[architecture] = tiny_checkpoint(architecture, tmp_path_factory.mktemp(architecture))
        return built[architecture]

    return checkpoint
