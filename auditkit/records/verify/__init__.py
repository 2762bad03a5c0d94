"""``auditkit verify``: whether a report, its record and the store of answers still say the same."""

from auditkit.records.verify.checks import Check, exit_code
from auditkit.records.verify.whole import verify

__all__ = ["Check", "exit_code", "verify"]
