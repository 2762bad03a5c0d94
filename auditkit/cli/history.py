"""``auditkit history``: the runs of one model in time, as a table and one page."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

from auditkit.errors import AuditkitError


def add(commands: Any) -> None:
    history = commands.add_parser(
        "history",
        help="the runs of one model in time: what got worse when, and what drifts slowly",
        description="Reads every evidence.json below a folder and prints the runs of one model in time; --html writes "
        "a page. What its figures mean: docs/history.md.",
    )
    history.add_argument("folder", metavar="REPORTS", type=Path, help="folder that runs were written to: reports/")
    history.add_argument("--model", metavar="NAME", help="which model, where the folder has runs of several")
    history.add_argument("--html", metavar="FILE", type=Path, help="write the page, with all figures, to this file")
    history.add_argument(
        "--monitor", action="store_true", help="add, for information, bands over new patients that hold at every look"
    )
    history.set_defaults(do=_history)


def _history(options: argparse.Namespace) -> int:
    from auditkit.records.history import history, of_model, search
    from auditkit.report.history import history_lines, write_history
    from auditkit.words import visible

    searched = search(options.folder)
    runs, others = of_model(searched, options.model)
    found = history(runs, searched.folder, searched.left_out, others, monitor=options.monitor)
    for line in history_lines(found, shutil.get_terminal_size().columns):
        print(line)
    print()
    for sentence in (*found.notes, *found.sentences):
        print(visible(sentence))
    for one in found.left_out:
        print(visible(f"left out: {one.path}: {one.why}"))
    if options.html is not None:
        try:
            write_history(found, options.html)
        except OSError as error:
            raise AuditkitError(
                f"{options.html} cannot be written: {error.strerror or error}.", "Give another --html=FILE."
            ) from None
        print(options.html)
    return 0
