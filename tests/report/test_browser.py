"""What only a browser can tell: the page opens without a complaint and does not scroll sideways on a phone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from auditkit.evidence import Evidence
from auditkit.report.html import render_html

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--virtual-time-budget=2000",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine (Debian: apt-get install chromium)")
def test_nothing_is_wider_than_a_phone(brief: Evidence, tmp_path: Path) -> None:
    assert BROWSER is not None
    # A frame of 360 pixels in a page of our own measures the report; the report itself holds no script.
    (tmp_path / "report.html").write_text(render_html(brief), encoding="utf-8")
    (tmp_path / "frame.html").write_text(
        "<!doctype html><title>waiting</title>"
        "<iframe src='report.html' style='width:360px;height:800px;border:0'></iframe>"
        "<script>addEventListener('load',()=>{const d=frames[0].document;document.title='width '+"
        "d.documentElement.scrollWidth+' height '+d.documentElement.scrollHeight})</script>",
        encoding="utf-8",
    )
    run = subprocess.run(
        [BROWSER, *FLAGS, "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom",
         (tmp_path / "frame.html").as_uri()],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    found = re.search(r"<title>width (\d+) height (\d+)</title>", run.stdout)
    assert found, run.stdout[:300]
    assert int(found[1]) <= 360
    assert int(found[2]) > 5000
