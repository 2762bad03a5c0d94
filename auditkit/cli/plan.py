"""``auditkit plan``: how many patients the audits take."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditkit.errors import AuditkitError

if TYPE_CHECKING:
    from auditkit.evidence import Evidence
    from auditkit.protocol.model import Protocol

PROTOCOL = Path("audits/protocol.toml")
# What `plan` assumes without a pilot: field of `planning.Assumed` (and the modalities), option, type, help.
ASSUMED: tuple[tuple[str, str, type, str], ...] = (
    ("modalities", "--modalities", int, "how many; default: 1"),
    ("images_per_patient", "--images-per-patient", int, "default: 1"),
    ("correlation", "--correlation", float, "between the images of a patient; default: 0.3"),
    ("effect", "--effect", float, "true mean change in points where little is allowed; default: 0"),
    ("fall", "--fall", float, "true fall of the score per severity step in points; default: twice the floor"),
    ("area", "--auroc", float, "true AUROC of clean against corrupted; default: 0.9"),
    ("share", "--share", float, "true share of refused, unusable or changed answers; default: 0.01"),
)
# The same without a pilot for audits of right answers: fields of `planning.AssumedRight`.
ASSUMED_RIGHT = {
    "prevalence": "true share of patients with the disease; default: 0.5",
    "changed": "true share of answers that turn from right to wrong or back; default: 0.05",
    "lost": "true share of refused or unusable answers; default: 0.01",
}


def add(commands: Any) -> None:
    plan = commands.add_parser(
        "plan",
        help="say how many patients the audits take, from an assumed spread or from a pilot run",
        description="Patients needed per audit, per modality and in total. Reasons and examples: docs/planning.md.",
    )
    plan.add_argument("--model-sd", metavar="POINTS", type=float, help="spread of one image's score change")
    plan.add_argument("--pilot", metavar="EVIDENCE.json", type=Path, help="take the spreads from a run instead")
    plan.add_argument("--accuracy", metavar="SHARE", type=float, help="plan audits of right answers: so many are")
    plan.add_argument("--power", metavar="P", type=float, default=0.9, help="chance of an answer; default: 0.9")
    plan.add_argument("--margin", metavar="POINTS", type=float, help="for mean changes, instead of the protocol's")
    plan.add_argument("--protocol", metavar="FILE", type=Path, help=f"default: {PROTOCOL}, or the pilot's own")
    plan.add_argument("--profile", metavar="NAME", help="profile of the protocol, such as pilot")
    assumed = plan.add_argument_group("what is assumed besides --model-sd")
    for field, option, kind, words in ASSUMED:
        assumed.add_argument(option, dest=field, type=kind, metavar="N" if kind is int else "VALUE", help=words)
    right = plan.add_argument_group("what is assumed besides --accuracy")
    for field, words in ASSUMED_RIGHT.items():
        right.add_argument(f"--{field}", type=float, metavar="SHARE", help=words)
    plan.set_defaults(do=_plan)


def _plan(options: argparse.Namespace) -> int:
    from auditkit.evidence.reading import read_evidence
    from auditkit.planning import Assumed, as_text, plan_from_pilot, plan_from_sd

    starts = (options.model_sd, options.pilot, options.accuracy)
    if sum(start is not None for start in starts) != 1:
        raise AuditkitError(
            "a plan starts from an assumed spread, an assumed accuracy or a pilot run: one of them is needed.",
            "Give --model-sd=12, --accuracy=0.9 or --pilot=reports/<model>/latest/evidence.json.",
        )
    about_right = {field: value for field in ASSUMED_RIGHT if (value := getattr(options, field)) is not None}
    if options.accuracy is not None:
        return _plan_right(options, about_right)
    if about_right:
        raise AuditkitError(f"these go with --accuracy: {', '.join(f'--{field}' for field in about_right)}.")
    given = {field: getattr(options, field) for field, *_ in ASSUMED if getattr(options, field) is not None}
    if options.pilot is None:
        modalities = given.pop("modalities", 1)
        protocol = _protocol(options, None)
        plan = plan_from_sd(protocol, Assumed(options.model_sd, **given), modalities=modalities, power=options.power)
    else:
        if given:
            named = ", ".join(option for field, option, *_ in ASSUMED if field in given)
            raise AuditkitError(f"a pilot brings its own numbers; these go with --model-sd: {named}.")
        evidence = read_evidence(options.pilot)[0]
        plan = plan_from_pilot(evidence, _protocol(options, evidence), power=options.power)
    print(as_text(plan))
    return 0


def _plan_right(options: argparse.Namespace, given: dict[str, float]) -> int:
    from auditkit.planning import AssumedRight, plan_right, right_text

    others = [option for field, option, *_ in ASSUMED if getattr(options, field) is not None]
    others += ["--margin"] if options.margin is not None else []
    if others:
        raise AuditkitError(f"these do not go with --accuracy: {', '.join(others)}.")
    if options.protocol is None:
        options.protocol = _pack()
    protocol, assumed = _protocol(options, None), AssumedRight(options.accuracy, **given)
    print(right_text(plan_right(protocol, assumed, power=options.power), assumed, protocol, options.power))
    return 0


def _pack() -> Path:
    """The criteria of the shipped pack, of which a copy need not be at hand."""
    from auditkit.cli.starter import shipped_folder

    return shipped_folder("diagnosis") / "protocol.toml"


def _protocol(options: argparse.Namespace, pilot: Evidence | None) -> Protocol:
    """Return the criteria to plan for: those of the file given, else the pilot's, else the shipped file's."""
    from auditkit.planning import with_margin
    from auditkit.protocol.read import load_protocol
    from auditkit.protocol.recorded import own_protocol

    if pilot is not None and options.protocol is None:
        protocol = own_protocol(pilot, options.profile)
    else:
        path: Path = options.protocol or PROTOCOL
        if not path.is_file():
            raise AuditkitError(f"protocol {path} does not exist.", "Give one with --protocol=FILE.")
        protocol = load_protocol(path, options.profile)
    return protocol if options.margin is None else with_margin(protocol, options.margin, pilot)
