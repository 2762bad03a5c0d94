"""``auditkit doctor``: what is there and what is missing for an audit of a model."""

from __future__ import annotations

import argparse
from typing import Any

from auditkit.cli.models import registry_option


def add(commands: Any) -> None:
    doctor = commands.add_parser(
        "doctor",
        parents=[registry_option()],
        help="say what is there and what is missing for an audit of a model, and end 1 when something is missing",
        description="Looks at packages, weights, access, memory, disk or server. Downloads nothing, loads no model.",
    )
    doctor.add_argument("--model", metavar="NAME", default="reference", help="as for a run; default: reference")
    doctor.add_argument("--audit-endpoint", metavar="URL", help="an OpenAI-compatible server that has the model")
    doctor.add_argument("--audit-base", metavar="NAME", help="what an adapter folder is put on; default: what it names")
    doctor.add_argument(
        "--audit-dtype", choices=("float32", "bfloat16", "float16"), help="in which the weights would be loaded"
    )
    doctor.set_defaults(do=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from auditkit.models.base import ModelOptions
    from auditkit.models.doctor import as_text, examine

    wanted = ModelOptions(
        endpoint=options.audit_endpoint,
        registry=options.audit_registry,
        base=options.audit_base,
        dtype=options.audit_dtype,
    )
    title, findings = examine(options.model, wanted)
    print(as_text(title, findings))
    return int(any(finding.state == "missing" for finding in findings))
