"""A family of one's own may hold a series under a gate made for contrasts: one decision per severity."""

from auditkit.judge.judge import Judge
from auditkit.protocol.read import read_protocol
from auditkit.testing import FairReader, made_up_images, simulate
from auditkit.vocabulary import Series

PROTOCOL = """
name = "own"
seed = 1
[profiles.ci]
alpha = 0.05
[prompts]
score = "score_100.direct"
[statistics]
resamples = 1000
[families.steady]
gate = "equivalence"
margin = 5.0
size = 1
"""


def test_every_severity_is_a_decision_of_the_declared_comparison():
    protocol = read_protocol(PROTOCOL.replace('name = "own"', 'name = "own"\nprofile = "ci"'), "own.toml")
    series = Series("jpeg", "steady", "jpeg")
    data = simulate(FairReader(), made_up_images({"ct": 32}), [series], protocol, seed=2)
    audit = Judge(protocol, data, [series]).audit(series, "equivalence", "Steady?")
    assert [cell.condition for cell in audit.by_modality] == [f"severity {s}" for s in series.severities]
    assert audit.verdict == "FAIL"  # a fair reader sees the compression
