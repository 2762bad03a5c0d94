"""Whether two runs measured an audit alike, and whether they judged it alike; if not, in which respect they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Evidence
from auditkit.measure.recorded import effect_from
from auditkit.protocol.changes import changes
from auditkit.protocol.entries import entries_used
from auditkit.protocol.model import Protocol
from auditkit.protocol.recorded import own_protocol
from auditkit.vocabulary import MODEL, Effect
from auditkit.words import some_of

MEASURING = ("seed", "images", "prompts")
"""Criteria that decide what is shown and asked, whatever the limits are."""
PARTS = ("required", "by")
"""Keys of a family that decide which parts an effect is made of."""
WORDS = ("hazard",)
"""Keys of a family that decide nothing."""
SHOWN = 2


class Runs:
    """The records of a history, and what they have in common two by two.

    Parameters
    ----------
    evidences : sequence of Evidence
        In time.
    """

    def __init__(self, evidences: Sequence[Evidence]) -> None:
        self.evidences = evidences
        self._protocols: dict[str, Protocol | None] = {}
        self._unlike: dict[tuple[int, int, str], str] = {}
        keys = [_data_key(evidence) for evidence in evidences]
        order = list(dict.fromkeys(keys))
        self.data = [letter(order.index(key)) for key in keys]
        shas = list(dict.fromkeys(evidence.protocol.sha256 for evidence in evidences))
        self.protocols = [letter(shas.index(evidence.protocol.sha256)) for evidence in evidences]

    def protocol(self, run: int) -> Protocol | None:
        """Return the protocol of a run; None where this auditkit cannot use it."""
        evidence = self.evidences[run]
        sha256 = evidence.protocol.sha256
        if sha256 not in self._protocols:
            try:
                self._protocols[sha256] = own_protocol(evidence)
            except AuditkitError:
                self._protocols[sha256] = None
        return self._protocols[sha256]

    def apart(self, before: int, after: int, audit: Audit, earlier: Audit) -> str:
        """Say why an audit's effects in two runs do not belong on one line; empty when they do.

        Parameters
        ----------
        before, after : int
            The runs.
        audit, earlier : Audit
            Its records in the later and in the earlier one.
        """
        return self.measured_otherwise(before, after, audit, earlier) or self.other_data(before, after)

    def other_data(self, before: int, after: int) -> str:
        """Say how the items of two runs differ; empty when they do not."""
        if self.data[before] != self.data[after]:
            return f"data {self.data[after]} instead of {self.data[before]}"
        then, now = (self.evidences[run].answers.items for run in (before, after))
        for one, other in zip(then, now, strict=True):
            moved = [
                name for name in one.columns.keys() & other.columns.keys() if one.columns[name] != other.columns[name]
            ]
            if moved:
                return f"images belong to other levels of {min(moved)}"
        return ""

    def measured_otherwise(self, before: int, after: int, audit: Audit, earlier: Audit) -> str:
        """Say what of an audit's effect was declared otherwise in two runs; empty when nothing was."""
        key = before, after, audit.id
        if key not in self._unlike:
            self._unlike[key] = self._measured_otherwise(before, after, audit, earlier)
        return self._unlike[key]

    def judged_otherwise(self, before: int, after: int, audit: Audit) -> str:
        """Say which criteria of an audit (limit, error rate, statistics) differ in two runs; empty when none does."""
        one, other = (self.evidences[run].protocol for run in (before, after))
        if one.sha256 == other.sha256:
            return ""
        then, now = (_judging(info.criteria, info.alpha, audit) for info in (one, other))
        return "" if then == now else _said(then, now)

    def _measured_otherwise(self, before: int, after: int, audit: Audit, earlier: Audit) -> str:
        one, other = self.evidences[before], self.evidences[after]
        # Of a comparison with an earlier run the definition is that of the audit of the same name.
        definitions = [_definition(evidence, own) for evidence, own in ((one, earlier), (other, audit))]
        if (earlier.statistic, earlier.unit) != (audit.statistic, audit.unit) or definitions[0] != definitions[1]:
            return "what it measures is defined otherwise"
        effect = effect_from(audit.model_copy(update={"definition": definitions[1]}))
        beside = _beside(one, other, effect)
        if beside or one.protocol.sha256 == other.protocol.sha256:
            return beside
        then, now = (_measuring(info.criteria, audit) for info in (one.protocol, other.protocol))
        if then != now:
            return _said(then, now)
        protocol = self.protocol(after)
        if effect is None or protocol is None:
            return "the criteria differ, and whether what it measures is the same is not known"
        try:
            used = entries_used(protocol.catalogue, effect.questions())
        except AuditkitError:  # of a package or a protocol that is not here
            return "what it asks is not known to this auditkit, and the criteria differ"
        return _entries(used, one.protocol.entries, other.protocol.entries)


