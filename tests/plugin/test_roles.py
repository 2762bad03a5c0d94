"""Two models in one run, each asked through its own back end, held against each other item by item."""


import pytest

from tests.plugin.conftest import calls, evidence_of
from tests.plugin.stubs import MODELS, PROTOCOL

# Ten points above the other for every picture, so that the difference is 10 by construction; one in four refused.
SIBLINGS = """


class Above(Base):
    name, revision, fingerprint = "above", "7", "above-1"
    calls = None

    def generate(self, requests):
        with open("above.log", "a") as stream:
            stream.writelines(f"{os.getpid()} {request.id}\\n" for request in requests)
        return super().generate(requests)

    def score(self, request):
        return str(int(super().score(request)) + 10)


class Fails(Above):
    name, fingerprint = "fails", "fails-1"

    def generate(self, requests):
        raise RuntimeError("the other card has fallen off the bus")


above, fails = Above(), Fails()
"""

AUDITS = '''
import pytest
from auditkit import behind, mean, share, versus

EFFECTS = [behind(mean(family="sibling")), versus(share("lost", "quality", family="lost"))]


@pytest.mark.parametrize("effect", EFFECTS[:1], ids=str)
def test_not_behind(effect, audit):
    """The model must not score much below its sibling."""
    audit.at_most(effect)


@pytest.mark.parametrize("effect", EFFECTS[1:], ids=str)
def test_lost(effect, audit):
    """The model must not lose more answers than its sibling."""
    audit.at_most(effect)
'''


def protocol(limit=4.0, more=""):
    families = f"[families.sibling]\nat_most = {limit}\nsize = 1\n[families.lost]\nat_most = 0.1\nsize = 1\n"
    return PROTOCOL + families + more


@pytest.fixture
def two(bench):
    """The bench with audits that compare two models."""
    bench.makepyfile(stub_models=MODELS + SIBLINGS)
    (bench.path / "audits" / "protocol.toml").write_text(protocol())
    (bench.path / "audits" / "test_audits.py").write_text(AUDITS)
    return bench


def asked_of_above(bench):
    log = bench.path / "above.log"
    return log.read_text().splitlines() if log.exists() else []


def by_id(evidence):
    return {audit.id: audit for audit in evidence.audits}


def test_both_are_asked_in_one_run_with_one_store_and_compared_item_by_item(two, audit_run):
    result = audit_run("--audit-with=sibling=stub_models:above", "--audit-out=out")
    evidence = evidence_of(two, "out")
    audits = by_id(evidence)
    found = audits["sibling/score-behind-sibling"]
    assert found.estimate.value == 10
    assert found.verdict == "FAIL"
    assert "above minus stub" in found.title
    assert "Counted is above minus stub." in found.sentence
    assert audits["lost/quality-lost-vs-sibling"].verdict == "PASS"
    assert len(calls(two)) == len(asked_of_above(two)) == 60
    assert not {line.split()[1] for line in calls(two)} & {line.split()[1] for line in asked_of_above(two)}
    (other,) = evidence.models
    assert (other.role, other.given, other.name, other.revision, other.fingerprint) == (
        "sibling", "model", "above", "7", "above-1",
    )  # fmt: skip
    assert (other.probes.planned, other.probes.asked, other.outcomes.scored) == (60, 60, 60)
    assert (evidence.run.probes.planned, evidence.outcomes.total) == (60, 60)
    assert {column.role for column in evidence.answers.columns} == {"model", "sibling"}
    assert result.ret == 1
    again = audit_run("--audit-with=sibling=stub_models:above", "--audit-out=again")
    assert again.ret == 1
    assert len(calls(two)) == len(asked_of_above(two)) == 60, "a warm store asks neither"
    assert by_id(evidence_of(two, "again"))["sibling/score-behind-sibling"] == found
