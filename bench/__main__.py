"""Run the benchmarks named on the command line, or all of them: ``python -m bench [NAME ...]``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def names() -> list[str]:
    """Return the benchmarks there are: the modules of this folder that do not begin with an underscore."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def main(chosen: list[str]) -> int:
    """Print each benchmark's own report under its name; 2 for a name that does not exist, as argparse has it."""
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}. Use one of: {', '.join(names())}.", file=sys.stderr)
        return 2
    for name in chosen or names():
        print(f"## {name}\n", flush=True)
        import_module(f"bench.{name}").main()
        print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
