"""What pytest and the command ``auditkit`` load first, outside the package, which another one may have overwritten.

The name auditkit on PyPI is somebody else's, and that package is imported by the same name. Where both are installed
each has written over files of the other, so this says so before anything of auditkit is imported.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

DISTRIBUTION = "pytest-auditkit"
FOREIGN = "auditkit"


def clash() -> str:
    """Return what is wrong and what to do where both packages are installed; empty elsewhere."""
    try:
        other = version(FOREIGN)
    except PackageNotFoundError:
        return ""
    return (
        f"two packages that are both imported as auditkit are installed here: {DISTRIBUTION}, and {FOREIGN} {other}, "
        "which is somebody else's. Each has written over files of the other. "
        f"Type: pip uninstall --yes {FOREIGN} {DISTRIBUTION}; then install {DISTRIBUTION} again, as you did before."
    )


def main() -> int:
    """Run the command ``auditkit``."""
    if said := clash():
        print(f"auditkit: {said}", file=sys.stderr)
        return 4
    from auditkit.cli import main as command

    return command()


if said := clash():

    def pytest_load_initial_conftests(args: list[str]) -> None:
        """Refuse to audit; a session that names no model has nothing to do with it."""
        if any(word.startswith(("--audit-", "--model")) for word in args):
            raise pytest.UsageError(f"auditkit: {said}")

    def pytest_report_header() -> str:
        return f"auditkit: {said}"

else:
    from auditkit.plugin import *  # noqa: F403 - the hooks
