"""An audit that ends without a criterion about what was asked is an ERROR, in the exit code and in the record."""

import pytest

from tests.plugin.conftest import evidence_of

HEAD = """
import pytest
from auditkit import shipped

ASKED_TWICE, REPEATED = shipped.repeatability()[:2]
NOISE = shipped.sensitivity()[0]
one = pytest.mark.parametrize("effect", [ASKED_TWICE], ids=str)
two = pytest.mark.parametrize("first, second", [(ASKED_TWICE, NOISE)], ids=["both"])
"""


@pytest.fixture
def judged(bench, audit_run):
    """Run one test over the bench; return the result and the record's audits by id."""

    def run(test, *arguments):
        (bench.path / "audits/test_audits.py").write_text(HEAD + test)
        result = audit_run("--audit-out=out", *arguments)
        return result, {audit.id: audit for audit in evidence_of(bench, "out").audits}

    return run


@pytest.mark.parametrize(
    "body",
    ["...", "audit.at_most", "audit.at_most is effect", "assert effect.name"],
    ids=["dots", "uncalled", "used", "else"],
)
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["one-process", "worker"])
def test_a_test_without_a_criterion_is_an_error(judged, body, workers):
    result, audits = judged(f"@one\ndef test_nothing(effect, audit):\n    {body}\n", *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*ERROR: It states no criterion: test_nothing ended without calling audit.within*"])
    assert audits["repeatability/asked-twice"].verdict == "ERROR"
    assert audits["repeatability/asked-twice"].verb == "at_most"


def test_a_criterion_about_one_of_two_effects_leaves_the_other_an_error(judged):
    result, audits = judged("@two\ndef test_half(first, second, audit):\n    audit.at_most(first)\n")
    assert result.ret == 1
    assert {name: audit.verdict for name, audit in audits.items()} == {
        "repeatability/asked-twice": "PASS", "sensitivity/gaussian_noise": "ERROR",
    }  # fmt: skip


def test_two_criteria_of_one_test_are_two_rows(judged):
    result, audits = judged(
        "@two\ndef test_both(first, second, audit):\n    audit.at_most(first)\n    audit.at_least(second)\n"
    )
    assert result.ret == 1
    assert {name: audit.verdict for name, audit in audits.items()} == {
        "repeatability/asked-twice": "PASS", "sensitivity/gaussian_noise": "FAIL",
    }  # fmt: skip


def test_a_test_that_raises_before_its_criterion_is_a_row_too(judged):
    result, audits = judged("@one\ndef test_misspelt(effect, audit):\n    audit.equivalent(effect)\n")
    assert result.ret == 1
    assert audits["repeatability/asked-twice"].verdict == "ERROR"
    assert "AttributeError" in audits["repeatability/asked-twice"].sentence


def test_a_test_whose_fixture_fails_is_a_row_too(judged):
    result, audits = judged(
        "@pytest.fixture\ndef broken():\n    raise ValueError('no key')\n"
        "@one\ndef test_fixture(effect, audit, broken):\n    audit.at_most(effect)\n"
    )
    assert result.ret == 1
    assert "ValueError: no key" in audits["repeatability/asked-twice"].sentence


def test_a_test_that_skips_itself_is_no_error(bench, audit_run):
    (bench.path / "audits/test_audits.py").write_text(
        HEAD + "@one\ndef test_later(effect, audit):\n    pytest.skip('later')\n"
        "@one\ndef test_now(effect, audit):\n    audit.at_most(effect)\n"
    )
    result = audit_run("--audit-out=out")
    assert result.ret == 0
    result.assert_outcomes(passed=1, skipped=1)


def test_an_audit_without_an_effect_and_a_criterion_fails(judged):
    result, _ = judged(
        "@one\ndef test_now(effect, audit):\n    audit.at_most(effect)\ndef test_nothing(audit):\n    ...\n"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*states no criterion: test_nothing*"])


def test_somebody_elses_fixture_of_that_name_is_left_alone(bench):
    bench.makepyfile("import pytest\n@pytest.fixture\ndef audit():\n    return []\ndef test_log(audit):\n    ...\n")
    result = bench.runpytest_subprocess("--ignore=audits")
    assert result.ret == 0
