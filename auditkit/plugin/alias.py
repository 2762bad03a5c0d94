"""``--model``, the short name of ``--audit-model``: it yields to whoever else has an option of that name.

An option that is declared twice ends every session of the environment, so ``--model`` is not declared at all. Where it
is typed and no plugin or conftest.py knows it, it is read as ``--audit-model``. Imported in every pytest session, so it
imports the standard library and pytest only.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import pytest

OPTION, ALIAS = "--audit-model", "--model"


def spelt_out(args: Sequence[str]) -> list[str] | None:
    """Return the arguments with ``--model`` written as ``--audit-model``; None where they do not have it."""
    end = list(args).index("--") if "--" in args else len(args)
    options = [_spelt_out(arg) for arg in args[:end]]
    return None if options == list(args[:end]) else [*options, *args[end:]]


def is_taken(parser: pytest.Parser) -> bool:
    """Whether somebody else has declared an option ``--model``."""
    probe = f"{ALIAS}=x"
    try:
        return probe not in parser.parse_known_and_unknown_args([probe])[1]
    except pytest.UsageError:  # it is a switch, or takes other values
        return True


def look_past_the_name(config: pytest.Config, parser: pytest.Parser, args: Sequence[str]) -> None:
    """Let pytest look for conftest.py files where the paths are; after ``--model`` and a space stands none."""
    known = parser.parse_known_args(args, namespace=copy.copy(config.option))
    config.known_args_namespace.file_or_dir = known.file_or_dir


def _spelt_out(arg: str) -> str:
    name, equals, value = arg.partition("=")
    return f"{OPTION}{equals}{value}" if name == ALIAS else arg
