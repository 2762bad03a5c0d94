"""The simulated record, made once; `sample.py` is loaded by its path, as tests are no package."""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path
from types import ModuleType

import pytest

from auditkit.evidence import Evidence
from auditkit.report.html import render_html


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    spec = importlib.util.spec_from_file_location("auditkit_report_sample", Path(__file__).with_name("sample.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def full(sample: ModuleType) -> Evidence:
    """The record in the demo's size, with thumbnails."""
    return sample.full()


@pytest.fixture(scope="session")
def lean(sample: ModuleType) -> Evidence:
    """The same without pictures."""
    return sample.lean()


@pytest.fixture(scope="session")
def brief(lean: Evidence) -> Evidence:
    """One audit per family: every section at a tenth of the time."""
    first = {audit.family: audit for audit in reversed(lean.audits)}
    return lean.model_copy(update={"audits": [a for a in lean.audits if first[a.family] is a]})


@pytest.fixture(scope="session")
def rendered(full: Evidence) -> tuple[str, float]:
    """The page of the full record, and the processor time it took in seconds (the machine may be busy)."""
    started = time.process_time()
    text = render_html(full)
    return text, time.process_time() - started


@pytest.fixture(scope="session")
def page(rendered: tuple[str, float]) -> str:
    return rendered[0]
