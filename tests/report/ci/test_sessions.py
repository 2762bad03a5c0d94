"""Whole sessions in processes of their own, with the variables that CI sets: files, annotations, exit codes."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest

from auditkit.evidence import Evidence
from tests.report.ci.runner import obeyed

FEW = ("-k", "asked-twice or gaussian_noise", "--audit-report=html")
FAILED = "sensitivity/gaussian_noise"


def commands_of(result):
    return obeyed(result.stdout.str() + "\n" + result.stderr.str())


def left_by(folder):
    """What a run left for CI, without what may differ when it is repeated."""
    suite = ET.parse(folder / "junit.xml").getroot().find("testsuite")
    cases = {
        case.get("name"): [(p.get("name"), p.get("value")) for p in case.iter("property")]
        for case in suite.iter("testcase")
    }
    properties = {p.get("name"): p.get("value") for p in suite.find("properties")}
    properties.pop("auditkit.run")
    return properties, cases, (folder / "gl-code-quality.json").read_text()


@pytest.mark.slow
def test_one_process_and_two_leave_the_same(on_github, on_gitlab, audit_run):
    bench = on_github
    (bench.path / "summary.md").write_text("# Said before\n")
    found = []
    for name, workers in (("one", ()), ("two", ("-n", "2"))):
        result = audit_run(*FEW, *workers, f"--audit-out={name}", f"--junitxml={name}/junit.xml")
        assert result.ret == 1
        before, _, summary = (bench.path / "summary.md").read_text().rpartition("<h2>")
        assert before.startswith("# Said before\n\n")
        found.append((commands_of(result), *left_by(bench.path / name), summary.replace(f"{name}/", "")))
    assert found[0] == found[1]
    (command,), properties, cases, quality, summary = found[0]
    record = Evidence.from_json((bench.path / "one/evidence.json").read_text())
    audit = next(a for a in record.audits if a.id == FAILED)

    lines = (bench.path / "audits/test_audits.py").read_text().splitlines()
    assert command.name == "error"
    assert command.text == f"{FAILED}: {audit.sentence}"
    assert command.properties["file"] == "audits/test_audits.py"
    (test,) = [i for i, line in enumerate(lines, 1) if "def test_falls" in line]
    assert test - 1 <= int(command.properties["line"]) <= test
    assert command.properties["title"] == f"FAIL: {audit.title}"

    assert properties == {
        "auditkit.verdict": "FAIL",
        "auditkit.model": record.model.name,
        "auditkit.revision": record.model.revision,
        "auditkit.fingerprint": record.model.fingerprint,
        "auditkit.protocol_sha256": record.protocol.sha256,
        "auditkit.data_sha256": record.data.sha256,
    }
    values = dict(cases["test_falls[gaussian_noise]"])
    assert values["audit"] == FAILED
    assert values["verdict"] == "FAIL"
    assert values["model"] == record.model.name
    assert values["protocol_sha256"] == record.protocol.sha256
    for name, number in {
        "estimate": audit.estimate.value, "low": audit.estimate.low, "high": audit.estimate.high,
        "margin": audit.limit[audit.verb], "p_pass": audit.p_pass, "p_fail": audit.p_fail,
        "n_images": audit.n_images, "n_clusters": audit.n_clusters,
    }.items():  # fmt: skip
        assert float(values[name]) == number

    (entry,) = json.loads(quality)
    assert entry["location"] == {
        "path": "audits/test_audits.py",
        "lines": {"begin": int(command.properties["line"])},
    }
    assert audit.sentence.split(" over ")[0] in summary
    assert "https://github.example/team/audits/actions/runs/42" in summary
    assert "report.html" in summary


HOSTILE_MODEL = r"""
from stub_models import Base
EVIL = "\n::error file=x::pwned\nanswer ##[set-env name=X]pwned\n::stop-commands::pwned\n"


class Hostile(Base):
    def generate(self, requests):
        print(EVIL)
        raise RuntimeError(EVIL)


hostile = Hostile()
"""


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["one", "two"])
def test_a_models_words_are_no_commands(on_github, audit_run, workers):
    (on_github.path / "hostile_model.py").write_text(HOSTILE_MODEL)
    (on_github.path / "audits/test_loud.py").write_text(
        "from hostile_model import EVIL\ndef test_loud():\n    print(EVIL)\n    raise ValueError(EVIL)\n"
    )
    result = audit_run("-k", "asked-twice or loud", "--audit-report=html", *workers, model="hostile_model:hostile")
    assert result.ret == 1
    output = result.stdout.str()
    assert "##[set-env name=X]pwned" in output, "the test must have something to stop"
    (command,) = commands_of(result)
    assert command.name == "error"
    assert command.properties["title"].startswith("ERROR: ")
    assert command.properties["file"] == "audits/test_audits.py"


def test_a_refused_run_is_annotated_and_its_message_is_no_command(on_github, audit_run):
    result = audit_run(data="none\n::warning::pwned\n##[set-env name=X]pwned")
    assert result.ret == 4
    assert "::warning::pwned" in result.stderr.str()
    (command,) = commands_of(result)
    assert (command.name, command.properties["title"]) == ("error", "The audit did not run")
    assert not (on_github.path / "summary.md").exists()


@pytest.mark.slow
def test_a_refusal_in_the_workers_is_annotated_too(on_github, audit_run):
    result = audit_run("-k", "asked-twice", "-n", "2", model="referense")
    assert result.ret == 1
    (command,) = commands_of(result)
    assert command.properties["title"] == "The audit did not run"
    assert "Did you mean 'reference'" in command.text


@pytest.mark.slow
def test_an_allowed_inconclusive_warns_and_a_lost_summary_changes_no_exit_code(on_github, audit_run, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(on_github.path / "no/such/folder/summary.md"))
    arguments = ("-k", "reputation", "--audit-report=html", "--junitxml=junit.xml", "--audit-ask-on")
    result = audit_run(*arguments, "--audit-allow-inconclusive", model="stub_models:refuses")
    assert result.ret == 0
    commands = commands_of(result)
    assert {c.name for c in commands} == {"warning"}
    assert all(c.properties["title"].startswith("INCONCLUSIVE: ") for c in commands)
    result.stdout.fnmatch_lines(["*summary.md could not be written*"])
    suite = ET.parse(on_github.path / "junit.xml").getroot().find("testsuite")
    assert int(suite.get("skipped")) == len(commands)
    assert {p.get("value") for p in suite.iter("property") if p.get("name") == "verdict"} == {"INCONCLUSIVE"}
    assert {p.get("value") for p in suite.iter("property") if p.get("name") == "auditkit.verdict"} == {"INCONCLUSIVE"}
    result = audit_run(*arguments, model="stub_models:refuses")
    assert result.ret == 1
    assert {c.name for c in commands_of(result)} == {"error"}


@pytest.mark.slow
def test_elsewhere_nothing_is_said(bench, audit_run):
    result = audit_run(*FEW, "--audit-out=out")
    assert result.ret == 1
    assert not re.search("^::", result.stdout.str(), re.MULTILINE)
    assert {p.name for p in (bench.path / "out").iterdir()} == {"evidence.json", "report.html"}
