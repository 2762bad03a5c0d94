"""The command line: thin; everything is a library call or a pytest run."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from auditkit import __version__
from auditkit.errors import AuditkitError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after ``auditkit``; ``sys.argv`` by default.

    Returns
    -------
    int
        Exit code.
    """
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command != "run":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        return int(options.do(options, rest))
    except AuditkitError as error:
        print(f"auditkit: {error}", file=sys.stderr)
        return 4


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="auditkit", description="Audits of vision-language models on medical images, on criteria declared before."
    )
    parser.add_argument("--version", action="version", version=f"auditkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)

    run = commands.add_parser(
        "run",
        help="run the audits and end 0 when they ran to their end, whatever the verdict (pytest is the gate)",
        description="Run `pytest audits/ --model NAME`; other options are passed on to pytest.",
    )
    run.add_argument("--model", metavar="NAME", default="reference", help="default: reference")
    run.add_argument("--audits", metavar="DIR", default="audits", help="folder of the audits; default: audits")
    run.set_defaults(do=_run)

    models = commands.add_parser("models", help="list the models known by name")
    models.set_defaults(do=_models)

    report = commands.add_parser("report", help="render report.html anew from an evidence.json, without the model")
    report.add_argument("evidence", metavar="EVIDENCE.json", type=Path)
    report.add_argument("--out", metavar="FILE", type=Path, help="default: report.html beside the evidence")
    report.set_defaults(do=_report)

    schema = commands.add_parser("schema", help="print the JSON Schema of evidence.json")
    schema.set_defaults(do=_schema)
    return parser


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", options.audits, f"--model={options.model}", "-q", "--tb=no", "-r", "N"]
    code = subprocess.run([*command, *rest], check=False).returncode  # noqa: S603 - our own interpreter and options
    if code in (0, 1):
        verdict = "passed every audit" if code == 0 else "did not pass every audit"
        print(
            f"The audit ran to its end; the model {verdict} (pytest's exit code {code}). This command ends 0 all the "
            f"same: use `pytest {options.audits}/ --model {options.model}` where the exit code must gate."
        )
        return 0
    print(f"auditkit: the audit did not run to its end (pytest's exit code {code}).", file=sys.stderr)
    return code


def _models(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.models.resolve import registry

    for name, entry in registry().items():
        where = "ships with auditkit" if "checkpoint" in entry else entry["repository"]
        print(f"{name:20} {entry['description']} ({where})")
    print("Also: --model=./folder of a checkpoint, or --model package.module:attribute with generate(requests).")
    return 0


def _report(options: argparse.Namespace, rest: list[str]) -> int:
    from pydantic import ValidationError

    from auditkit.evidence import Evidence
    from auditkit.report.html import write_html

    path: Path = options.evidence
    try:
        evidence = Evidence.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditkitError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise AuditkitError(
            f"{path} is no evidence of this auditkit: {str(error).splitlines()[0]}.",
            "Give the evidence.json that a run wrote (reports/<model>/latest/evidence.json).",
        ) from None
    out: Path = options.out or path.with_name("report.html")
    try:
        write_html(evidence, out)
    except OSError as error:
        raise AuditkitError(
            f"{out} cannot be written: {error.strerror or error}.", "Give another --out=FILE."
        ) from None
    print(out)
    return 0


def _schema(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.evidence import json_schema

    print(json.dumps(json_schema(), indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
