"""``auditkit card`` at the command line."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from auditkit.cli import main
from tests.report.clauses.build import complete


@pytest.fixture
def record(tmp_path):
    path = tmp_path / "evidence.json"
    path.write_text(complete().to_json(), encoding="utf-8")
    return path


def test_a_card_is_printed_or_written(record, tmp_path, capsys):
    assert main(["card", str(record)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("---\ntags:")
    out = tmp_path / "card.xml"
    assert main(["card", str(record), "--format=chai", f"--out={out}"]) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert ET.parse(out).getroot().tag.endswith("AppliedModelCard")
    assert main(["card", str(record), "--source-url=https://example.org/e.json"]) == 0
    assert 'url: "https://example.org/e.json"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format=chai", "--source-url=https://x.y"], "is for --format=huggingface"),
        (["--out=/nowhere/card.md"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_with_what_to_type(record, options, says, capsys):
    assert main(["card", str(record), *options]) == 4
    assert says in capsys.readouterr().err


def test_a_file_that_is_no_record_is_said_to_be_none(tmp_path, capsys):
    path = tmp_path / "x.json"
    path.write_text("{}", encoding="utf-8")
    assert main(["card", str(path)]) == 4
    assert "is not evidence" in capsys.readouterr().err
