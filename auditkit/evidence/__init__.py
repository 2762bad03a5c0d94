"""The record of a run: what was asked, what was measured, what was decided, and why. Everything rendered reads this.

The models below are the published schema of ``evidence.json`` (`auditkit schema` prints it as JSON Schema). Numbers
are rounded when they enter the record (`ROUND` digits), so that the same answers give the same bytes on every machine.
"""

from auditkit.evidence.answers import NO_SCORE, NOT_ASKED, OUTCOME_MARKS, AnswerColumn, Answers, ImageEntry
from auditkit.evidence.audit import Audit, Case, Cell, Expected, Point, ScoringInfo
from auditkit.evidence.facts import (
    CalibrationCurve,
    CalibrationPoint,
    Data,
    EarlierProtocol,
    EmbeddingPoint,
    EmbeddingShift,
    Example,
    LeftOutEntry,
    Level,
    LookInfo,
    ModelInfo,
    Probes,
    PromptInfo,
    ProtocolInfo,
    Reference,
    Run,
    Stratum,
    Subgroup,
    SubgroupLevel,
)
from auditkit.evidence.values import ROUND, VERDICTS, Estimate, Number, Outcomes, Record, Verdict
from auditkit.evidence.whole import SCHEMA_VERSION, Evidence, json_schema, overall

__all__ = [
    "NOT_ASKED",
    "NO_SCORE",
    "OUTCOME_MARKS",
    "ROUND",
    "SCHEMA_VERSION",
    "VERDICTS",
    "AnswerColumn",
    "Answers",
    "Audit",
    "CalibrationCurve",
    "CalibrationPoint",
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
    "ImageEntry",
    "LeftOutEntry",
    "Level",
    "LookInfo",
    "ModelInfo",
    "Number",
    "Outcomes",
    "Point",
    "Probes",
    "PromptInfo",
    "ProtocolInfo",
    "Record",
    "Reference",
    "Run",
    "ScoringInfo",
    "Stratum",
    "Subgroup",
    "SubgroupLevel",
    "Verdict",
    "json_schema",
    "overall",
]
