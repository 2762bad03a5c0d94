"""Whole runs of the plugin in processes of their own: verdicts, exit codes, files, and what survives."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import jsonschema
import pytest

from auditkit.evidence import json_schema
from tests.plugin.conftest import N_IMAGES, calls, evidence_of, write_pictures


def without_run(folder):
    record = json.loads((folder / "evidence.json").read_text())
    record.pop("run")
    return record


def test_verdicts_files_and_exit_code(bench, fresh_run):
    result = fresh_run("--audit-out=out", "--junitxml=junit.xml")
    assert result.ret == 1  # the stub does not see corruption, so one audit fails
    record = evidence_of(bench, "out")
    jsonschema.validate(json.loads((bench.path / "out/evidence.json").read_text()), json_schema())
    by_id = {a.id: a for a in record.audits}
    assert by_id["repeatability/asked-twice"].verdict == "PASS"
    sensitivity = next(a for a in record.audits if a.family == "sensitivity")
    assert sensitivity.verdict == "FAIL"
    assert sensitivity.question == "The score must fall."
    assert sensitivity.n_clusters == N_IMAGES
    assert [p.level for p in sensitivity.series if p.stratum.level == "all"] == [0, 1, 2, 3, 4, 5]
    assert all(a.verdict == "PASS" for a in record.audits if a.family == "metadata")
    assert record.verdict == "FAIL"
    assert record.data.n_images == N_IMAGES
    assert "metadata/institution" in " ".join(by_id)
    assert any(name.startswith("placebo/") for name in record.not_run)
    assert not any(name.startswith("discrimination/") for name in record.not_run), "the protocol has no such family"
    html = (bench.path / "out/report.html").read_text()
    assert "sensitivity" in html.lower()
    result.stdout.fnmatch_lines(["*= auditkit =*", "*report.html*"])
    junit = (bench.path / "junit.xml").read_text()
    assert 'name="verdict" value="FAIL"' in junit
    assert 'failures="1"' in junit


def test_every_question_is_asked_once_and_never_again(bench, audit_run):
    audit_run("--audit-out=one")
    asked = calls(bench)
    assert max(Counter(line.split()[1] for line in asked).values()) == 1
    audit_run("--audit-out=two")
    assert calls(bench) == asked
    assert without_run(bench.path / "one") == without_run(bench.path / "two")
    assert evidence_of(bench, "two").run.probes.asked == 0


def test_a_planted_bias_fails_and_only_there(bench, audit_run, monkeypatch, high_words):
    """Without scatter the p-value of 20 points against 5 is (105 / 120)^n: too large with 60 patients and decisions."""
    write_pictures(bench.path / "pictures", 80)
    monkeypatch.setenv("STUB_WORDS", high_words)
    result = audit_run("--audit-out=out", "-k", "metadata", model="stub_models:prestige")
    assert result.ret == 1
    record = evidence_of(bench, "out")
    for audit in record.audits:
        if audit.verdict == "FAIL":
            assert abs(audit.estimate.value) == pytest.approx(20)
            assert high_words in (audit.treated + audit.control)
            assert audit.cases
        else:
            assert audit.verdict == "PASS"
            assert high_words not in (audit.treated + audit.control)
    assert sum(a.verdict == "FAIL" for a in record.audits) >= 2  # against its counterpart and against the placebo


def test_two_workers_give_the_same_evidence_and_ask_once(bench, audit_run):
    audit_run("--audit-out=one", "--audit-store=one.sqlite", "-p", "no:xdist")
    (bench.path / "calls.log").unlink()
    audit_run("--audit-out=two", "--audit-store=two.sqlite", "-n", "2")
    assert len({line.split()[0] for line in calls(bench)}) == 1, "one process asks"
    assert max(Counter(line.split()[1] for line in calls(bench)).values()) == 1
    assert without_run(bench.path / "one") == without_run(bench.path / "two")


def test_a_subset_gives_the_same_estimates_and_no_verdict_on_the_whole(bench, audit_run):
    audit_run("--audit-out=all")
    result = audit_run("--audit-out=some", "-k", "asked-twice")
    assert result.ret == 0
    every = {a.id: a for a in evidence_of(bench, "all").audits}
    some = evidence_of(bench, "some")
    assert [a.id for a in some.audits] == ["repeatability/asked-twice"]
    assert some.audits[0] == every["repeatability/asked-twice"]
    assert some.verdict == "INCONCLUSIVE"
    assert "not run" in some.sentence


def slow_run(bench):
    """Return the command of a run that, with STUB_PAUSE set, can be stopped in its middle."""
    (bench.path / "slow_model.py").write_text(
        "import os, time\nfrom stub_models import Base\n"
        "class Slow(Base):\n    def generate(self, requests):\n"
        "        time.sleep(float(os.environ.get('STUB_PAUSE', '0')))\n"
        "        return super().generate(requests)\nslow = Slow()\n"
    )
    return [
        sys.executable, "-m", "pytest", "audits", "--model=slow_model:slow", "--audit-data=pictures",
        "--audit-out=out", "--audit-batch-size=8", "-q",
    ]  # fmt: skip


def stopped(bench, command, how, after):
    """Start a run, send it a signal once it has put so many questions, and return its exit code and output."""
    run = subprocess.Popen(
        command,
        cwd=bench.path,
        env={**os.environ, "STUB_PAUSE": "0.05"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(calls(bench)) < after and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(how)
    output, _ = run.communicate(timeout=60)
    return run.returncode, output


def test_a_killed_run_is_resumed(bench):
    """SIGKILL in the middle loses at most the batch in flight."""
    command = slow_run(bench)
    code, output = stopped(bench, command, signal.SIGKILL, after=40)
    assert code == -signal.SIGKILL, output
    before = [line.split()[1] for line in calls(bench)]
    assert len(before) >= 40
    (bench.path / "calls.log").unlink()
    subprocess.run(command, cwd=bench.path, capture_output=True, check=False)
    after = [line.split()[1] for line in calls(bench)]
    again = set(before) & set(after)
    assert len(again) <= 8
    assert evidence_of(bench, "out").outcomes.error == 0
    assert len(set(before) | set(after)) == evidence_of(bench, "out").run.probes.planned
    subprocess.run(
        [*command, "--audit-out=whole", "--audit-store=whole.sqlite"], cwd=bench.path, capture_output=True, check=False
    )
    assert evidence_of(bench, "whole").audits == evidence_of(bench, "out").audits


def test_interrupt_leaves_a_usable_store_and_no_verdict(bench):
    command = slow_run(bench)
    code, output = stopped(bench, command, signal.SIGINT, after=24)
    assert code == 2, output
    assert not (bench.path / "out/evidence.json").exists()
    before = len(calls(bench))
    subprocess.run(command, cwd=bench.path, capture_output=True, check=False)
    planned = evidence_of(bench, "out").run.probes.planned
    assert len(calls(bench)) <= planned + 8
    assert before >= 24


def test_refusals_are_counted_and_never_a_pass(bench, audit_run):
    result = audit_run("--audit-out=out", "--audit-ask-on", model="stub_models:refuses")
    assert result.ret == 1
    record = evidence_of(bench, "out")
    assert record.outcomes.refused == record.outcomes.total > 0
    assert {a.verdict for a in record.audits if a.family == "metadata"} == {"INCONCLUSIVE"}
    assert all(a.estimate.value is None for a in record.audits if a.family == "metadata")


def test_a_model_that_refuses_everything_is_not_asked_for_hours_and_nothing_is_judged(bench, audit_run):
    result = audit_run("--audit-out=out", model="stub_models:refuses")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*none of the first 32 answers gave a score: 32 were refused*--audit-ask-on*"])
    assert not (bench.path / "out/evidence.json").exists()


def test_inconclusive_can_be_allowed_but_stays_inconclusive(bench, audit_run):
    given = ("--audit-out=out", "--audit-ask-on", "--audit-allow-inconclusive", "-k", "metadata")
    result = audit_run(*given, model="stub_models:refuses")
    assert result.ret == 0
    assert {a.verdict for a in evidence_of(bench, "out").audits} == {"INCONCLUSIVE"}
    assert evidence_of(bench, "out").verdict == "INCONCLUSIVE"


def test_model_errors_are_errors_and_asked_again(bench, audit_run, monkeypatch):
    result = audit_run("--audit-out=one", model="stub_models:raises")
    assert result.ret == 1
    record = evidence_of(bench, "one")
    assert {a.verdict for a in record.audits} == {"ERROR"}
    assert record.verdict == "ERROR"
    assert record.outcomes.error == record.outcomes.total
    result.stdout.no_fnmatch_line("*Traceback*")
    monkeypatch.setenv("STUB_OK", "1")
    audit_run("--audit-out=two", model="stub_models:raises")
    assert evidence_of(bench, "two").outcomes.error == 0


def test_a_hanging_model_is_given_up(bench, audit_run):
    start = time.monotonic()
    result = audit_run("--audit-out=out", "--audit-deadline=1", "-k", "asked-twice", model="stub_models:hangs")
    assert time.monotonic() - start < 60
    assert result.ret == 1
    assert evidence_of(bench, "out").verdict == "ERROR"


def test_dry_run_asks_nothing(bench, audit_run):
    result = audit_run("--audit-dry-run")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*questions planned:*", "*answers in the store: *0*", "*unknown*"])
    assert calls(bench) == []
    audit_run("--audit-out=out")
    planned = evidence_of(bench, "out").run.probes.planned
    asked = len(calls(bench))
    result = audit_run("--audit-dry-run")
    result.stdout.fnmatch_lines(
        [f"*questions planned: *{planned}", f"*answers in the store: *{planned}", "*nothing to ask*"]
    )
    assert len(calls(bench)) == asked


def test_limit_takes_a_nested_subset(bench, audit_run):
    audit_run("--audit-out=ten", "--audit-limit=10")
    audit_run("--audit-out=thirty", "--audit-limit=30")
    ten, thirty = evidence_of(bench, "ten"), evidence_of(bench, "thirty")
    assert (ten.data.n_clusters, thirty.data.n_clusters) == (10, 30)
    assert ten.data.limited_to == 10
    assert {a.verdict for a in ten.audits} <= {"INCONCLUSIVE"}
    assert thirty.run.probes.from_store == ten.run.probes.planned


def test_no_store_keeps_nothing(bench, audit_run):
    audit_run("--audit-out=one", "--audit-no-store", "-k", "asked-twice")
    first = len(calls(bench))
    audit_run("--audit-out=two", "--audit-no-store", "-k", "asked-twice")
    assert len(calls(bench)) == 2 * first
    assert not (bench.path / ".auditkit/answers.sqlite").exists()


def test_latest_points_to_the_last_run(bench, audit_run):
    audit_run("-k", "asked-twice")
    latest = bench.path / "reports/stub/latest"
    assert evidence_of(bench, latest).audits
    assert (latest / "report.html").is_file()


def test_bad_files_are_listed_and_left_out(bench, audit_run):
    pictures = bench.path / "pictures"
    (pictures / "broken.png").write_bytes((pictures / "p000.png").read_bytes()[:60])
    (pictures / "empty.png").write_bytes(b"")
    (pictures / "words.png").write_text("no picture")
    result = audit_run("--audit-out=out", "-k", "asked-twice")
    assert result.ret == 0
    record = evidence_of(bench, "out")
    assert record.data.n_images == N_IMAGES
    assert {e.name for e in record.data.left_out} == {"broken.png", "empty.png", "words.png"}
    assert all(e.reason for e in record.data.left_out)
    result.stdout.fnmatch_lines(["*3*left out*"])
    # The second run knows the good pixels from the store and must list the same files.
    audit_run("--audit-out=again", "-k", "asked-twice")
    assert evidence_of(bench, "again").data == record.data


def test_manifest_with_broken_rows(bench, audit_run):
    rows = ["file_name,patient_id,modality"]
    rows += [f"pictures/p{i:03d}.png,patient{i // 2},ct" for i in range(N_IMAGES)]
    rows += ["pictures/none.png,x,ct", "../escape.png,x,ct", "/etc/passwd,x,ct", ",x,ct"]
    (bench.path / "list.csv").write_text("\n".join(rows))
    audit_run("--audit-out=out", "-k", "asked-twice", data="list.csv")
    record = evidence_of(bench, "out")
    assert (record.data.n_images, record.data.n_clusters) == (N_IMAGES, N_IMAGES // 2)
    assert [s.modality for s in record.data.modalities] == ["ct"]
    assert record.data.n_left_out == 4
    assert "patient1" not in (bench.path / "out/evidence.json").read_text()


def test_a_run_does_not_call_the_code_changed_for_its_own_files(bench, audit_run, monkeypatch):
    monkeypatch.delenv("STUB_CALLS")  # the model's log is no file of a run
    monkeypatch.delenv("AUDITKIT_SALT")

    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=bench.path, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    for changed in (False, False, True):
        if changed:
            (bench.path / "audits" / "conftest.py").write_text("")
        audit_run("--junitxml=junit.xml")
        (record,) = (bench.path / "reports").glob("*/latest/evidence.json")
        assert json.loads(record.read_text())["run"]["git"]["dirty"] is changed
    assert (bench.path / ".auditkit" / "salt").exists()
