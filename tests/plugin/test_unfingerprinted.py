"""A model that does not say which one it is: its stored answers are another run's, unless that is taken on."""

from auditkit.evidence import Evidence

MODEL = """
from stub_models import Base

class Nameless(Base):
    name, fingerprint = "nameless", None
"""


def test_stored_answers_are_used_only_where_that_is_asked_for(bench, audit_run):
    bench.makepyfile(nameless=MODEL)

    def probes(out, *options):
        audit_run(f"--audit-out={out}", "--audit-limit=10", *options, model="nameless:Nameless")
        record = Evidence.model_validate_json((bench.path / out / "evidence.json").read_text())
        (said,) = [sentence for sentence in record.limits if "gives no fingerprint" in sentence]
        return record.run.probes, said

    first, said = probes("one", "-n", "2")  # the workers of one run share its answers
    assert first.asked == first.planned
    assert "were not used" in said
    again, _ = probes("two")
    assert (again.asked, again.from_store) == (first.asked, 0)
    kept, said = probes("three", "--audit-reuse-unfingerprinted")
    assert kept.asked == first.asked, "answers of a run alone are no other run's later on either"
    assert "--audit-reuse-unfingerprinted" in said
    kept, _ = probes("four", "--audit-reuse-unfingerprinted")
    assert (kept.asked, kept.from_store) == (0, first.asked)
