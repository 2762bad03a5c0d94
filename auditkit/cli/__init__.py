"""The command line: thin; everything is a library call or a pytest run. One file per command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from auditkit import __version__
from auditkit.cli import card, compare, doctor, init, models, plan, report, run, schema, verify
from auditkit.errors import AuditkitError

COMMANDS = (init, run, models, doctor, plan, report, compare, schema, verify, card)
"""Each has ``add(commands)``, which adds a parser whose ``do(options)`` returns the exit code."""


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
    options.rest = rest
    if rest and options.command != "run":
        parser.error(f"unknown arguments: {' '.join(rest)}")
    try:
        return int(options.do(options))
    except AuditkitError as error:
        print(f"auditkit: {error}", file=sys.stderr)
        return 4


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="auditkit", description="Audits of vision-language models on medical images, on criteria declared before."
    )
    parser.add_argument("--version", action="version", version=f"auditkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
