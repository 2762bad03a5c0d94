"""The record of a run: what was asked, what was measured, what was decided, and why. Everything rendered reads this.

The models below are the published schema of ``evidence.json`` (`auditkit schema` prints it as JSON Schema). Numbers
are rounded when they enter the record (`ROUND` digits), so that the same answers give the same bytes on every machine.
"""

from auditkit.evidence.audit import Audit, Case, Cell, Expected, Point, ScoringInfo
from auditkit.evidence.facts import (
    Data,
    EarlierProtocol,
    EmbeddingPoint,
    EmbeddingShift,
    Example,
    LeftOutEntry,
    LookInfo,
    ModelInfo,
    Probes,
    PromptInfo,
    ProtocolInfo,
    Run,
    Stratum,
)
from auditkit.evidence.values import ROUND, VERDICTS, Estimate, Number, Outcomes, Record, Verdict
from auditkit.evidence.whole import SCHEMA_VERSION, Evidence, json_schema, overall

__all__ = [
    "ROUND",
    "SCHEMA_VERSION",
    "VERDICTS",
    "Audit",
    "Case",
    "Cell",
    "Data",
    "EarlierProtocol",
    "EmbeddingPoint",
    "EmbeddingShift",
    "Estimate",
    "Evidence",
    "Example",
    "Expected",
    "LeftOutEntry",
    "LookInfo",
    "ModelInfo",
    "Number",
    "Outcomes",
    "Point",
    "Probes",
    "PromptInfo",
    "ProtocolInfo",
    "Record",
    "Run",
    "ScoringInfo",
    "Stratum",
    "Verdict",
    "json_schema",
    "overall",
]
