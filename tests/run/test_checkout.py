"""What a record says of the checkout, held to checkouts made here."""

import os
import subprocess
from pathlib import Path

import pytest

from auditkit.run import checkout as module
from auditkit.run.checkout import checkout
from auditkit.run.settings import Settings

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


@pytest.fixture(autouse=True)
def no_settings_of_the_user(monkeypatch):
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *WHO, "-C", folder, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path):
    """A checkout with audits in a folder of it, and nothing that differs."""
    top = tmp_path / "clone"
    root = top / "project ü"
    root.mkdir(parents=True)
    git(top, "init", "-q")
    (root / "audits.py").write_text("1")
    (root / "evidence.json").write_text("of somebody else")
    git(top, "add", ".")
    git(top, "commit", "-qm", "first")
    return root


def looked(root: Path, **others):
    return checkout(Settings(model="m", data="demo", protocol=Path("p.toml"), root=root, uid="u", **others))


def write(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def test_the_commit_and_no_change(project):
    assert looked(project) == {"commit": git(project, "rev-parse", "HEAD"), "dirty": False}


def test_what_runs_leave_is_no_change(project):
    write(
        *(project / "reports" / "m" / "1" / name for name in ("evidence.json", "report.html", "report.pdf")),
        *(project / ".auditkit" / name for name in ("salt", "answers.sqlite", "answers.sqlite-wal")),
        *(project / "elsewhere" / name for name in ("a.db", "a.db-shm", "a.db.lock")),
        *(project / "previous" / name for name in ("evidence.json", "report.html")),
        *(project / "out" / name for name in ("evidence.json", "gl-code-quality.json")),
        project / "__pycache__" / "audits.pyc",
        project / ".pytest_cache" / "v" / "x",
        project / "junit.xml",
    )
    (project / "reports" / "m" / "latest").symlink_to("1")
    found = looked(
        project,
        out=project / "out",
        store="elsewhere/a.db",
        references={"baseline": project / "previous" / "evidence.json"},
        outputs=(project / "junit.xml",),
    )
    assert found["dirty"] is False


@pytest.mark.parametrize(
    "name",
    ["new.py", "reports/tool.py", "reports/m/protocol.toml", "out/conftest.py", "previous.py", "sub/a\nb.py"],
)
def test_any_other_file_is_a_change(project, name):
    write(project / name)
    found = looked(project, out=project / "out", references={"baseline": project / "previous" / "evidence.json"})
    assert found["dirty"] is True


@pytest.mark.parametrize("name", ["audits.py", "evidence.json"])
def test_a_file_that_git_knows_and_that_differs_is_a_change(project, name):
    (project / name).write_text("2")
    assert looked(project)["dirty"] is True
    git(project, "add", ".")
    assert looked(project)["dirty"] is True


def test_a_shallow_checkout_says_so(project, tmp_path):
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{project.parent}", "shallow")
    found = looked(tmp_path / "shallow" / project.name)
    assert found["commit"] == git(project, "rev-parse", "HEAD")
    assert found["dirty"] is False
    assert found["reason"] == "the checkout is shallow: it does not hold the commits before"


def test_a_checkout_of_another_user_says_so(project, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch for its own tests
    assert looked(project) == {
        "reason": "git refuses the checkout because it belongs to another user (see safe.directory)"
    }


def test_a_checkout_without_a_commit_says_so(tmp_path):
    git(tmp_path, "init", "-q")
    write(tmp_path / "a.py")
    assert looked(tmp_path) == {"dirty": True, "reason": "the checkout has no commit yet"}


def test_outside_of_a_checkout_there_is_nothing_to_say(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert looked(tmp_path) == {}


def test_a_git_that_is_not_there_or_does_not_end_is_said(project, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert looked(project) == {"reason": "git is not installed"}
    (tmp_path / "git").write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setattr(module, "_SECONDS", 0.2)
    assert looked(project) == {"reason": "git gave no answer within 0.2 s"}