def letter(number: int) -> str:
    """Return A, B, ..., Z, AA, AB, ... for 0, 1, ..."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(65 + rest) + text
    return text


def same_anchor(before: Evidence, after: Evidence, role: str) -> bool:
    """Whether two runs were held against the same earlier record."""
    shas = [{r.evidence_sha256 for r in evidence.references if r.role == role} for evidence in (before, after)]
    return shas[0] == shas[1]


def _entries(used: Iterable[str], then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say which of the entries used two records define otherwise, by what each noted; what today's are is no matter."""
    unknown = [name for name in used if name not in then or name not in now]
    if unknown:
        return f"one of the two protocols did not cover {some_of(unknown)}"
    changed = [name for name in used if then[name] != now[name]]
    return f"asked with another {some_of(changed)}" if changed else ""


def _data_key(evidence: Evidence) -> tuple[object, ...]:
    items = frozenset((item.id, item.cluster, item.modality) for item in evidence.answers.items)
    return evidence.data.sha256, evidence.data.n_images, items


def _definition(evidence: Evidence, audit: Audit) -> Any:
    if audit.definition is not None:
        return audit.definition
    own = audit.id.removeprefix(f"{audit.family}/")
    return next((other.definition for other in evidence.audits if other.id == own), None)


def _family_of(audit: Audit) -> str:
    """The family whose limit an audit has; against an earlier run that of the audit of the same name."""
    return audit.id.removeprefix(f"{audit.family}/").split("/")[0] if audit.statistic == "worsening" else audit.family


def _family(criteria: Mapping[str, Any], audit: Audit) -> Mapping[str, Any]:
    found = criteria.get("families", {}).get(_family_of(audit), {})
    return found if isinstance(found, Mapping) else {}


def _measuring(criteria: Mapping[str, Any], audit: Audit) -> dict[str, Any]:
    own = {key: value for key, value in _family(criteria, audit).items() if key in PARTS}
    return {key: criteria.get(key) for key in MEASURING} | {"families": {_family_of(audit): own}}


def _judging(criteria: Mapping[str, Any], alpha: float | None, audit: Audit) -> dict[str, Any]:
    own = {key: value for key, value in _family(criteria, audit).items() if key not in (*PARTS, *WORDS)}
    found = {"alpha": alpha, "families": {_family_of(audit): own}}
    found |= {key: criteria.get(key) for key in ("statistics", "looks")}
    return found | ({"baseline": criteria.get("baseline")} if audit.statistic == "worsening" else {})


def _said(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    keys = changes(then, now)
    return "; ".join(keys[:SHOWN]) + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")


def _beside(one: Evidence, other: Evidence, effect: Effect | None) -> str:
    """Say which other models that an effect compares with are others."""
    roles = set() if effect is None else {question.role for question in effect.questions()} - {MODEL}
    known = [{o.role: (o.name, o.revision, o.fingerprint) for o in evidence.models} for evidence in (one, other)]
    changed = sorted(role for role in roles if known[0].get(role) != known[1].get(role))
    return f"another {changed[0]} answered beside the model" if changed else ""
