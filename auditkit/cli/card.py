"""``auditkit card``: a model card from a record."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from auditkit import durable
from auditkit.errors import AuditkitError

FORMATS = ("chai", "huggingface")


def add(commands: Any) -> None:
    card = commands.add_parser(
        "card",
        help="write a model card from an evidence.json",
        description="Write a model card from a record. What the record does not hold reads 'not stated'.",
    )
    card.add_argument("evidence", metavar="EVIDENCE.json", type=Path)
    card.add_argument(
        "--format",
        choices=FORMATS,
        default="huggingface",
        help="chai: CHAI Applied Model Card (XML); huggingface: Markdown with a model-index (default)",
    )
    card.add_argument("--out", metavar="FILE", type=Path, help="default: print it")
    card.add_argument("--source-url", metavar="URL", help="where readers can get the record (huggingface only)")
    card.set_defaults(do=_card)


def _card(options: argparse.Namespace) -> int:
    from auditkit.evidence.reading import read_evidence
    from auditkit.measure.marks import refuse_marks_beyond
    from auditkit.report.cards import chai_card, huggingface_card

    if options.source_url and options.format != "huggingface":
        raise AuditkitError(
            f"--source-url={options.source_url} is for --format=huggingface; the format is {options.format}.",
            "Leave it out: the CHAI card has no place for it.",
        )
    evidence, record = read_evidence(options.evidence)
    refuse_marks_beyond(evidence, str(options.evidence))
    text = chai_card(evidence) if options.format == "chai" else huggingface_card(evidence, record, options.source_url)
    if options.out is None:
        print(text, end="")
        return 0
    try:
        durable.write(options.out, text)
    except OSError as error:
        raise AuditkitError(
            f"{options.out} cannot be written: {error.strerror or error}.", "Give another --out=FILE."
        ) from None
    print(options.out)
    return 0
