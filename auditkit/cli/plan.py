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


def add(commands: Any) -> None:
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


def _plan(options: argparse.Namespace) -> int:
    from auditkit.evidence.reading import read_evidence
    from auditkit.planning import Assumed, as_text, plan_from_pilot, plan_from_sd

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
        evidence = read_evidence(options.pilot)[0]
        plan = plan_from_pilot(evidence, _protocol(options, evidence), power=options.power)
    print(as_text(plan))
    return 0


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
