"""Hooks for third parties: a package that registers a pytest plugin may implement these."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from auditkit.images.record import ImageSet
    from auditkit.models.base import Model


@pytest.hookspec(firstresult=True)
def pytest_auditkit_model(name: str) -> Model | None:
    """Give the model that ``--model NAME`` stands for, or None when the name is not yours.

    Asked before the registry and the folders are looked at. Example::

        def pytest_auditkit_model(name):
            return MyModel() if name == "my-model" else None
    """


@pytest.hookspec(firstresult=True)
def pytest_auditkit_images(source: str, salt: str, max_side: int) -> ImageSet | None:
    """Give the images that ``--audit-data SRC`` stands for, or None when the source is not yours.

    Identifiers must be hashed with the salt (`auditkit.images.record.salted_hash`). Example::

        def pytest_auditkit_images(source, salt, max_side):
            return read_pacs(source, salt) if source.startswith("pacs:") else None
    """
