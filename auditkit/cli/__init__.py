"""The command line: thin; everything is a library call or a pytest run. One file per command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from auditkit import __version__
from auditkit.cli import card, compare, doctor, history, init, models, plan, report, run, schema, verify
from auditkit.errors import AuditkitError, of_the_system

_PIPE_CLOSED = 141  # as a shell has it for a program that SIGPIPE ended
COMMANDS = (init, run, models, doctor, plan, report, compare, history, schema, verify, card)
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
        code = int(options.do(options))
        sys.stdout.flush()
        return code
    except AuditkitError as error:
        print(f"auditkit: {error}", file=sys.stderr)
        return 4
    except BrokenPipeError:  # who reads has enough, as with `| head`
        _drop_output()
        return _PIPE_CLOSED
    except OSError as error:
        print(f"auditkit: {of_the_system(error)}", file=sys.stderr)
        _drop_output()
        return 4


def _drop_output() -> None:
    """Let the interpreter end without another attempt to write what could not be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="auditkit", description="Audits of vision-language models on medical images, on criteria declared before."
    )
    parser.add_argument("--version", action="version", version=f"auditkit {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser
