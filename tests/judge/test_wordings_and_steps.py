"""Wordings compared pair by pair, and severities step by step."""

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import Measurements
from auditkit.protocol.effects import change, steps, wordings
from auditkit.vocabulary import Question
from tests.judge.build import FAMILIES, HIGH, answered, by_part, images, judged, measured, protocol
from tests.judge.test_means import series_scores

NAMES = ("direct", "reader", "acceptance")
WORDINGS = wordings("quality", NAMES, name="numbers", family="templates")
STEPS = steps("pixelate", family="monotone")


def worded(n, shifts, sd=3.0, modalities=("ct",), seed=0):
    rng = np.random.default_rng(seed)
    records = images(n, modalities)
    clean = rng.uniform(50, 70, len(records))
    columns = {
        Question("quality", name): answered(clean + shift + rng.normal(0, sd, len(records)))
        for name, shift in zip(NAMES, shifts, strict=True)
    }
    return Measurements(records, columns)


def test_wordings_that_agree_pass_in_every_pair():
    audit = judged(WORDINGS, worded(80, [0, 0, 0]))
    assert audit.verdict == "PASS"
    assert len(audit.parts) == 3
    assert [c.part for c in audit.parts] == [
        "quality.reader vs quality.direct",
        "quality.acceptance vs quality.direct",
        "quality.acceptance vs quality.reader",
    ]


def test_one_wording_apart_fails_where_it_is_compared():
    audit = judged(WORDINGS, worded(80, [0, 0, 12]))
    assert audit.verdict == "FAIL"
    by_pair = by_part(audit)
    assert by_pair["quality.reader vs quality.direct"].verdict == "PASS"
    for other in ("direct", "reader"):
        cell = by_pair[f"quality.acceptance vs quality.{other}"]
        assert cell.verdict == "FAIL"
        assert cell.estimate.value == pytest.approx(12, abs=2)
        assert "must stay within ±5.0" in cell.sentence
    assert abs(audit.estimate.value) == pytest.approx(12, abs=2)


def test_three_wordings_spread_over_the_margin_do_not_pass():
    """0, 3.5 and 7: neighbours agree, the ends do not."""
    audit = judged(WORDINGS, worded(240, [0, 3.5, 7]))
    assert audit.verdict == "FAIL"
    assert sum(c.verdict == "FAIL" for c in audit.parts) == 1


def test_every_pair_counts_in_the_correction():
    """Three pairs of wordings, and five steps of severity: so many decisions in the one modality there is."""
    # The shipped audit of the four wordings has six pairs, and is a member of the family too.
    nine = protocol(families={"templates": {"within": 5.0, "size": 9}})
    worst = min(judged(WORDINGS, worded(120, [0, 0, 12], sd=20), nine).parts, key=lambda c: c.p_fail)
    assert 1e-4 < worst.p_fail < 1 / 9
    assert worst.p_fail_holm == pytest.approx(9 * worst.p_fail, abs=1e-5)
    records, columns = series_scores(80, [-5, -10, 2, -20, -25], sd=20)
    five = protocol(families={"monotone": {**FAMILIES["monotone"], "size": 5}})
    worst = min(judged(STEPS, measured(records, columns), five).parts, key=lambda c: c.p_fail)
    assert 1e-4 < worst.p_fail < 1 / 5
    assert worst.p_fail_holm == pytest.approx(5 * worst.p_fail, abs=1e-5)


def test_a_part_that_is_required_must_be_one_of_the_effects():
    one_more = {"within": 5.0, "size": 9}
    families = {"templates": {**one_more, "required": ["severity 3"]}}
    with pytest.raises(AuditkitError, match="templates requires severity 3, and numbers has none of these parts"):
        check_limits([WORDINGS], protocol(families=families))
    others = {"templates": one_more, "metadata": {"within": 5.0, "size": 61}}
    check_limits([WORDINGS, change(HIGH, family="metadata")], protocol(families=others))


def test_wordings_are_asked_once_each():
    questions = list(WORDINGS.questions())
    assert len(questions) == 3
    assert {question.words for question in questions} == {f"quality.{name}" for name in NAMES}


def test_a_falling_score_is_monotone():
    records, columns = series_scores(60, [-5, -10, -15, -20, -25])
    audit = judged(STEPS, measured(records, columns))
    assert audit.verdict == "PASS"
    assert [c.part for c in audit.parts][:2] == ["severity 0 to 1", "severity 1 to 2"]


def test_a_rise_between_two_severities_fails_there():
    records, columns = series_scores(60, [-5, -10, 2, -20, -25])
    audit = judged(STEPS, measured(records, columns))
    assert audit.verdict == "FAIL"
    assert [c.part for c in audit.parts if c.verdict == "FAIL"] == ["severity 2 to 3"]
