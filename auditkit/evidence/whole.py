"""The record of a run as a whole, and its schema."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from auditkit.evidence.answers import Answers
from auditkit.evidence.audit import Audit
from auditkit.evidence.data import Data, Example, Unscored
from auditkit.evidence.model import ModelInfo, PromptInfo
from auditkit.evidence.roles import RoleInfo, distinct_names
from auditkit.evidence.run import LookInfo, ProtocolInfo, Reference, Run
from auditkit.evidence.values import VERDICTS, Outcomes, Record, Verdict

SCHEMA_VERSION = "2.0"


class Evidence(Record):
    """One run of the audits against one model."""

    schema_version: str = SCHEMA_VERSION
    run: Run
    model: ModelInfo
    models: list[RoleInfo] = []
    """Who else answered, where audits compare with it, by role; their answers are columns of their own."""
    protocol: ProtocolInfo
    data: Data
    prompts: list[PromptInfo] = []
    outcomes: Outcomes = Outcomes()
    """Over every distinct question put to the audited model."""
    unscored: list[Unscored] = []
    """The outcomes without a score that occurred, the commonest first, each with an answer that shows it."""
    not_embedded: list[Unscored] = []
    """The kinds of embeddings of which some could not be had; ``question`` is the kind."""
    audits: list[Audit]
    looks: list[LookInfo] = []
    """The looks made; empty when the protocol plans no early look."""
    not_run: list[str] = []
    """Declared audits that this run did not include (``-k``, a subset of files)."""
    examples: list[Example] = []
    references: list[Reference] = []
    """Earlier runs this one was held against (``--audit-baseline``); their audits are in ``audits``."""
    answers: Answers = Answers()
    """Every answer as a score or an outcome; what a later run is paired with."""
    verdict: Verdict
    sentence: str
    """The verdict of the whole run."""
    limits: list[str] = []
    """What this run cannot tell."""

    @property
    def names(self) -> dict[str, str]:
        """What everybody who answered is called, by role; names that two have are told apart by the role."""
        return distinct_names({"model": self.model.name} | {other.role: other.name for other in self.models})

    @property
    def deciding(self) -> list[Audit]:
        """The audits that the verdict rests on."""
        return [audit for audit in self.audits if not audit.shown]

    @property
    def informing(self) -> list[Audit]:
        """The audits that are shown for information only."""
        return [audit for audit in self.audits if audit.shown]

    def to_json(self) -> str:
        """Return the record as JSON with sorted keys and a final newline: the same record gives the same bytes."""
        return spelt(json.dumps(self.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n")

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """Read a record; raises `pydantic.ValidationError` when it does not fit the schema."""
        return cls.model_validate_json(text)


def spelt(text: str) -> str:
    """Return JSON with lone surrogates (file names and arguments that are not UTF-8) spelt out: no file holds them."""
    return re.sub("[\ud800-\udfff]", lambda found: f"\\\\u{ord(found[0]):04x}", text)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of ``evidence.json``."""
    schema = Evidence.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "auditkit evidence", **schema}


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of several that must all pass: any FAIL fails, any ERROR or INCONCLUSIVE is not a pass.

    An empty collection is INCONCLUSIVE: nothing was shown.
    """
    seen = set(verdicts)
    return next((v for v in VERDICTS if v in seen), "INCONCLUSIVE")


def whole_verdict(audits: Sequence[Audit], not_run: Sequence[str]) -> tuple[Verdict, str]:
    """Return the verdict of the whole run and its sentence; a part of the declared audits never passes.

    Parameters
    ----------
    audits : sequence of Audit
        All audits of the run; those shown for information do not count.
    not_run : sequence of str
        Ids of declared audits that the run did not include.
    """
    deciding = [audit for audit in audits if not audit.shown]
    verdict = overall(audit.verdict for audit in deciding)
    counts = Counter(audit.verdict for audit in deciding)
    listed = ", ".join(f"{counts[v]} {v}" for v in ("PASS", "FAIL", "INCONCLUSIVE", "ERROR") if counts[v])
    if not deciding:
        if not audits:
            return "INCONCLUSIVE", "No audit was run, so nothing was shown."
        only = "1 audit only shows" if len(audits) == 1 else f"{len(audits)} audits only show"
        return "INCONCLUSIVE", f"No audit that decides was run: {only} what was measured."
    if not_run:
        part = f"{listed} of {len(deciding)} audits run; {len(not_run)} declared audits were not run"
        if verdict == "PASS":
            return "INCONCLUSIVE", f"{part}, so there is no verdict on the whole protocol."
        return verdict, f"{part}."
    closing = {
        "PASS": "every declared criterion was met",
        "FAIL": "the model does not meet the declared criteria",
        "INCONCLUSIVE": "these data do not decide every question, and undecided is not a pass",
        "ERROR": "some questions got no answer, for the reason given with them",
    }[verdict]
    return verdict, f"{listed} of {len(deciding)} audits: {closing}."
