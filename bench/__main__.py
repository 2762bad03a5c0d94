"""Run the benchmarks named on the command line, or all of them: ``python -m bench [NAME ...]``.

One takes options: ``python -m bench versions --against COMMIT``.
"""

from __future__ import annotations

import sys
from importlib import import_module
from itertools import takewhile
from pathlib import Path

WITH_OPTIONS = "versions"


def names() -> list[str]:
    """Return the benchmarks there are: the modules of this folder that do not begin with an underscore."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main(words: list[str]) -> int:
    """Print each benchmark's own report under its name; 2 for words that mean nothing, as argparse has it."""
    chosen = list(takewhile(lambda word: not word.startswith("-"), words))
    options = words[len(chosen) :]
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}. Use one of: {', '.join(names())}.", file=sys.stderr)
        return 2
    if options and chosen != [WITH_OPTIONS]:
        print(f"{' '.join(options)}: only `python -m bench {WITH_OPTIONS}` takes options.", file=sys.stderr)
        return 2
    for name in chosen or names():
        print(f"## {name}\n", flush=True)
        run = import_module(f"bench.{name}").main
        run(options) if options else run()
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
