"""What a run says of itself, as digests: the store keeps them, so that a record can be held against them later.

No text enters the store by this: names of files that were left out stay in the record alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditkit.ask.keys import digest_of
from auditkit.evidence import Evidence
from auditkit.evidence.whole import spelt

if TYPE_CHECKING:
    from auditkit.run.record import Header

LATER = {"id", "finished", "command", "git", "packages", "machine"}
"""Of ``run``, what is put in when its process has ended: nothing notes it."""
_ANSWERS = {"batch_size", "probabilities"}
_SECTIONS = ("model", "models", "data", "outcomes", "unscored", "not_embedded", "examples", "looks", "references")


def digests_of(record: Header | Evidence, limits: Sequence[str]) -> dict[str, str]:
    """Return the digest of every part of a record that describes the run, by its name.

    Parameters
    ----------
    record : Header or Evidence
        The record, or what of it is known before the audits are.
    limits : sequence of str
        Those of its limits that follow from the run and not from what else is in the record.
    """
    sections: dict[str, Any] = {name: _plain(getattr(record, name)) for name in _SECTIONS}
    sections["run"] = record.run.model_dump(mode="json", exclude=LATER)
    sections["answers"] = record.answers.model_dump(mode="json", include=_ANSWERS)
    sections["limits"] = list(limits)
    # As they come back from a file, in which signs that are no text are spelt out.
    written = json.loads(spelt(json.dumps(sections, ensure_ascii=False)))
    return {where: digest_of(value) for name in written for where, value in _parts(name, written[name])}


def _plain(section: Any) -> Any:
    if isinstance(section, list):
        return [entry.model_dump(mode="json") for entry in section]
    return section.model_dump(mode="json")


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"{name}.{key}", below) for key, below in value.items())
    else:
        yield name, value
