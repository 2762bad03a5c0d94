"""Checkpoints of the true architectures, each built once for all tests of the local back ends."""

from __future__ import annotations

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from collections.abc import Callable
from pathlib import Path

import pytest

from auditkit.testing import tiny_checkpoint


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
