"""Train the reference model, or measure it: ``python -m tools.reference {train,evaluate} [OPTION ...]``."""

from __future__ import annotations

import sys
from importlib import import_module

COMMANDS = ("train", "evaluate")


def main(arguments: list[str]) -> int:
    """Hand the options to the command named first; 2 for a name that does not exist, as argparse has it."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f"usage: python -m tools.reference {{{','.join(COMMANDS)}}} [OPTION ...]", file=sys.stderr)
        return 2
    command = import_module(f"tools.reference.{arguments[0]}")  # here: torch takes seconds to load
    code: int = command.main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
