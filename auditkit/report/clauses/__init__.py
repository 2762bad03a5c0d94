"""Which clauses of which texts a record holds evidence on: data in ``*.toml``, a file per text, held against a run."""

from auditkit.report.clauses.mapping import clause_map
from auditkit.report.clauses.rows import DISCLAIMER, Hazard, Row, Status, Text
from auditkit.report.clauses.trace import hazard_trace

__all__ = ["DISCLAIMER", "Hazard", "Row", "Status", "Text", "clause_map", "hazard_trace"]
