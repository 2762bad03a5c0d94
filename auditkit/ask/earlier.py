"""What a question of a later round is about: the answer to an earlier one, as the store holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from auditkit.images.item import Item
from auditkit.vocabulary import Probe, Question

if TYPE_CHECKING:
    from auditkit.ask.render import Renderer
    from auditkit.ask.store import Rendered, Store
    from auditkit.protocol.catalogue import Catalogue


class ByRole(Protocol):
    """Gives keys of questions, whoever is asked (`auditkit.ask.roles.RoleKeys`)."""

    def of(self, probe: Probe, rendered: Rendered, columns: Mapping[str, str], answer: str) -> str: ...


class Earlier:
    """Finds the answers that questions of later rounds are about.

    The key of a question holds its words, and these hold the earlier answer; so a changed first answer asks the second
    question anew, and a chain that was asked before costs nothing.

    Parameters
    ----------
    store : Store
        The answers.
    renderer : Renderer
        Knows the digests of rendered pictures.
    keys : ByRole
        Of everybody who is asked.
    catalogue : Catalogue
        Says which question an answer is to.
    """

    def __init__(self, store: Store, renderer: Renderer, keys: ByRole, catalogue: Catalogue) -> None:
        self._store = store
        self._renderer = renderer
        self._keys = keys
        self._catalogue = catalogue

    def answer(self, question: Question, record: Item, digest: str) -> str | None:
        """Return the text that a question is about; empty where it is about none, None where there is no answer yet.

        Parameters
        ----------
        question : Question
            Resolved.
        record : Item
            The item.
        digest : str
            Of its clean pixels.
        """
        first = self._catalogue.first(question)
        if first is None:
            return ""
        before = self.answer(first, record, digest)
        if before is None:
            return None
        shown = self._catalogue.shown(first)
        rendered = self._renderer.known(record, digest, [shown]).get(shown)
        if rendered is None:
            return None
        key = self._keys.of(Probe(record.id, first), rendered, record.columns, before)
        found = self._store.answers([key]).get(key)
        return None if found is None or not found.text.strip() else found.text
