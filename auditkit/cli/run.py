"""``auditkit run``: the audits to their end, whatever the verdict."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="run the audits and end 0 when they ran to their end, whatever the verdict (pytest is the gate)",
        description="Run `pytest audits/ --model=NAME`; other options are passed on to pytest.",
    )
    run.add_argument("--model", metavar="NAME", default="reference", help="default: reference")
    run.add_argument("--audits", metavar="DIR", default="audits", help="folder of the audits; default: audits")
    run.set_defaults(do=_run)


_NONE = 5
"""pytest's exit code where no test was selected; importing pytest for its name takes longer than all else here."""


def _run(options: argparse.Namespace) -> int:
    from auditkit.plugin.state import TOLD_IN

    model = f"--audit-model={options.model}"
    command = [sys.executable, "-m", "pytest", options.audits, model, "-q", "--tb=no", "-r", "N"]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        code = subprocess.run(  # noqa: S603 - our own interpreter and options
            [*command, *options.rest], check=False, env={**os.environ, TOLD_IN: str(told)}
        ).returncode
        counts = json.loads(told.read_text()) if told.is_file() else {}
    if code in (0, 1) and not counts:
        # 0 after a dry run, 1 where every worker refused to begin.
        print(f"No record was written, so nothing is said about the model (pytest's exit code {code}).")
        return code
    if code in (0, 1):
        print(
            f"The audit ran to its end; {_said(code, counts)} (pytest's exit code {code}). This command ends 0 all the "
            f"same: use `pytest {options.audits}/ --model={options.model}` where the exit code must gate."
        )
        return 0
    why = f"no audit in {options.audits} was selected: see -k and -m" if code == _NONE else "it did not run to its end"
    print(f"auditkit: nothing is said about the model, because {why} (pytest's exit code {code}).", file=sys.stderr)
    return code


def _said(code: int, counts: dict[str, int]) -> str:
    """Say what became of the audits that decide.

    Parameters
    ----------
    code : int
        pytest's exit code, 0 or 1.
    counts : dict of str to int
        Audits that decided, declared ones that were not run, and those that do not pass and fail no test: ``deciding``,
        ``not_run``, ``excused``.
    """
    if not counts["deciding"]:
        return "no audit that decides was run, so nothing is said about whether the model passes"
    if code:
        return "the model did not pass every audit"
    if counts["excused"]:
        n = counts["excused"]
        return f"{n} audit does not pass and was excused" if n == 1 else f"{n} audits do not pass and were excused"
    if counts["not_run"]:
        return f"the model passed every audit that was run, and {counts['not_run']} declared ones were not"
    return "the model passed every audit"
