"""A protocol of one's own shows the gap between the levels of a manifest's column."""

import csv
import json

PROTOCOL = """
name = "gaps"
seed = 3
[profiles.ci]
alpha = 0.05
[images]
max_side = 32
[prompts]
score = "quality.direct"
[statistics]
resamples = 1000
[families.devices]
shown = true
"""
AUDITS = '''
import pytest
from auditkit import between, mean

@pytest.mark.parametrize("effect", [between("manufacturer", mean(), family="devices")], ids=str)
def test_devices(effect, audit):
    """Are images of every device scored alike?"""
    audit.shows(effect)
'''


def prepared(bench, protocol=PROTOCOL, audits=AUDITS):
    """Sixty pictures of two manufacturers and of nobody's."""
    (bench.path / "audits" / "protocol.toml").write_text(protocol)
    (bench.path / "audits" / "test_audits.py").write_text(audits)
    with (bench.path / "pictures" / "images.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["file_name", "modality", "manufacturer"])
        for i in range(60):
            table.writerow([f"p{i:03d}.png", "ct", ("Acme", "Bolt")[i % 2] if i < 56 else ""])
    return "pictures/images.csv"


def test_the_gap_of_a_manifests_column_is_shown(bench, audit_run):
    data = prepared(bench)
    result = audit_run("--audit-out=out", data=data)
    result.assert_outcomes(passed=1)
    record = json.loads((bench.path / "out" / "evidence.json").read_text())
    (audit,) = record["audits"]
    assert audit["definition"]["between"] == "manufacturer"
    assert audit["shown"]
    levels = {cell["stratum"]["level"]: cell["n_clusters"] for cell in audit["parts"]}
    assert levels == {"all": 56, "Acme": 28, "Bolt": 28, "unknown": 4}
    groups = {cell["stratum"]["level"]: cell["estimate"]["value"] for cell in audit["parts"]}
    assert abs(abs(groups["Acme"] - groups["Bolt"]) - abs(audit["estimate"]["value"])) < 1e-5
    assert {item["columns"]["manufacturer"] for item in record["answers"]["items"]} == {"Acme", "Bolt", "unknown"}
    page = (bench.path / "out" / "report.html").read_text()
    assert "Results by manufacturer" in page


def test_no_comparison_with_an_earlier_run_stands_beside_it(bench, audit_run):
    data = prepared(bench)
    audit_run("--audit-out=out", data=data)
    again = audit_run("--audit-out=again", "--audit-baseline=out/evidence.json", data=data)
    again.assert_outcomes(passed=1)


def test_a_limit_is_not_met_by_levels_that_are_too_small(bench, audit_run):
    held = PROTOCOL.replace("shown = true", "within = 5.0\nsize = 1")
    data = prepared(bench, held.replace("max_side = 32", "max_side = 32\nfiles_as_patients = true"))
    result = audit_run("--audit-out=out", data=data)
    assert result.ret == 1
    (audit,) = json.loads((bench.path / "out" / "evidence.json").read_text())["audits"]
    assert audit["verdict"] == "INCONCLUSIVE"
    assert "unknown" in audit["sentence"]
    assert "(unknown has 4 patients, 20 too few)" in audit["sentence"]


def test_a_limit_in_each_is_refused_before_the_first_question(bench, audit_run):
    data = prepared(bench, PROTOCOL.replace("shown = true", "within = 5.0\nin_each = 8.0\nsize = 1"))
    result = audit_run("--audit-out=out", data=data)
    assert result.ret != 0
    assert "in_each is a limit for each level" in result.stdout.str() + result.stderr.str()
    assert not (bench.path / "calls.log").exists()
