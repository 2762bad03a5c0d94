"""Hooks for third parties: a package that registers a pytest plugin may implement these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from auditkit.images.item import ImageSet
    from auditkit.models.base import Model
    from auditkit.perturbations import Entry


@pytest.hookspec(firstresult=True)
def pytest_auditkit_model(name: str) -> Model | None:
    """Give the model that ``--model=NAME`` stands for, or None when the name is not yours.

    Asked before the registry and the folders are looked at. Example::

        def pytest_auditkit_model(name):
            return MyModel() if name == "my-model" else None
    """


@pytest.hookspec(firstresult=True)
def pytest_auditkit_items(source: str, salt: str, max_side: int) -> ImageSet | None:
    """Give the items that ``--audit-data=SRC`` stands for, or None when the source is not yours.

    Identifiers must be hashed with the salt (`auditkit.salted_hash`); what a record has under ``attributes`` are the
    columns that families can decide by. Example::

        def pytest_auditkit_items(source, salt, max_side):
            return read_pacs(source, salt) if source.startswith("pacs:") else None
    """


@pytest.hookspec
def pytest_auditkit_perturbations() -> Mapping[str, Entry] | None:
    """Give perturbations by name; a protocol that lists one under ``covers`` may use it.

    The function behind an entry is pure: it takes the pixels, a key that all its randomness comes from, and the
    parameters of the level. Example::

        def pytest_auditkit_perturbations():
            return {
                "grid": auditkit.Entry(
                    name="grid", label="Anti-scatter grid", stage="display", tier="ours",
                    function="my_package.laws:grid", levels=({"period": 8}, {"period": 4}),
                    law="Darkens every n-th line.", rationale="A grid out of focus.", source="our own",
                )
            }
    """


@pytest.hookspec
def pytest_auditkit_scorers() -> Mapping[str, Any] | None:
    """Give ways to read answers, by the name that a task's ``scorer`` may give.

    Each is a class (`auditkit.Scorer`) that is called with the arguments of the task's table. Example::

        def pytest_auditkit_scorers():
            return {"stars": my_package.scorers.Stars}      # [tasks.quality_in_stars]  scorer = { stars = { of = 5 } }
    """
