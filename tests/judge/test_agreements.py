"""Agreement of two ratings as audits, and shares of the wording, which are only shown."""

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import Measurements
from auditkit.protocol.effects import agreement, wording_share
from auditkit.vocabulary import Question, Value
from tests.judge.build import SCORE, answered, by_level, images, judged, own

N = 96
READER = Question("quality", "reader")
EFFECT = agreement(Value(SCORE), Value(READER), family="mine")
GRADES = 25.0 * (np.arange(N) % 5)


def rated(first, second, modalities=("ct",)) -> Measurements:
    some = images(N // len(modalities), modalities)
    return Measurements(some, {SCORE: answered(first), READER: answered(second)})


def test_ratings_that_mostly_agree_pass_and_others_fail():
    rng = np.random.default_rng(1)
    near = np.clip(GRADES + rng.choice([-25, 0, 0, 0], N), 0, 100)
    audit = judged(EFFECT, rated(GRADES, near), own(at_least=0.6))
    E = GRADES.var() + near.var() + (GRADES.mean() - near.mean()) ** 2
    assert by_level(audit)["ct"].estimate.value == pytest.approx(1 - np.mean((GRADES - near) ** 2) / E)
    assert (audit.verdict, audit.unit) == ("PASS", "kappa")
    assert "kappa 0." in audit.sentence
    assert judged(EFFECT, rated(GRADES, rng.permutation(GRADES)), own(at_least=0.6)).verdict == "FAIL"


def test_perfect_agreement_of_few_does_not_pass_a_high_floor():
    few = Measurements(images(24), {q: answered(GRADES[:24]) for q in (SCORE, READER)})
    audit = judged(EFFECT, few, own(at_least=0.8))
    assert audit.verdict == "INCONCLUSIVE"
    cell = by_level(audit)["ct"]
    assert cell.estimate.value == 1
    assert cell.estimate.low < 0.8


def test_one_grade_for_all_is_undetermined_with_its_reason():
    audit = judged(EFFECT, rated(np.full(N, 50.0), np.full(N, 50.0)), own(at_least=0.5))
    assert audit.verdict == "INCONCLUSIVE"
    assert by_level(audit)["ct"].estimate.value is None
    assert "same grade" in audit.sentence


def test_a_missing_rating_may_be_the_furthest_or_the_same():
    gaps = GRADES.copy()
    gaps[:12] = np.nan
    assert judged(EFFECT, rated(GRADES, GRADES), own(at_least=0.8)).verdict == "PASS"
    audit = judged(EFFECT, rated(GRADES, gaps), own(at_least=0.8))
    assert audit.verdict == "INCONCLUSIVE"
    worst = by_level(audit)["ct"].worst_case
    far = GRADES.copy()
    far[:12] = np.where(GRADES[:12] > 50, 0.0, 100.0)
    E = GRADES.var() + far.var() + (GRADES.mean() - far.mean()) ** 2
    assert worst.value == pytest.approx(1 - np.mean((GRADES - far) ** 2) / E)


def test_a_fail_must_survive_missing_ratings_at_their_most_harmless():
    """Kappa of the 40 of 96 that are rated twice is 0; were the others to agree it would not be below the floor."""
    rng = np.random.default_rng(4)
    second = rng.permutation(GRADES)
    gaps = np.where(np.arange(N) < 40, second, np.nan)
    assert judged(EFFECT, rated(GRADES, second), own(at_least=0.5)).verdict == "FAIL"
    assert judged(EFFECT, rated(GRADES, gaps), own(at_least=0.5)).verdict == "INCONCLUSIVE"


def test_modalities_are_not_compared_with_one_another():
    """In either modality the ratings are chance; over both together they follow the modality."""
    rng = np.random.default_rng(5)
    level = np.repeat([0.0, 75.0], N // 2)
    first, second = (level + 25 * rng.integers(0, 2, N) for _ in range(2))
    audit = judged(EFFECT, rated(first, second, ("ct", "mr")), own(at_least=0.5))
    assert audit.estimate.value > 0.8
    assert all(cell.estimate.value < 0.3 and cell.verdict != "PASS" for cell in by_level(audit).values())
    assert audit.verdict != "PASS"


def test_two_ratings_on_one_scale_are_needed():
    other = agreement(Value(SCORE), Value(SCORE, "lost"), family="mine")
    with pytest.raises(AuditkitError, match="0 to 100, 0 to 1"):
        check_limits([other], own(at_least=0.5))
    check_limits([EFFECT], own(at_least=0.5))
    with pytest.raises(AuditkitError, match="at_least"):
        check_limits([EFFECT], own(at_most=0.5))


WORDING = wording_share("quality", ["direct", "reader"], family="mine")


def test_the_share_of_the_wording_is_shown_with_the_rest():
    """A constant of 20 points between two wordings, on images of known variance: the share by hand."""
    image = np.linspace(20, 70, N)
    noise = np.random.default_rng(6).normal(0, 2, N)
    audit = judged(WORDING, rated(image, image + 20 + noise), own(shown=True, size=None))
    cell = by_level(audit)["ct"]
    d = 20 + noise
    rest = d.var(ddof=1) / 2
    wording = d.mean() ** 2 / 2 - rest / N
    images_ = (image + d / 2).var(ddof=1) - rest / 2
    assert cell.estimate.value == pytest.approx(wording / (wording + rest + images_))
    assert (audit.unit, audit.shown) == ("share", True)
    assert "the images themselves" in cell.sentence
    assert audit.title == "Quality by wording"


def test_images_without_a_score_are_counted_as_left_out():
    gaps = GRADES.copy()
    gaps[:3] = np.nan
    audit = judged(WORDING, rated(GRADES, gaps), own(shown=True, size=None))
    assert "3 images left out" in by_level(audit)["ct"].sentence


def test_a_share_of_the_wording_has_no_limit():
    with pytest.raises(AuditkitError, match="shown = true"):
        check_limits([WORDING], own(at_most=0.2))
