"""Discrimination, rates, agreement, and the correction within the declared family."""

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.judge import Judge
from auditkit.vocabulary import Condition, Contrast, Group, Series
from tests.judge.build import answered, images, judged, measured, protocol
from tests.judge.test_means import CONTRAST, TREATED, pair, series_scores

PIXELATE = Series("pixelate", "discrimination", "pixelate")


def test_discrimination_requires_the_severities_named():
    records, columns = series_scores(40, [0, 0, -25, -30, -35])
    audit = judged(PIXELATE, measured(records, columns), "discrimination")
    assert audit.verdict == "PASS"
    by_severity = {c.condition: c for c in audit.by_modality}
    assert not by_severity["severity 1"].required
    assert by_severity["severity 1"].verdict == "INCONCLUSIVE"
    assert by_severity["severity 5"].estimate.value > 0.95


def test_discrimination_at_chance_fails():
    records, columns = series_scores(60, [0, 0, 0, 0, 0])
    audit = judged(PIXELATE, measured(records, columns), "discrimination")
    assert audit.verdict == "FAIL"
    assert audit.by_modality[-1].estimate.value == pytest.approx(0.5, abs=0.15)


def test_constant_scores_do_not_discriminate():
    records = images(60)
    columns = {Condition("pixelate", s) if s else Condition(): answered(np.full(60, 70.0)) for s in range(6)}
    audit = judged(PIXELATE, measured(records, columns), "discrimination")
    assert audit.verdict == "FAIL"


def test_discrimination_below_32_patients_never_passes():
    records, columns = series_scores(31, [-20, -25, -25, -30, -35])
    assert judged(PIXELATE, measured(records, columns), "discrimination").verdict == "INCONCLUSIVE"


def refused(n, k, outcome="refused"):
    scores = np.full(n, 70.0)
    scores[:k] = np.nan
    return answered(scores, outcome)


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (3, "INCONCLUSIVE"), (20, "FAIL")])
def test_rate_of_refusals(k, verdict):
    group = Group("score_100.direct-refused", "answers")
    audit = judged(group, measured(images(40), {Condition(): refused(40, k)}), "rate")
    assert audit.verdict == verdict
    assert audit.by_modality[0].estimate.value == pytest.approx(k / 40)


def test_unusable_answers_and_refusals_are_counted_apart():
    data = measured(images(40), {Condition(): refused(40, 20, "unparsed")})
    assert judged(Group("t-refused", "answers", template="score_100.direct"), data, "rate").verdict == "PASS"
    assert judged(Group("t-unusable", "answers", template="score_100.direct"), data, "rate").verdict == "FAIL"


def test_errors_are_neither_refused_nor_unusable():
    data = measured(images(40), {Condition(): refused(40, 4, "error")})
    audit = judged(Group("t-unusable", "answers"), data, "rate")
    assert audit.verdict == "ERROR"
    assert audit.by_modality[0].estimate.value == 0


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (3, "INCONCLUSIVE"), (25, "FAIL")])
def test_rate_difference(k, verdict):
    contrast = Contrast("x", "differential", TREATED)
    data = measured(images(40), {Condition(): refused(40, 0), TREATED: refused(40, k)})
    audit = judged(contrast, data, "rate_difference")
    assert audit.verdict == verdict
    assert len(audit.by_modality[0].outcomes.model_dump()) == 6


@pytest.mark.parametrize(("k", "verdict"), [(0, "PASS"), (3, "INCONCLUSIVE"), (20, "FAIL")])
def test_agreement(k, verdict):
    again = Condition(repeat=1)
    first = np.full(40, 70.0)
    second = first.copy()
    second[:k] = 71
    data = measured(images(40), {Condition(): answered(first), again: answered(second)})
    assert judged(Contrast("x", "repeatability", again), data, "agreement").verdict == verdict


def test_a_changed_outcome_is_a_changed_answer():
    again = Condition(repeat=1)
    data = measured(images(40), {Condition(): refused(40, 20), again: refused(40, 20, "unparsed")})
    assert judged(Contrast("x", "repeatability", again), data, "agreement").by_modality[0].estimate.value == 0.5


def test_a_fail_is_corrected_for_the_declared_family_not_for_what_was_run():
    """Just significant alone, not within a family of thousands: running one audit must not make it a FAIL."""
    records, clean, treated = pair(40, 7.0, 4)
    data = measured(records, {Condition(): answered(clean), TREATED: answered(treated)})
    small = {"gate": "equivalence", "margin": 5.0, "size": 1}
    large = {"gate": "equivalence", "margin": 5.0, "size": 100_000}
    base = protocol().model_dump(mode="json")["families"]
    alone = judged(CONTRAST, data, "equivalence", protocol(families={**base, "metadata": small}))
    within = judged(CONTRAST, data, "equivalence", protocol(families={**base, "metadata": large}))
    assert alone.verdict == "FAIL"
    assert within.verdict == "INCONCLUSIVE"
    assert "not confirmed after Holm" in within.sentence
    assert within.by_modality[0].estimate == alone.by_modality[0].estimate


def test_an_undeclared_family_says_what_to_add():
    contrast = Contrast("x", "mine", TREATED)
    judge = Judge(protocol(), measured(images(2), {}), [contrast])
    with pytest.raises(AuditkitError, match=r"\[families\.mine\]"):
        judge.audit(contrast, "equivalence", "")


def test_an_own_family_must_declare_its_size():
    contrast = Contrast("x", "mine", TREATED)
    families = {"mine": {"gate": "equivalence", "margin": 5.0}}
    records, clean, treated = pair(30, 0, 2)
    data = measured(records, {Condition(): answered(clean), TREATED: answered(treated)})
    judge = Judge(protocol(families=families), data, [contrast])
    with pytest.raises(AuditkitError, match="size = 1"):
        judge.audit(contrast, "equivalence", "")


def test_every_sentence_is_clean():
    records, clean, treated = pair(30, 3, 8, ("ct", "other"))
    treated[:3] = np.nan
    data = measured(records, {Condition(): answered(clean), TREATED: answered(treated)})
    audit = judged(CONTRAST, data, "equivalence")
    for sentence in (audit.sentence, *(c.sentence for c in audit.by_modality)):
        assert sentence.endswith(".")
        for ugly in ("nan", "inf", "None", "e+", "  ", ".."):
            assert ugly not in sentence
