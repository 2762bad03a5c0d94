"""The same data and the same protocol give the same estimates and verdicts, whatever else is changed."""

import json
from collections import Counter

import pytest

from tests.plugin.conftest import N_IMAGES, calls, evidence_of, write_pictures


def audits_of(bench, folder):
    """The judged audits without their figures' cases, by id."""
    record = evidence_of(bench, folder)
    return {audit.id: audit.model_dump() for audit in record.audits}


def write_manifest(bench, name, order):
    rows = [f"pictures/p{i:03d}.png,patient{i // 2},{'ct' if i % 4 < 2 else 'mr'}" for i in range(N_IMAGES)]
    (bench.path / name).write_text("\n".join(["file_name,patient_id,modality", *order(rows)]))


REVERSED = "def pytest_collection_modifyitems(items):\n    items.reverse()\n"


def test_order_batches_locale_time_zone_and_hash_seed(bench, audit_run, fresh_run, monkeypatch):
    write_manifest(bench, "one.csv", list)
    write_manifest(bench, "two.csv", lambda rows: rows[::-1])
    audit_run("--audit-out=plain", "--audit-store=plain.sqlite", data="one.csv")
    # The answers, by design, know the size of the batch they were given in; a model that does not care answers alike.
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("PYTHONHASHSEED", "4711")
    (bench.path / "conftest.py").write_text(REVERSED)
    fresh_run("--audit-out=other", "--audit-store=other.sqlite", "--audit-batch-size=7", data="two.csv")
    assert audits_of(bench, "plain") == audits_of(bench, "other")
    asked = len(calls(bench))
    # A warm store in yet another environment: nothing is asked, nothing is different.
    monkeypatch.setenv("PYTHONHASHSEED", "1")
    monkeypatch.setenv("TZ", "America/St_Johns")
    fresh_run("--audit-out=warm", "--audit-store=plain.sqlite", data="two.csv")
    assert len(calls(bench)) == asked
    assert audits_of(bench, "warm") == audits_of(bench, "plain")


@pytest.mark.parametrize(
    "workers", [pytest.param(1, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow), 4]
)
def test_any_number_of_workers(bench, audit_run, workers):
    audit_run("--audit-out=one", "--audit-store=one.sqlite", "-p", "no:xdist")
    (bench.path / "calls.log").unlink()
    audit_run("--audit-out=many", "--audit-store=many.sqlite", "-n", str(workers))
    assert audits_of(bench, "one") == audits_of(bench, "many")
    assert max(Counter(line.split()[1] for line in calls(bench)).values()) == 1


def test_every_subset_gives_the_estimates_of_the_whole(bench, audit_run):
    audit_run("--audit-out=all")
    every = audits_of(bench, "all")
    for words in ("metadata and vs-neutral", "falls or repeat"):
        audit_run("--audit-out=some", "-k", words)
        some = audits_of(bench, "some")
        assert 0 < len(some) < len(every)
        for name, audit in some.items():
            for cell, whole in zip(audit["parts"], every[name]["parts"], strict=True):
                assert cell["estimate"] == whole["estimate"]
                assert (cell["p_pass"], cell["p_fail"]) == (whole["p_pass"], whole["p_fail"])
                # Fewer rejections in the family can only make Holm's correction stricter.
                assert cell["p_fail_holm"] >= whole["p_fail_holm"]
                assert cell["verdict"] in (whole["verdict"], "INCONCLUSIVE")


def test_changing_a_margin_judges_anew_without_a_question_and_says_so(bench, audit_run):
    audit_run("--audit-out=one")
    asked = calls(bench)
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("within = 5.0", "within = 1.5", 1))
    result = audit_run("--audit-out=two")
    assert calls(bench) == asked, "the model was not asked"
    before, after = evidence_of(bench, "one"), evidence_of(bench, "two")
    changed = {a.id: a for a in after.audits}
    for audit in before.audits:
        if audit.family == "metadata":
            assert audit.verdict == "PASS"
            assert changed[audit.id].verdict == "INCONCLUSIVE"
            assert changed[audit.id].estimate == audit.estimate
        else:
            assert changed[audit.id] == audit
    assert before.run.earlier_protocols == []
    [earlier] = after.run.earlier_protocols
    assert earlier.sha256 == before.protocol.sha256 != after.protocol.sha256
    assert earlier.first_judged <= after.run.protocol_first_judged  # in whole seconds
    assert earlier.changes == ["families.metadata.within: 5.0, now 1.5"]
    result.stdout.fnmatch_lines([f"*changed after the first look*{before.protocol.sha256[:16]}*"])
    page = (bench.path / "two/report.html").read_text()
    assert "changed after the first look" in page
    assert before.protocol.sha256 in page
    assert after.protocol.sha256 in page
    # Back to the first protocol: it was there before any result, and nothing is held against it.
    path.write_text(path.read_text().replace("within = 1.5", "within = 5.0", 1))
    audit_run("--audit-out=three")
    third = evidence_of(bench, "three")
    assert third.run.earlier_protocols == []
    assert third.run.protocol_first_judged == before.run.protocol_first_judged
    assert third.audits == before.audits


def test_looks_stop_asking_what_is_settled(bench, audit_run):
    write_pictures(bench.path / "pictures", 128)
    path = bench.path / "audits/protocol.toml"
    path.write_text(path.read_text().replace("within = 5.0", "within = 12.0"))
    audit_run("--audit-out=all", "--audit-store=all.sqlite")
    everything = len(calls(bench))
    (bench.path / "calls.log").unlink()
    result = audit_run("--audit-out=looks", "--audit-looks=2", "--audit-store=two.sqlite")
    record = evidence_of(bench, "looks")
    asked = len(calls(bench))
    assert record.looks[0].n_clusters == 64
    assert 0 < record.run.probes.saved == everything - asked
    assert record.looks[0].n_settled > 0
    early = [audit for audit in record.audits if audit.look == 1]
    assert early
    assert all(audit.n_clusters == 64 for audit in early if audit.verdict == "PASS")
    assert record.protocol.criteria["looks"]["number"] == 2
    assert record.protocol.sha256 != evidence_of(bench, "all").protocol.sha256
    result.stdout.fnmatch_lines(["*planned were made*saved*"])
    assert "Early looks" in (bench.path / "looks/report.html").read_text()
    # Other processes, and a store that already holds the answers of all patients, go through the same looks.
    audit_run("--audit-out=workers", "--audit-looks=2", "--audit-store=three.sqlite", "-n", "2")
    audit_run("--audit-out=warm", "--audit-looks=2", "--audit-store=all.sqlite")
    for other in ("workers", "warm"):
        again = json.loads((bench.path / other / "evidence.json").read_text())
        first = json.loads((bench.path / "looks/evidence.json").read_text())
        again.pop("run"), first.pop("run")
        assert again == first
