"""``auditkit verify``: whether a report, its record and the store of answers still say the same."""

from auditkit.verify.checks import Check, exit_code
from auditkit.verify.whole import verify

__all__ = ["Check", "exit_code", "verify"]
