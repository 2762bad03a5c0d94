"""The ``hazard`` marker carries ids of a risk file into the record."""

import json

AUDITS = '''
import pytest
from auditkit import shipped

pytestmark = pytest.mark.hazard("HAZ-1")

@pytest.mark.hazard("HAZ-7", "HAZ-9")
@pytest.mark.parametrize("effect", shipped.metadata()[:1], ids=str)
def test_marked(effect, audit):
    """A marked audit."""
    audit.within(effect)

@pytest.mark.parametrize("effect", shipped.metadata()[1:2], ids=str)
def test_by_module(effect, audit):
    """An audit marked by its module."""
    audit.within(effect)
'''


def test_ids_of_the_risk_file_reach_the_record(bench, audit_run):
    (bench.path / "audits" / "test_audits.py").write_text(AUDITS)
    result = audit_run("--audit-out=out", "--strict-markers")
    assert "hazard" not in result.stderr.str()
    audits = json.loads((bench.path / "out" / "evidence.json").read_text())["audits"]
    assert sorted(a["hazard_ids"] for a in audits) == [["HAZ-1"], ["HAZ-7", "HAZ-9", "HAZ-1"]]


TWO_TESTS = '''
import pytest
from auditkit import shipped

ONE = shipped.metadata()[:1]

@pytest.mark.hazard("HAZ-2")
@pytest.mark.parametrize("effect", ONE, ids=str)
def test_b(effect, audit):
    """One question."""
    audit.within(effect)

@pytest.mark.hazard("HAZ-1")
@pytest.mark.parametrize("effect", ONE, ids=str)
def test_a(effect, audit):
    """The same, and then something else that fails."""
    audit.within(effect)
    assert 1 == 2
'''


def test_two_tests_of_one_comparison_lose_no_hazard_and_hide_no_failure(bench, audit_run):
    (bench.path / "audits" / "test_audits.py").write_text(TWO_TESTS)
    result = audit_run("--audit-out=out")
    (audit,) = json.loads((bench.path / "out" / "evidence.json").read_text())["audits"]
    assert audit["hazard_ids"] == ["HAZ-1", "HAZ-2"]
    assert result.ret == 1
    result.assert_outcomes(passed=1, failed=1)  # the audit passed; its test did not, and must not read as a pass
