"""The record of a run: what was asked, what was measured, what was decided, and why. Everything rendered reads this.

The models below are the published schema of ``evidence.json`` (`auditkit schema` prints it as JSON Schema). Numbers
are rounded when they enter the record (`ROUND` digits), so that the same answers give the same bytes on every machine.
"""

from auditkit.evidence.answers import NO_SCORE, NOT_ASKED, OUTCOME_MARKS, AnswerColumn, Answers, ItemEntry
from auditkit.evidence.audit import (
    ALL,
    Apart,
    Audit,
    Case,
    Cell,
    Definition,
    Expected,
    Named,
    PartDefinition,
    Point,
    Stratum,
    Term,
    Verb,
)
from auditkit.evidence.data import Data, Example, LeftOutEntry, Level, ModalityCount, NotAsked, Unscored
from auditkit.evidence.model import ModelInfo, PromptInfo
from auditkit.evidence.roles import RoleInfo, distinct_names
from auditkit.evidence.run import EarlierProtocol, LookInfo, Probes, ProtocolInfo, Reference, Run
from auditkit.evidence.values import ROUND, VERDICTS, Estimate, Number, Outcomes, Record, Verdict
from auditkit.evidence.whole import SCHEMA_VERSION, Evidence, json_schema, overall, whole_verdict

__all__ = [
    "ALL",
    "NOT_ASKED",
    "NO_SCORE",
    "OUTCOME_MARKS",
    "ROUND",
    "SCHEMA_VERSION",
    "VERDICTS",
    "AnswerColumn",
    "Answers",
    "Apart",
    "Audit",
    "Case",
    "Cell",
    "Data",
    "Definition",
    "EarlierProtocol",
    "Estimate",
    "Evidence",
    "Example",
    "Expected",
    "ItemEntry",
    "LeftOutEntry",
    "Level",
    "LookInfo",
    "ModalityCount",
    "ModelInfo",
    "Named",
    "NotAsked",
    "Number",
    "Outcomes",
    "PartDefinition",
    "Point",
    "Probes",
    "PromptInfo",
    "ProtocolInfo",
    "Record",
    "Reference",
    "RoleInfo",
    "Run",
    "Stratum",
    "Term",
    "Unscored",
    "Verb",
    "Verdict",
    "distinct_names",
    "json_schema",
    "overall",
    "whole_verdict",
]
