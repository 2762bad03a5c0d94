"""The command line: thin, with sentences for what is wrong."""

import json

import pytest

from auditkit.cli import main
from tests.report.sample import lean


def test_models_lists_the_registry(capsys):
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "reference " in out
    assert "medgemma" in out


def test_schema_is_json(capsys):
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"].endswith("2020-12/schema")
    assert "audits" in schema["properties"]


@pytest.mark.parametrize("content", ["no json", "{}", '{"schema_version": 1}'])
def test_report_of_what_is_no_evidence(tmp_path, capsys, content):
    path = tmp_path / "evidence.json"
    path.write_text(content)
    assert main(["report", str(path)]) == 4
    error = capsys.readouterr().err
    assert "is no evidence" in error
    assert "Traceback" not in error


def test_report_of_a_missing_file(tmp_path, capsys):
    assert main(["report", str(tmp_path / "none.json")]) == 4
    assert "cannot be read" in capsys.readouterr().err


def test_report_is_rendered_anew_from_the_record(tmp_path, capsys):
    path = tmp_path / "evidence.json"
    path.write_text(lean().to_json())
    assert main(["report", str(path)]) == 0
    assert "<html" in (tmp_path / "report.html").read_text()
    assert main(["report", str(path), f"--out={tmp_path}/no/folder/report.html"]) == 4
    assert "cannot be written" in capsys.readouterr().err
