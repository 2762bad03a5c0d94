"""pytest's settings beside copied audits: where its root folder is, and that `pytest` alone leaves the audits alone."""

from __future__ import annotations

import configparser
import tomllib
from collections.abc import Callable
from pathlib import Path

from auditkit.errors import AuditkitError

SETTINGS = "pytest.ini"
_OWN_LIST = "*.egg .* _darcs build CVS dist node_modules venv {arch}"
"""What pytest does not look into unless told otherwise: the setting replaces its list."""


def settle(folder: Path) -> tuple[Path | None, str]:
    """Write pytest.ini in the current folder, unless pytest has settings there or above, or the audits lie elsewhere.

    Parameters
    ----------
    folder : pathlib.Path
        Of the audits.

    Returns
    -------
    written : pathlib.Path or None
        The file, where it was written.
    advice : str
        What to add to the settings that are there; empty when nothing.

    Raises
    ------
    AuditkitError
        When the file cannot be written.
    """
    root, audits = Path.cwd(), folder.resolve()
    here = audits == root
    if not audits.is_relative_to(root):
        return None, ""
    apart = f"norecursedirs = {audits.name} {_OWN_LIST}"
    there = settings_file(root)
    if there is not None:
        advice = f"{there} has pytest's settings. For `pytest` alone to leave the audits alone: {apart}"
        return None, "" if here else advice
    lines = [
        "# Written by `auditkit init`. This folder is pytest's root folder: reports/ and .auditkit/ are made in it.",
        "[pytest]",
    ]
    if not here:
        typed = audits.relative_to(root).as_posix()
        lines += [
            f"# `pytest` alone runs your tests; `pytest {typed}/ --model=NAME` runs the audits.",
            apart,
        ]
    path = Path(SETTINGS)
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        raise AuditkitError(f"{path} cannot be written: {error.strerror or error}.") from None
    return path, ""


def settings_file(root: Path) -> Path | None:
    """Return the file that pytest takes its settings from when it starts in a folder; None where there is none."""
    for folder in (root.resolve(), *root.resolve().parents):
        for name, holds in _FILES.items():
            path = folder / name
            if path.is_file() and holds(path):
                return path
    return None


def _pyproject(path: Path) -> bool:
    try:
        return "pytest" in tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (OSError, ValueError):
        return False


def _section(name: str) -> Callable[[Path], bool]:
    def holds(path: Path) -> bool:
        found = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            found.read(path, encoding="utf-8")
        except (configparser.Error, ValueError):
            return False
        return found.has_section(name)

    return holds


# As pytest looks for them; the first four need no section.
_FILES: dict[str, Callable[[Path], bool]] = {
    **dict.fromkeys(("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"), lambda path: True),
    "pyproject.toml": _pyproject,
    "tox.ini": _section("pytest"),
    "setup.cfg": _section("tool:pytest"),
}
