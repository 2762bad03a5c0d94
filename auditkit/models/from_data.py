"""Who answers where nobody is asked: the data, which hold ratings by people and answers of others."""

from __future__ import annotations

from collections.abc import Sequence

from auditkit.models.base import Request, Response


class FromData:
    """Says what stands in the items' columns.

    The wordings of a task with ``role = "data"`` are made of columns: ``completeness: {human_completeness}``. Filled in
    for an item they are its answer, which is kept, read and counted like that of a model.
    """

    name = "the data"
    revision = ""
    fingerprint = "columns of the items"
    backend = "data"

    def generate(self, requests: Sequence[Request]) -> list[Response]:
        """Return every question as it was put: it is the answer."""
        return [Response(request.prompt) for request in requests]
