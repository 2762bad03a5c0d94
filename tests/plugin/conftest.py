import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auditkit import perturbations
from auditkit.evidence import Evidence
from tests.plugin.stubs import AUDITS, INI, MODELS, PROTOCOL

N_IMAGES = 60


@pytest.fixture
def bench(request, pytester, monkeypatch):
    """A folder with a stub model, a small protocol, three audits and sixty small PNG files."""
    # The child processes must not write into this checkout's own store, nor inherit an outer xdist run or what CI sets.
    for name in (
        "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "PYTEST_ADDOPTS", "GITHUB_ACTIONS", "GITLAB_CI",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUDITKIT_SALT", "salt of the tests")
    # This checkout's package, whichever one is installed.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(pytester.path), str(request.config.rootpath)]))
    monkeypatch.setenv("STUB_CALLS", str(pytester.path / "calls.log"))
    pytester.makepyfile(stub_models=MODELS)
    pytester.makeini(INI)
    audits = pytester.mkdir("audits")
    (audits / "protocol.toml").write_text(PROTOCOL)
    (audits / "test_audits.py").write_text(AUDITS)
    pictures = pytester.mkdir("pictures")
    write_pictures(pictures)
    return pytester


def evidence_of(bench, folder) -> Evidence:
    """The record of a run, by its folder on the bench."""
    return Evidence.from_json((bench.path / folder / "evidence.json").read_text())


def calls(bench) -> list[str]:
    """What the stub model was asked."""
    log = bench.path / "calls.log"
    return log.read_text().splitlines() if log.exists() else []


def write_pictures(folder: Path, count: int = N_IMAGES) -> None:
    rng = np.random.default_rng(1)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (24, 24), dtype=np.uint8)).save(folder / f"p{i:03d}.png")


def of_a_run(arguments, model, data):
    return ("audits", f"--model={model}", f"--audit-data={data}", *arguments)


@pytest.fixture
def audit_run(bench, forked):
    """Run pytest in a process of its own on the bench."""

    def run(*arguments, model="stub_models:base", data="pictures"):
        return forked.pytest(*of_a_run(arguments, model, data), cwd=bench.path)

    return run


@pytest.fixture
def fresh_run(bench):
    """As `audit_run`, with an interpreter of its own, as users start it."""

    def run(*arguments, model="stub_models:base", data="pictures"):
        return bench.runpytest_subprocess(*of_a_run(arguments, model, data))

    return run


@pytest.fixture
def high_words():
    """Words of one prestige sentence, for the stub that falls for it."""
    level = next(v for v in perturbations.levels().values() if v.category == "institution" and v.side == "high")
    return level.sentence
