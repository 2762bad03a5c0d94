"""Rank correlation of what moves inside with the fall of the score, through the judge: what decides, what not."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import ERROR, MAIN, Column, Measurements
from auditkit.protocol.effects import displacement, follows
from auditkit.protocol.tracking import tracks
from auditkit.tasks import DISTANCE
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import SCORE, SCORED, answered, images, judged, own

LEVELS = (1, 3)
EFFECT = tracks("vision", "jpeg", LEVELS, family="mine")
GATE = {"at_least": 0.3, "moves": 5.0}
N = 120


def data(fall, inside=None, outcome="refused", modalities=("ct",)):
    """Items whose similarity falls with their number, and whose score falls by `fall`, shape (N, severities)."""
    records = images(N, modalities)
    inside = np.tile(np.arange(N) / N, (len(LEVELS), 1)).T if inside is None else inside
    inside = np.concatenate([inside / (1 + place) for place in range(len(modalities))])
    fall = np.concatenate([fall + 5 * place for place in range(len(modalities))])
    columns = {SCORE: answered(np.full(len(records), 90.0))}
    for place, level in enumerate(LEVELS):
        done = Perturbation("jpeg", level)
        values = {MAIN: 1 - inside[:, place] * level / 10, DISTANCE.name: inside[:, place] * level / 10}
        outcomes = np.where(np.isfinite(inside[:, place]), SCORED, ERROR).astype(np.int8)
        columns[Question("embedding", "vision").under(done)] = Column(values, outcomes, inside=True)
        columns[SCORE.under(done)] = answered(90.0 - fall[:, place], outcome)
    return Measurements(records, columns)


def falls(seed=1, noise=8.0, size=60.0):
    rng = np.random.default_rng(seed)
    return (
        np.round(np.clip(size * np.arange(N)[:, None] / N + noise * rng.normal(size=(N, len(LEVELS))), 0, 90) / 5) * 5
    )


def cell(audit):
    [found] = [cell for cell in audit.parts if cell.stratum.level == "ct"]
    return found


def test_a_score_that_falls_in_the_images_that_move_inside_passes():
    fall = falls()
    audit = judged(EFFECT, data(fall), own(**GATE))
    assert audit.verdict == "PASS"
    expected = np.mean([spearmanr(np.arange(N), fall[:, place])[0] for place in range(2)])
    assert cell(audit).estimate.value == pytest.approx(expected, abs=0.003)
    assert (cell(audit).estimate.unit, cell(audit).margin_low, audit.statistic) == ("correlation", 0.3, "rank")
    assert (cell(audit).n_images, cell(audit).n_clusters) == (N, N)
    assert audit.quantity == "rank correlation"


def test_similarity_and_distance_give_the_same_ranks():
    both = (EFFECT, tracks("vision", "jpeg", LEVELS, value="distance", family="mine"))
    assert len({cell(judged(effect, data(falls()), own(**GATE))).estimate.value for effect in both}) == 1
    assert [effect.name for effect in both] == ["vision-jpeg-tracks", "vision-jpeg-distance-tracks"]


def test_a_tenth_of_a_point_in_perfect_order_does_not_follow():
    fall = np.tile(0.1 * np.arange(N) / N, (2, 1)).T
    found = cell(judged(EFFECT, data(fall), own(**GATE)))
    assert found.estimate.value == pytest.approx(1)
    assert found.verdict == "INCONCLUSIVE"
    assert "scores of two images move 0.0" in found.sentence
    assert "apart at one severity, which must be above 5.0;" in found.sentence


def test_a_fall_that_is_the_same_in_all_images_is_no_movement_at_one_severity():
    fall = np.tile([20.0, 40.0], (N, 1)) + np.tile(0.1 * np.arange(N) / N, (2, 1)).T
    assert cell(judged(EFFECT, data(fall), own(**GATE))).verdict == "INCONCLUSIVE"


def test_an_inside_that_moves_where_the_score_does_not_fails():
    rng = np.random.default_rng(2)
    noise = 20 * rng.normal(size=(N, 2))
    found = cell(judged(EFFECT, data(np.clip(30 + noise, 0, 90)), own(**GATE)))
    assert found.verdict == "FAIL"
    still = cell(judged(EFFECT, data(np.zeros((N, 2))), own(at_least=0.5, moves=5.0)))
    assert (still.estimate.value, still.verdict) == (0.0, "FAIL")


def test_severities_are_never_compared_with_each_other():
    """Both move with severity, and within it by chance: all pairs together would be in step."""
    rng = np.random.default_rng(5)
    inside = np.array([0.2, 0.8]) + 0.1 * rng.random((N, 2))
    fall = np.array([10.0, 60.0]) + 10 * rng.random((N, 2))
    assert abs(cell(judged(EFFECT, data(fall, inside), own(**GATE))).estimate.value) < 0.2


def test_missing_scores_may_have_stayed_where_the_inside_moved():
    fall = falls()
    fall[-30:] = np.nan  # the images that moved most inside
    found = cell(judged(EFFECT, data(fall), own(**GATE)))
    assert found.verdict == "INCONCLUSIVE"
    assert "missing answers at the worst" in found.sentence
    assert found.worst_case.value < 0.3 < found.estimate.low
    assert found.outcomes.refused == 60


def test_missing_scores_may_have_fallen_most_where_a_fail_is_near():
    fall = np.clip(30 + 20 * np.random.default_rng(2).normal(size=(N, 2)), 0, 90)
    fall[-50:] = np.nan
    assert cell(judged(EFFECT, data(fall), own(**GATE))).verdict == "INCONCLUSIVE"


def test_a_missing_embedding_is_an_error():
    inside = np.tile(np.arange(N) / N, (2, 1)).T
    inside[3, 1] = np.nan
    assert cell(judged(EFFECT, data(falls(), inside), own(**GATE))).verdict == "ERROR"


def test_shown_it_says_by_how_much_scores_move():
    audit = judged(EFFECT, data(falls()), own(shown=True))
    assert "Scores of two images move" in cell(audit).sentence
    assert cell(audit).margin_low is None
    nothing = judged(EFFECT, data(np.full((N, 2), np.nan)), own(shown=True))
    assert "nothing to follow" in cell(nothing).sentence


def test_all_modalities_together_are_shown_only():
    """Two modalities of which one moves inside and falls less than the other: within them all is in order."""
    fall = falls()
    audit = judged(EFFECT, data(fall, modalities=("ct", "mr")), own(**GATE))
    assert {c.stratum.level: c.required for c in audit.parts} == {"ct": True, "mr": True}
    assert audit.estimate.value == pytest.approx(cell(audit).estimate.value)
    assert audit.estimate.unit == "correlation"


@pytest.mark.parametrize(
    ("effect", "family", "problem"),
    [
        (EFFECT, {"at_least": 0.3}, "Give moves = 5.0"),
        (displacement("vision", "jpeg", family="mine"), {"at_least": 0.3, "moves": 5.0, "size": 5}, "Leave moves out"),
        (follows("vision", "jpeg", family="mine"), {"at_least": 0.3}, "not measured"),
        (EFFECT, {"at_most": 0.3}, "Give at_least instead"),
        (EFFECT, {"at_least": 30.0, "moves": 5.0}, "cannot be reached"),
    ],
)
def test_limits_that_it_cannot_be_held_to(effect, family, problem):
    with pytest.raises(AuditkitError, match=problem):
        check_limits([effect], own(**family))


def test_moves_goes_with_at_least():
    with pytest.raises(ValueError, match="goes with at_least"):
        own(at_most=0.3, moves=5.0)
