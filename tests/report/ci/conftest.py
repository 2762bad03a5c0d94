"""Real pytest sessions on the plugin's bench, with the variables that CI sets."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import audit_run, bench, high_words

__all__ = ["audit_run", "bench", "high_words"]


@pytest.fixture
def on_github(bench, monkeypatch):
    """A step of GitHub Actions whose checkout is the bench."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(bench.path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(bench.path / "summary.md"))
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.example")
    monkeypatch.setenv("GITHUB_REPOSITORY", "team/audits")
    monkeypatch.setenv("GITHUB_RUN_ID", "42")
    return bench


@pytest.fixture
def on_gitlab(bench, monkeypatch):
    """A job of GitLab CI whose checkout is the bench."""
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_PROJECT_DIR", str(bench.path))
    return bench
