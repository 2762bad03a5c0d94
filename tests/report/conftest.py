"""The simulated record, made once; `sample.py` is loaded by its path, as tests are no package."""

from __future__ import annotations

import importlib.util
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from auditkit.evidence import Evidence
from auditkit.report.html import render_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"auditkit_report_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sample() -> ModuleType:
    return _module("sample")


@pytest.fixture(scope="session")
def large(full: Evidence) -> Evidence:
    """Ten thousand audits of six modalities."""
    return _module("large").large(full)


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
    """One audit per family that decides, and what is shown: every section at a tenth of the time."""
    first = {audit.family: audit for audit in reversed(lean.audits)}
    return lean.model_copy(update={"audits": [a for a in lean.audits if a.shown or first[a.family] is a]})


@pytest.fixture(scope="session")
def rendered(full: Evidence) -> tuple[str, float]:
    """The page of the full record, and the processor time it took in seconds (the machine may be busy)."""
    started = time.process_time()
    text = render_html(full)
    return text, time.process_time() - started


@pytest.fixture(scope="session")
def page(rendered: tuple[str, float]) -> str:
    return rendered[0]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A real browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (extra dev)")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a file in a fresh profile; a complaint on the console or a request for anything else fails the test."""
    contexts, trouble = [], []

    def open_(path: Path, fragment: str = "", **options: Any) -> Any:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("request", lambda r: trouble.append(r.url) if not r.url.startswith((path.as_uri(), "data:")) else None)
        page.goto(path.as_uri() + fragment)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []
