"""``auditkit verify``: whether a report, its record and the answers in the store still say the same."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditkit.records.verify import Check

_SHOWN = 8
_LONGEST = 600


def add(commands: Any) -> None:
    verify = commands.add_parser(
        "verify",
        help="recompute the hashes and verdicts of a report from its record and the store, and say what does not match",
        description="Ends 0 when every check holds, 1 when something does not match, 3 when nothing is wrong but "
        "something could not be checked. What it can and cannot show: docs/integrity.md.",
    )
    verify.add_argument(
        "report", metavar="REPORT", type=Path, help="evidence.json, report.html, report.pdf, or a folder"
    )
    verify.add_argument("--store", metavar="URL", help="the run's store of answers; default: .auditkit/answers.sqlite")
    verify.add_argument("--audit-data", metavar="SRC", help="read the images again and compare their contents and ids")
    verify.add_argument(
        "--reference", metavar="EVIDENCE.json", type=Path, action="append", default=[],
        help="a record that the run was held against; may be given several times",
    )  # fmt: skip
    verify.add_argument("--json", action="store_true", help="the checks for programs")
    verify.set_defaults(do=_verify)


def _verify(options: argparse.Namespace) -> int:
    from auditkit.records.verify import exit_code, verify
    from auditkit.run.settings import DEFAULT_STORE

    checks = verify(
        options.report, store=options.store or DEFAULT_STORE, data=options.audit_data, references=options.reference
    )
    code = exit_code(checks)
    print(_as_json(checks, code) if options.json else _as_text(checks, code))
    return code


def _as_json(checks: Sequence[Check], code: int) -> str:
    from dataclasses import asdict

    return json.dumps({"exit_code": code, "checks": [asdict(check) for check in checks]}, indent=1)


def _as_text(checks: Sequence[Check], code: int) -> str:
    lines = []
    for check in checks:
        lines.append(f"{check.state:<15} {check.part:<10} {_line(check.words)}")
        lines += [f"{'':<26} - {_line(detail)}" for detail in check.details[:_SHOWN]]
        if len(check.details) > _SHOWN:
            lines.append(f"{'':<26} - and {len(check.details) - _SHOWN} more")
    return "\n".join([*lines, "", _closing(checks, code)])


def _closing(checks: Sequence[Check], code: int) -> str:
    """Say what was checked, and that no more was."""
    from auditkit.words import and_listed

    if code in _CLOSING:
        return _CLOSING[code]
    parts = and_listed(list(dict.fromkeys(check.part for check in checks)))
    return (
        f"What was checked holds: {parts}. No check looks at command, packages, machine, pictures of cases and the "
        "audits' own words; for these, and for who made the record, only a signature can vouch: docs/integrity.md."
    )


_CLOSING = {
    1: "Something DOES NOT MATCH: do not rely on this report before that is explained.",
    3: "Nothing is wrong as far as could be checked, but not everything could be: this is not a pass.",
}


def _line(text: str) -> str:
    """One line whatever a file says, with what could mislead made visible."""
    from auditkit.words import visible

    shown = visible(" ".join(text.split()))
    return shown if len(shown) <= _LONGEST else shown[:_LONGEST] + " …"
