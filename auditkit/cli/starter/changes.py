"""Who changed what since the shipped audits were copied: auditkit, their user, or both."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from auditkit import __version__
from auditkit.cli.starter import read, read_note, shipped


@dataclass(frozen=True)
class Change:
    """One file that is not what was copied, on one side at least. A text is None where there is no such file.

    Attributes
    ----------
    name : str
        File name.
    copied : str or None
        What was copied; None when that version did not ship the file.
    own : str or None
        What the folder holds; None when it was removed.
    shipped : str or None
        What the installed auditkit ships; None when it no longer does.
    """

    name: str
    copied: str | None
    own: str | None
    shipped: str | None

    @property
    def by_user(self) -> bool:
        """The user edited, removed or added the file."""
        return self.own != self.copied

    @property
    def by_auditkit(self) -> bool:
        """The installed auditkit ships something else than was copied, and the folder does not hold it yet."""
        return self.shipped not in (self.copied, self.own)

    @property
    def verdict(self) -> str:
        """Who changed the file, in words."""
        if self.by_auditkit:
            return "both changed it" if self.by_user else _done("auditkit", self.copied, self.shipped)
        return (
            "taken over from the installed auditkit"
            if self.own == self.shipped
            else _done("you", self.copied, self.own)
        )

    def diffs(self) -> list[str]:
        """Return unified diffs from what was copied: auditkit's changes first, then the user's."""
        lines: list[str] = []
        if self.by_auditkit:
            lines += _diff(self.name, self.copied, self.shipped, "as copied", "as shipped now")
        if self.by_user and self.own != self.shipped:
            lines += _diff(self.name, self.copied, self.own, "as copied", "yours")
        return lines


@dataclass(frozen=True)
class Comparison:
    """What `compare` found: version copied, version installed, and the files that changed, by name."""

    copied_from: str
    installed: str
    changes: list[Change]

    @property
    def news(self) -> bool:
        """Whether the installed auditkit ships anything that was neither copied nor taken over."""
        return any(change.by_auditkit for change in self.changes)


def compare(folder: Path) -> Comparison:
    """Compare a folder of copied audits with what was copied and with what the installed auditkit ships.

    Files that were never shipped are the user's own and are not looked at.

    Raises
    ------
    AuditkitError
        When the folder has no readable note of what was copied.
    """
    version, pack, copied = read_note(folder)
    now = shipped(pack)
    changes = []
    for name in sorted({*copied, *now}):
        own = read(folder / name) if (folder / name).is_file() else None
        change = Change(name, copied.get(name), own, now.get(name))
        if change.by_user or change.by_auditkit:
            changes.append(change)
    return Comparison(version, __version__, changes)


def _done(who: str, before: str | None, after: str | None) -> str:
    return f"{who} {'added' if before is None else 'removed' if after is None else 'changed'} it"


def _diff(name: str, before: str | None, after: str | None, from_words: str, to_words: str) -> list[str]:
    lines = difflib.unified_diff(
        (before or "").splitlines(),
        (after or "").splitlines(),
        f"{name} ({from_words})",
        f"{name} ({to_words})",
        lineterm="",
    )
    return list(lines)
