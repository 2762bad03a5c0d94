"""Ratios of errors as audits: whose errors they are, what is missing, and what is not a number."""

from dataclasses import replace

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.judge.titles import Titles
from auditkit.measure.columns import Measurements
from auditkit.protocol.effects import errors_over
from auditkit.vocabulary import CLEAN, Perturbation, Question
from tests.judge.build import SCORE, answered, by_level, images, judged, measured, own

N = 64
BLUR = Perturbation("pixelate", 3)
REFERENCE = "reference"
OURS, THEIRS = Question("quality", "direct"), Question("quality", "direct", role=REFERENCE)


def lost(share: float, start: int = 0) -> np.ndarray:
    """Scores of which this share, from `start` on, is missing."""
    scores = np.full(N, 70.0)
    scores[(start + np.arange(round(share * N))) % N] = np.nan
    return scores


def both(new: dict, reference: dict) -> Measurements:
    """Answers of the model and of the reference by condition; NaN is a refusal."""
    columns = {OURS.under(*condition): answered(scores) for condition, scores in new.items()}
    columns |= {THEIRS.under(*condition): answered(scores) for condition, scores in reference.items()}
    return Measurements(images(N), columns)


def test_refusals_under_a_corruption_over_those_without():
    effect = errors_over("lost", ["pixelate"], [3], family="mine")
    data = measured(images(N), {(): answered(lost(0.5)), (BLUR,): answered(lost(0.75))})
    audit = judged(effect, data, own(at_most=1.2))
    cell = by_level(audit)["ct"]
    assert cell.estimate.value == pytest.approx(1.5)
    assert (audit.unit, audit.change, audit.verdict) == ("ratio", False, "FAIL")
    assert "Ratio 1.50 [" in audit.sentence
    assert judged(effect, data, own(at_most=2.5)).verdict == "PASS"


def test_errors_over_those_of_another_model():
    effect = errors_over("lost", ["pixelate"], [3], reference=REFERENCE, family="mine")
    data = both({(BLUR,): lost(0.25)}, {(BLUR,): lost(0.5)})
    audit = judged(effect, data, own(at_most=1.1))
    assert by_level(audit)["ct"].estimate.value == pytest.approx(0.5)
    assert audit.verdict == "PASS"
    assert audit.control == f"those of the {REFERENCE}"


def test_relative_errors_take_the_clean_ones_off_on_either_side():
    """By hand: (0.75 - 0.25) / (0.5 - 0.25) = 2."""
    effect = errors_over("lost", ["pixelate"], [3], reference=REFERENCE, relative=True, family="mine")
    data = both({(): lost(0.25), (BLUR,): lost(0.75)}, {(): lost(0.25), (BLUR,): lost(0.5)})
    assert by_level(judged(effect, data, own(at_most=3)))["ct"].estimate.value == pytest.approx(2)


def test_a_reference_that_loses_nothing_more_leaves_it_undetermined():
    effect = errors_over("lost", ["pixelate"], [3], reference=REFERENCE, relative=True, family="mine")
    data = both({(): lost(0.25), (BLUR,): lost(0.75)}, {(): lost(0.25), (BLUR,): lost(0.25)})
    audit = judged(effect, data, own(at_most=3))
    assert audit.verdict == "INCONCLUSIVE"
    assert by_level(audit)["ct"].estimate.value is None
    assert "nothing to divide by" in audit.sentence


def test_errors_over_fixed_ones():
    """By hand, two corruptions: (0.5 / 0.25 + 0.25 / 0.5) / 2 = 1.25."""
    effect = errors_over("lost", ["pixelate", "jpeg"], [3], reference=[0.25, 0.5], family="mine")
    data = measured(images(N), {(BLUR,): answered(lost(0.5)), (Perturbation("jpeg", 3),): answered(lost(0.25))})
    audit = judged(effect, data, own(at_most=2))
    assert by_level(audit)["ct"].estimate.value == pytest.approx(1.25)
    assert "fixed" in audit.control


