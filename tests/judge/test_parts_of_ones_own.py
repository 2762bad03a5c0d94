"""A family of one's own may hold any effect: every part of it is a decision."""

from auditkit.judge.judge import Judge
from auditkit.protocol.effects import rises
from auditkit.protocol.read import read_protocol

PROTOCOL = """
name = "own"
profile = "ci"
seed = 1
[profiles.ci]
alpha = 0.05
[prompts]
score = "quality.direct"
[statistics]
resamples = 1000
[families.steady]
within = 5.0
tail = { beyond = 25.0, share = 0.1 }
size = 5
"""


def test_every_severity_is_a_decision_of_the_declared_effect():
    from auditkit.testing import FairReader, made_up_images, simulate

    protocol = read_protocol(PROTOCOL, "own.toml")
    effect = rises("jpeg", family="steady")
    data = simulate(FairReader(), made_up_images({"ct": 32}), [effect], protocol, seed=2)
    audit = Judge(protocol, data, [effect]).audit(effect, "Steady?")
    assert [cell.part for cell in audit.parts] == [f"severity {s}" for s in range(1, 6)]
    assert audit.verdict == "FAIL"  # a fair reader sees the compression
