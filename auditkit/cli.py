"""The command line: thin; everything is a library call or a pytest run."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit import __version__
from auditkit.errors import AuditkitError

if TYPE_CHECKING:
    from auditkit.evidence import Evidence
    from auditkit.protocol import Protocol

PROTOCOL = Path("audits/protocol.toml")
# What `plan` assumes without a pilot: field of `sample_size.Assumed` (and the modalities), option, type, help.
ASSUMED: tuple[tuple[str, str, type, str], ...] = (
    ("modalities", "--modalities", int, "how many; default: 1"),
    ("images_per_patient", "--images-per-patient", int, "default: 1"),
    ("correlation", "--correlation", float, "between the images of a patient; default: 0.3"),
    ("effect", "--effect", float, "true mean change in points where little is allowed; default: 0"),
    ("fall", "--fall", float, "true fall of the score per severity step in points; default: twice the floor"),
    ("area", "--auroc", float, "true AUROC of clean against corrupted; default: 0.9"),
    ("share", "--share", float, "true share of refused, unusable or changed answers; default: 0.01"),
)


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

    registry = argparse.ArgumentParser(add_help=False)
    registry.add_argument("--audit-registry", metavar="FILE", help="models of your own (auditkit-models.toml if there)")

    models = commands.add_parser("models", parents=[registry], help="list the models known by name")
    models.add_argument("--json", action="store_true", help="all that is known of them, for programs")
    models.set_defaults(do=_models)

    doctor = commands.add_parser(
        "doctor",
        parents=[registry],
        help="say what is there and what is missing for an audit of a model, and end 1 when something is missing",
        description="Looks at packages, weights, access, memory, disk or server. Downloads nothing, loads no model.",
    )
    doctor.add_argument("--model", metavar="NAME", default="reference", help="default: reference")
    doctor.add_argument("--audit-endpoint", metavar="URL", help="an OpenAI-compatible server that has the model")
    doctor.set_defaults(do=_doctor)

    report = commands.add_parser("report", help="render report.html anew from an evidence.json, without the model")
    report.add_argument("evidence", metavar="EVIDENCE.json", type=Path)
    report.add_argument("--out", metavar="FILE", type=Path, help="default: report.html beside the evidence")
    report.set_defaults(do=_report)

    _add_plan(commands)

    schema = commands.add_parser("schema", help="print the JSON Schema of evidence.json")
    schema.set_defaults(do=_schema)
    return parser


def _add_plan(commands: Any) -> None:
    plan = commands.add_parser(
        "plan",
        help="say how many patients the audits take, from an assumed spread or from a pilot run",
        description="Patients needed per audit, per modality and in total. Reasons and examples: docs/planning.md.",
    )
    plan.add_argument("--model-sd", metavar="POINTS", type=float, help="spread of one image's score change")
    plan.add_argument("--pilot", metavar="EVIDENCE.json", type=Path, help="take the spreads from a run instead")
    plan.add_argument("--power", metavar="P", type=float, default=0.9, help="chance of an answer; default: 0.9")
    plan.add_argument("--margin", metavar="POINTS", type=float, help="for mean changes, instead of the protocol's")
    plan.add_argument("--protocol", metavar="FILE", type=Path, help=f"default: {PROTOCOL}, or the pilot's own")
    plan.add_argument("--profile", metavar="NAME", help="profile of the protocol, such as pilot")
    assumed = plan.add_argument_group("what is assumed besides --model-sd")
    for field, option, kind, words in ASSUMED:
        assumed.add_argument(option, dest=field, type=kind, metavar="N" if kind is int else "VALUE", help=words)
    plan.set_defaults(do=_plan)


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
    from auditkit.models.overview import as_json, as_table
    from auditkit.models.registry import load_registry

    entries = load_registry(options.audit_registry).values()
    print(as_json(entries) if options.json else as_table(entries))
    return 0


def _doctor(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.models.base import ModelOptions
    from auditkit.models.doctor import as_text, examine

    wanted = ModelOptions(endpoint=options.audit_endpoint, registry=options.audit_registry)
    title, findings = examine(options.model, wanted)
    print(as_text(title, findings))
    return int(any(finding.state == "missing" for finding in findings))


def _report(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.report.html import write_html

    path: Path = options.evidence
    evidence = _evidence(path)
    out: Path = options.out or path.with_name("report.html")
    try:
        write_html(evidence, out)
    except OSError as error:
        raise AuditkitError(
            f"{out} cannot be written: {error.strerror or error}.", "Give another --out=FILE."
        ) from None
    print(out)
    return 0


def _evidence(path: Path) -> Evidence:
    from pydantic import ValidationError

    from auditkit.evidence import Evidence

    try:
        return Evidence.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AuditkitError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValidationError, UnicodeDecodeError) as error:
        raise AuditkitError(
            f"{path} is no evidence of this auditkit: {str(error).splitlines()[0]}.",
            "Give the evidence.json that a run wrote (reports/<model>/latest/evidence.json).",
        ) from None


def _plan(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.sample_size import Assumed, as_text, plan_from_pilot, plan_from_sd

    if (options.model_sd is None) == (options.pilot is None):
        raise AuditkitError(
            "a plan starts from an assumed spread or from a pilot run: one of the two is needed.",
            "Give --model-sd=12 or --pilot=reports/<model>/latest/evidence.json.",
        )
    given = {field: getattr(options, field) for field, *_ in ASSUMED if getattr(options, field) is not None}
    if options.pilot is None:
        modalities = given.pop("modalities", 1)
        protocol = _protocol(options, None)
        plan = plan_from_sd(protocol, Assumed(options.model_sd, **given), modalities=modalities, power=options.power)
    else:
        if given:
            named = ", ".join(option for field, option, *_ in ASSUMED if field in given)
            raise AuditkitError(f"a pilot brings its own numbers; these go with --model-sd: {named}.")
        evidence = _evidence(options.pilot)
        plan = plan_from_pilot(evidence, _protocol(options, evidence), power=options.power)
    print(as_text(plan))
    return 0


def _protocol(options: argparse.Namespace, pilot: Evidence | None) -> Protocol:
    """Return the criteria to plan for: those of the file given, else the pilot's, else the shipped file's."""
    from auditkit.protocol import load_protocol
    from auditkit.sample_size import own_protocol, with_margin

    if pilot is not None and options.protocol is None:
        protocol = own_protocol(pilot, options.profile)
    else:
        path: Path = options.protocol or PROTOCOL
        if not path.is_file():
            raise AuditkitError(f"protocol {path} does not exist.", "Give one with --protocol=FILE.")
        protocol = load_protocol(path, options.profile)
    return protocol if options.margin is None else with_margin(protocol, options.margin)


def _schema(options: argparse.Namespace, rest: list[str]) -> int:
    from auditkit.evidence import json_schema

    print(json.dumps(json_schema(), indent=1, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