def test_what_is_right_is_turned_into_errors():
    """Scores of 80 and 60 lack 20 and 40 points of the top: the errors double."""
    effect = errors_over("", ["pixelate"], [3], right=True, family="mine")
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 1, N)
    data = measured(images(N), {(): answered(80 + noise), (BLUR,): answered(60 + 2 * noise)})
    cell = by_level(judged(effect, data, own(at_most=2.5)))["ct"]
    assert cell.estimate.value == pytest.approx(np.mean(40 - 2 * noise) / np.mean(20 - noise))


def test_a_pass_must_survive_missing_answers_and_a_fail_too():
    """Ten of 64 scores under the corruption are missing: they may be errors of 100 points, or none."""
    effect = errors_over("", ["pixelate"], [3], right=True, family="mine")
    scores = 60 + np.random.default_rng(2).normal(0, 1, N)
    gaps = scores.copy()
    gaps[:10] = np.nan
    clean = answered(scores)
    for limit, verdict in ((1.35, "PASS"), (0.8, "FAIL")):
        whole, some = (
            judged(effect, measured(images(N), {(): clean, (BLUR,): answered(x)}), own(at_most=limit))
            for x in (scores, gaps)
        )
        assert whole.verdict == verdict
        assert some.verdict == "INCONCLUSIVE"
        assert "missing" in some.sentence


def test_too_few_patients_are_told_how_many_it_takes():
    effect = errors_over("lost", ["pixelate"], [3], family="mine")
    scores = np.where(np.arange(12) < 8, np.nan, 70.0)
    data = measured(images(12), {(): answered(scores), (BLUR,): answered(scores)})
    audit = judged(effect, data, own(at_most=1.3))
    assert audit.verdict == "INCONCLUSIVE"
    assert "too few" in audit.sentence


def test_only_at_most_is_a_limit_and_it_may_be_above_one():
    effect = errors_over("lost", ["pixelate"], [3], family="mine")
    check_limits([effect], own(at_most=1.5))
    with pytest.raises(AuditkitError, match="at_most"):
        check_limits([effect], own(at_least=0.5))


def test_a_ratio_is_shown_without_a_limit():
    effect = errors_over("lost", ["pixelate"], [3], family="mine")
    data = measured(images(N), {(): answered(lost(0.5)), (BLUR,): answered(lost(0.75))})
    audit = judged(effect, data, own(shown=True, size=None))
    cell = by_level(audit)["ct"]
    assert cell.estimate.value == pytest.approx(1.5)
    assert cell.margin_high is None


def test_titles_say_whose_errors():
    protocol = own(at_most=1.5)
    effect = errors_over("lost", ["pixelate"], [3])
    titles = Titles(protocol.catalogue)
    assert titles.title(effect) == "Errors over clean"
    treated, control = titles.sides(effect)
    assert treated.startswith("errors under")
    assert control == "errors under clean image, no extra sentence"
    assert titles.quantity(effect) == "errors"


def test_terms_of_the_constructor():
    """Two levels of two corruptions, relative: four terms and the clean one four times, and the same of the other."""
    [part] = errors_over("lost", ["jpeg", "pixelate"], [1, 2], reference="other", relative=True).parts
    ours = [(w, v) for w, v in part.terms if v.question.role == "model"]
    theirs = [(w, v) for w, v in part.terms if v.question.role == "other"]
    assert [w for w, _ in ours] == [1, 1, 1, 1, -4]
    assert theirs == [(-w, replace(v, question=replace(v.question, role="other"))) for w, v in ours]
    assert {v.name for _, v in part.terms} == {"lost"}
    assert errors_over("lost", ["jpeg"]).name == f"errors-over-{CLEAN}"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"relative": True}, "give reference="),
        ({"reference": [0.1]}, "each of 2 corruptions"),
        ({"reference": [0.1, 0.0]}, r"\[0.1, 0.0\]"),
    ],
)
def test_errors_that_cannot_be_counted_are_refused(given, words):
    with pytest.raises(ValueError, match=words):
        errors_over("lost", ["jpeg", "pixelate"], **given)


def test_the_score_is_asked_as_the_protocol_says():
    assert SCORE == OURS
