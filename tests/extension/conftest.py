import contextlib
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditkit import Evidence
from auditkit.cli import main
from tests.forked import Forked

collect_ignore = ["ward_kit"]  # its audits are run by the tests, in processes of their own

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Ward:
    """A folder of its own with the audits of ward_kit, and processes that run in it."""

    def __init__(self, folder: Path, forked: Forked) -> None:
        self.folder = folder
        self._forked = forked
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "GITHUB_", "GITLAB_"))}
        self.environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]),
            "AUDITKIT_SALT": "salt of the ward",
        }
        for name in ("audits", "more"):
            shutil.copytree(HERE / "ward_kit" / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider --audit-report=html\n")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pytest, with ward_kit as a plugin."""
        return self.pytest("-p", "ward_kit.plugin", *arguments)

    def pytest(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run pytest without ward_kit."""
        return self._forked.run("pytest", *arguments, cwd=self.folder, env=self.environment)

    def audit(self, model: str, out: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Audit one of ward_kit's models."""
        return self.run(*_of_an_audit(model, out), *arguments)

    def audit_afresh(self, model: str, out: str) -> subprocess.CompletedProcess[str]:
        """As `audit`, with an interpreter of its own."""
        command = [sys.executable, "-m", "pytest", "-p", "ward_kit.plugin", *_of_an_audit(model, out)]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )

    def auditkit(self, *arguments: str) -> tuple[int, str]:
        """Run the command auditkit here, which spares a process, without any plugin; exit code and what it printed."""
        said = io.StringIO()
        with contextlib.chdir(self.folder), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([*arguments])
        return code, said.getvalue()

    def evidence(self, out: str) -> Evidence:
        """Return the record of a run."""
        return Evidence.from_json((self.folder / out / "evidence.json").read_text(encoding="utf-8"))

    def verdicts(self, out: str) -> dict[str, str]:
        """Return the verdicts of a run by audit."""
        return {audit.id: audit.verdict for audit in self.evidence(out).audits}


def _of_an_audit(model: str, out: str) -> tuple[str, ...]:
    return ("audits", f"--model={model}", "--audit-data=ward:160", f"--audit-out={out}")


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """As if ward_kit were installed."""
    monkeypatch.syspath_prepend(HERE)


@pytest.fixture(scope="session")
def ward(tmp_path_factory, forked) -> Ward:
    """The folder after two runs: of a fair model (out: fair) and of one that falls for a sentence (out: gullible)."""
    ward = Ward(tmp_path_factory.mktemp("ward"), forked)
    ward.fair = ward.audit_afresh("ward-fair", "fair")
    ward.gullible = ward.audit("ward-gullible", "gullible")
    return ward
