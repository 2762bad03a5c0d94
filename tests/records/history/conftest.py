"""Folders of runs: ten versions of one model, written once."""

from pathlib import Path

import pytest

from auditkit.evidence import Evidence
from auditkit.evidence.history import History
from auditkit.records.history import history, of_model, search
from tests.records.history.made_up import EFFECTS, ten_versions, write

IMAGES = {"ct": 40, "mr": 40}
WORDS = tuple(effect for effect in EFFECTS if effect.family == "metadata")


@pytest.fixture(scope="session")
def versions(protocol) -> list[Evidence]:
    """Ten versions, one effect growing by half its margin in all; held against the first one."""
    return ten_versions(protocol, IMAGES, effects=WORDS, jump_at=99, anchored=True)


def written(folder: Path, evidences, model: str | None = None) -> History:
    """Write records as runs do and read their history."""
    for evidence in evidences:
        write(evidence, folder)
    searched = search(folder)
    runs, others = of_model(searched, model)
    return history(runs, searched.folder, searched.left_out, others)
