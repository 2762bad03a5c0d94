"""``auditkit report``: where the two files go."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditkit.cli import main
from auditkit.evidence import Evidence


@pytest.fixture
def path(small: Evidence, tmp_path: Path) -> Path:
    file = tmp_path / "run" / "evidence.json"
    file.parent.mkdir()
    file.write_text(small.model_copy(update={"audits": small.audits[:1], "examples": []}).to_json())
    return file


def test_both_are_written_into_a_folder_and_the_pdf_holds_the_file_given(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    path.write_bytes(path.read_bytes() + b"\n \n")  # the same record, other bytes
    out = tmp_path / "out"
    assert main(["report", str(path), f"--out={out}"]) == 0
    assert capsys.readouterr().out.splitlines() == [str(out / "report.html"), str(out / "report.pdf")]
    assert sorted(file.name for file in out.iterdir()) == ["report.html", "report.pdf"]
    assert sorted(file.name for file in path.parent.iterdir()) == ["evidence.json"]
    with pikepdf.open(out / "report.pdf") as pdf:
        assert pdf.attachments["evidence.json"].get_file().read_bytes() == path.read_bytes()


def test_what_is_named_is_written_and_nothing_else(path: Path, tmp_path: Path) -> None:
    assert main(["report", str(path), f"--html={tmp_path / 'deep' / 'page.html'}"]) == 0
    assert "<html" in (tmp_path / "deep" / "page.html").read_text(encoding="utf-8")
    assert [file.name for file in path.parent.iterdir()] == ["evidence.json"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out=x.pdf"], "x.pdf cannot be written: --out names a folder. Use --pdf=x.pdf."),
        (["--out=x", "--html=y"], "--out=x names a folder for both reports"),
        (["--html=evidence.json/page.html"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    monkeypatch.chdir(path.parent)
    assert main(["report", "evidence.json", *options]) == 4
    error = capsys.readouterr().err
    assert words in error
    assert len(error.splitlines()) == 1
    assert [file.name for file in path.parent.iterdir()] == ["evidence.json"]
