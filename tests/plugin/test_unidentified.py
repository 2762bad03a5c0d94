"""Pictures in a folder, of which nobody says whose they are: from the dry run to the report and its verification."""

import json

from auditkit.records.verify import verify

SENTENCE = "60 of 60 images were counted as a patient per file"


def strict(bench):
    protocol = bench.path / "audits" / "protocol.toml"
    protocol.write_text(protocol.read_text().replace("files_as_patients = true\n", ""))


def record_of(folder):
    return json.loads((folder / "evidence.json").read_text())


def test_a_folder_of_files_passes_nothing_and_says_which_column_to_give(bench, audit_run):
    strict(bench)
    dry = audit_run("--audit-dry-run").stdout.str()
    assert SENTENCE in dry
    result = audit_run("--audit-out=out")
    record = record_of(bench.path / "out")
    assert {audit["verdict"] for audit in record["audits"]} == {"INCONCLUSIVE"}
    assert all("give patient_id in a manifest" in audit["sentence"] for audit in record["audits"])
    assert record["data"]["units"] == {"file": 60}
    shown = " ".join(result.stdout.str().split())
    assert SENTENCE in shown
    page = (bench.path / "out" / "report.html").read_text()
    assert SENTENCE in page
    checks = verify(bench.path / "out", store=str(bench.path / ".auditkit" / "answers.sqlite"))
    assert not [check for check in checks if check.state == "DOES NOT MATCH"]


def test_with_a_column_of_patients_the_same_pictures_are_judged(bench, audit_run):
    strict(bench)
    names = sorted(path.name for path in (bench.path / "pictures").iterdir())
    rows = "\n".join(f"{name},p{i}" for i, name in enumerate(names))
    (bench.path / "pictures" / "m.csv").write_text(f"file_name,patient_id\n{rows}\n")
    audit_run("--audit-out=out", data="pictures/m.csv")
    record = record_of(bench.path / "out")
    assert {audit["verdict"] for audit in record["audits"]} == {"PASS", "FAIL"}
    assert record["data"]["units"] == {"patient": 60}
    assert "counted as a patient" not in (bench.path / "out" / "report.html").read_text()
    assert str(bench.path.parent) not in record["run"]["command"]


def test_a_column_nearly_called_patient_id_stops_before_anything_is_asked(bench, audit_run):
    (bench.path / "pictures" / "m.csv").write_text("file_name,Patient_ID\np000.png,p1\n")
    result = audit_run("--audit-out=out", data="pictures/m.csv")
    assert result.ret == 4
    assert 'Call it "patient_id"' in " ".join(result.stderr.str().split())
    assert not (bench.path / "calls.log").exists()
