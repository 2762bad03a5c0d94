"""``auditkit init``: the shipped audits and protocol as files of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from auditkit.cli.starter import PACKS


def add(commands: Any) -> None:
    init = commands.add_parser(
        "init",
        help="copy the shipped audits and protocol into a folder of your own, or compare it with newer ones",
        description="Copies the audits and protocol.toml, and writes a pytest.ini here where pytest has no settings; "
        "never overwrites. With --diff: ends 0 when the installed auditkit ships nothing that is not in the folder, "
        "1 when it does.",
    )
    init.add_argument("folder", metavar="DIR", nargs="?", type=Path, help="default: audits, or the name of the pack")
    init.add_argument("--pack", metavar="NAME", default="", help=f"audits for one purpose instead: {', '.join(PACKS)}")
    what = init.add_mutually_exclusive_group()
    what.add_argument("--diff", action="store_true", help="show what auditkit and what you changed since the copy")
    what.add_argument(
        "--reviewed",
        action="store_true",
        help="note that you have seen what the installed auditkit ships: what differs from now on counts as yours",
    )
    init.set_defaults(do=_init)


def _init(options: argparse.Namespace) -> int:
    from auditkit.cli.starter import NOTE, copy, read_note, shipped, write_note
    from auditkit.cli.starter.settings import settle

    folder: Path = options.folder or Path(options.pack or "audits")
    if options.diff:
        return _diff(folder)
    if options.reviewed:
        pack = read_note(folder).pack
        write_note(folder, shipped(pack), pack)
        print(f"{folder / NOTE} now holds what the installed auditkit ships.")
        return 0
    for path in copy(folder, options.pack):
        print(path)
    written, advice = settle(folder)
    if written is not None:
        print(written)
    print(f"These are yours now. Margins: {folder / 'protocol.toml'}. Run: pytest {folder} --model=NAME")
    if advice:
        print(advice)
    return 0


def _diff(folder: Path) -> int:
    from auditkit.cli.starter.changes import compare

    found = compare(folder)
    print(f"{folder}: copied from auditkit {found.copied_from}; installed is {found.installed}.")
    for change in found.changes:
        print(f"\n{change.name}: {change.verdict}")
        print("\n".join(change.diffs()))
    if not found.news:
        print("The installed auditkit ships nothing that is not here.")
        return 0
    print(f"\nTake over what you want, then: auditkit init {folder} --reviewed")
    return 1
