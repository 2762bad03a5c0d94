"""Write the golden files again: ``python -m tests.goldens``; only when what they hold was meant to change."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.goldens import computed

FOLDER = Path(__file__).parent


def write(name: str, content: dict[str, object]) -> None:
    (FOLDER / name).write_text("\n".join(_lines(content)) + "\n", encoding="utf-8")


def _lines(content: dict[str, object]) -> Iterator[str]:
    """One entry a line, so that a change shows what it changes."""
    entries = [f"{json.dumps(key)}: {json.dumps(content[key], sort_keys=True)}" for key in sorted(content)]
    yield "{"
    yield ",\n".join(entries)
    yield "}"


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["keys", "verdicts", "rates"]
    if "keys" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            write("keys.json", computed.keys(Path(folder)))
    if "verdicts" in wanted:
        answers = json.loads((FOLDER / "answers.json").read_text(encoding="utf-8"))
        write("verdicts.json", computed.verdicts(answers))
    if "rates" in wanted:
        write("rates.json", computed.rates())
