"""What is missing is said in one line; nothing is fetched; a failure of the layout loses nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from auditkit.errors import AuditkitError
from auditkit.evidence import Evidence
from auditkit.report.pdf import engine, write_pdf
from auditkit.version import install_line

_NO_WEASYPRINT = "sys.modules['weasyprint'] = None"
_NO_PANGO = """
import cffi
load = cffi.FFI.dlopen
def dlopen(self, name, flags=0):
    if "pango" in str(name):
        raise OSError(f"cannot load library '{name}': {name}: cannot open shared object file")
    return load(self, name, flags)
cffi.FFI.dlopen = dlopen
"""


@pytest.mark.parametrize(
    ("prelude", "words"),
    [
        (_NO_WEASYPRINT, ["weasyprint is not installed", install_line("pdf")]),
        (
            _NO_PANGO,
            ["Pango or one it needs is missing", "install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"],
        ),
    ],
)
def test_without_the_extra_or_pango_the_page_is_there_and_one_line_says_what_to_type(
    small: Evidence, tmp_path: Path, prelude: str, words: list[str]
) -> None:
    (tmp_path / "evidence.json").write_text(small.model_copy(update={"audits": small.audits[:1]}).to_json())
    code = f"import sys\n{prelude}\nfrom auditkit.cli import main\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "report", str(tmp_path / "evidence.json")]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False, timeout=100)
    assert done.returncode == 0
    assert done.stdout == f"{tmp_path / 'report.html'}\n"
    assert len(done.stderr.splitlines()) == 1
    for word in [*words, "report.pdf was not written", "report.html is complete"]:
        assert word in done.stderr
    assert not (tmp_path / "report.pdf").exists()
    asked = subprocess.run(
        [*command, f"--pdf={tmp_path / 'x.pdf'}"], capture_output=True, text=True, cwd=root, check=False, timeout=100
    )
    assert (asked.returncode, asked.stdout) == (4, "")


def test_a_weasyprint_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weasyprint.__version__", "68.1")
    with pytest.raises(AuditkitError, match=r"WeasyPrint 68\.1 is too old") as raised:
        engine.weasyprint()
    assert 'pip install "weasyprint>=69"' in raised.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/x.png", "https://evil.example/x.css", "file:///etc/passwd", "ftp://evil.example/x",
        "auditkit-font:../../../../../etc/passwd", "auditkit-font:DejaVuSans.ttf?x",
    ],
)  # fmt: skip
def test_nothing_is_fetched_but_our_fonts_and_what_is_inside(url: str) -> None:
    fetch = engine._fetcher()
    with pytest.raises(ValueError, match=r"disallowed|Not an absolute"):
        fetch(url)
    assert fetch("auditkit-font:DejaVuSans.ttf").read(4) == b"\0\1\0\0"
    assert fetch("data:text/plain,x").read() == b"x"


def test_a_failing_layout_is_an_error_with_a_remedy_and_leaves_no_file(
    small: Evidence, record: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise AssertionError("table without a wrapper")

    monkeypatch.setattr("weasyprint.HTML.write_pdf", fail)
    with pytest.raises(AuditkitError, match="failed with AssertionError: table without a wrapper") as raised:
        write_pdf(small, tmp_path / "report.pdf", record)
    assert "report.html is complete" in raised.value.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("finished", "moment"),
    [
        ("2026-11-22T01:15:00+00:00", "2026-11-22T01:15:00+00:00"),
        ("2026-11-22T03:15:00+02:00", "2026-11-22T01:15:00+00:00"),
        ("2026-11-22T01:15:00", "2026-11-22T01:15:00+00:00"),
        ("yesterday", "1970-01-01T00:00:00+00:00"),
    ],
)
def test_the_time_of_the_file_is_that_of_the_run(small: Evidence, finished: str, moment: str) -> None:
    record = small.model_copy(update={"run": small.run.model_copy(update={"finished": finished})})
    assert engine.moment_of(record).isoformat() == moment
