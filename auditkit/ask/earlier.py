"""What a question of a later round is about: the answer to an earlier one, as the store holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

    def unasked(self, record: Item, digest: str, questions: Iterable[Question]) -> frozenset[Question]:
        """Return the questions about an answer that was not asked for, as the picture is too small for what was done.

        Parameters as of `answers`.
        """
        firsts = {question: first for question in questions if (first := self._catalogue.first(question)) is not None}
        if not firsts:
            return frozenset()
        before = self.unasked(record, digest, firsts.values())
        shown = {first: self._catalogue.shown(first) for first in firsts.values()}
        rendered = self._renderer.known(record, digest, set(shown.values()))
        without = before | {first for first, condition in shown.items() if not _exists(rendered.get(condition))}
        return frozenset(question for question, first in firsts.items() if first in without)

    def answers(self, record: Item, digest: str, questions: Iterable[Question]) -> dict[Question, str | None]:
        """Return the texts that questions are about; those that are about none are left out.

        The store is asked once for each round, not once for each question.

        Parameters
        ----------
        record : Item
            The item.
        digest : str
            Of its clean pixels.
        questions : iterable of Question
            Resolved.

        Returns
        -------
        dict of Question to str or None
            None where there is no such answer (yet), or an empty one.
        """
        firsts = {question: first for question in questions if (first := self._catalogue.first(question)) is not None}
        if not firsts:
            return {}
        before = self.answers(record, digest, firsts.values())
        shown = {first: self._catalogue.shown(first) for first in firsts.values()}
        rendered = self._renderer.known(record, digest, set(shown.values()))
        keys = {}
        for first, condition in shown.items():
            about = before.get(first, "")
            if _exists(rendered.get(condition)) and condition in rendered and about is not None:
                probe = Probe(record.id, first)
                keys[first] = self._keys.of(probe, rendered[condition], record.columns, about)
        held = self._store.answers(keys.values())
        texts = {first: held[key].text for first, key in keys.items() if key in held}
        said = {first: text for first, text in texts.items() if text.strip()}
        return {question: said.get(first) for question, first in firsts.items()}


def _exists(rendered: Rendered | None) -> bool:
    """Whether a picture exists as far as is known: one that was not rendered yet may."""
    return rendered is None or rendered.exists
