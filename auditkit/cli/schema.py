"""``auditkit schema``: the published schema of the record."""

from __future__ import annotations

import argparse
import json
from typing import Any


def add(commands: Any) -> None:
    schema = commands.add_parser("schema", help="print the JSON Schema of evidence.json")
    schema.set_defaults(do=_schema)


def _schema(options: argparse.Namespace) -> int:
    from auditkit.evidence import json_schema

    print(json.dumps(json_schema(), indent=1, sort_keys=True))
    return 0
