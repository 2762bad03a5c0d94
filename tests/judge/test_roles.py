"""Two models beside each other: their difference is judged as any other mean, by the limit of its family."""

from dataclasses import replace

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.judge import Judge
from auditkit.judge.procedures import check_limits
from auditkit.judge.sides import mirrored, one_side
from auditkit.judge.titles import Titles
from auditkit.measure.columns import NOT_ASKED, Measurements
from auditkit.measure.effects import per_item
from auditkit.protocol.effects import agreement, behind, change, errors_over, falls, mean, rises, share, versus
from auditkit.vocabulary import Perturbation, Value
from tests.judge.build import HIGH, SCORE, answered, images, judged, measured, own, protocol

SIBLING = replace(SCORE, role="sibling")
RNG = np.random.default_rng(4)
OURS = np.where(RNG.random(80) < 0.1, np.nan, np.round(60 + RNG.normal(0, 6, 80)))
THEIRS = np.where(RNG.random(80) < 0.1, np.nan, np.round(58 + RNG.normal(0, 6, 80)))
NUMBERS = ("estimate", "p_pass", "p_fail", "verdict", "n_images", "mde")


def two(ours=OURS, theirs=THEIRS, modalities=("ct",), per_patient=2):
    records = images(len(ours) // len(modalities), modalities, per_patient)
    return Measurements(records, {SCORE: answered(ours), SIBLING: answered(theirs)})


def numbers(audit):
    cells = [cell.model_dump(exclude={"sentence"}) for cell in audit.parts]
    return {key: getattr(audit, key) for key in NUMBERS} | {"cells": cells}


@pytest.mark.parametrize("limit", [{"within": 2.0}, {"within": 20.0}, {"at_most": 9.0}, {"at_least": 1.0}])
def test_a_difference_of_models_is_judged_as_the_same_difference_of_one(limit):
    """The audited model under words and without stands for the two: every number and verdict must come out the same."""
    one = measured(images(80, per_patient=2), {(HIGH,): answered(OURS), (): answered(THEIRS)})
    rules = own(**limit)
    expected = judged(change(HIGH, family="mine"), one, rules)
    found = judged(versus(mean(family="mine"), family="mine"), two(), rules)
    assert numbers(found) == numbers(expected)
    assert found.change


def test_behind_is_the_other_sign():
    ahead = judged(versus(mean(family="mine")), two(), own(within=20.0)).estimate
    lag = judged(behind(mean(family="mine")), two(), own(within=20.0)).estimate
    assert (lag.value, lag.low, lag.high) == (-ahead.value, -ahead.high, -ahead.low)


def test_margins_for_earlier_runs_decide_nothing():
    effect = versus(mean(family="mine"))
    wide = own(within=6.0).model_copy(update={"baseline": protocol(baseline={"points": 90.0}).baseline})
    assert numbers(judged(effect, two(), wide)) == numbers(judged(effect, two(), own(within=6.0)))


def test_bounds_where_one_has_answered_and_where_neither_has():
    data = two(np.array([80.0, np.nan, np.nan, 30.0]), np.array([70.0, 70.0, np.nan, np.nan]), per_patient=1)
    part = own(within=5.0).resolved(versus(mean(family="mine"))).parts[0]
    found = per_item(part, data, own(within=5.0))
    # 70 leaves the other 0 to 100; of neither is anything known but that they are within missing_points.
    assert found.lowest.tolist() == [10, -70, -25, -70]
    assert found.highest.tolist() == [10, 30, 25, 30]
    assert found.values[0] == 10
    assert np.isnan(found.values[1:]).all()


def test_a_share_may_be_held_to_either_side_and_a_score_is_bounded_by_its_scale():
    check_limits([versus(share("lost", "quality"), family="mine")], own(within=0.1))
    check_limits([behind(mean(), family="mine")], own(at_most=5.0))
    with pytest.raises(AuditkitError, match=r"at_most = 120 cannot be reached"):
        check_limits([behind(mean(), family="mine")], own(at_most=120.0))


def test_a_tail_is_for_one_model():
    with pytest.raises(AuditkitError, match="compares two"):
        check_limits([versus(change(HIGH), family="mine")], own(within=5.0, tail={"beyond": 25.0, "share": 0.1}))


def test_a_level_that_a_record_has_not_is_undecided_and_holds_up_a_pass():
    theirs = np.where(np.arange(160) < 80, 60.0, np.nan)
    data = two(np.full(160, 60.0), theirs, ("ct", "mr"), 1)
    outcomes = np.where(np.arange(160) < 80, data.column(SIBLING).outcomes, NOT_ASKED).astype(np.int8)
    data = data.with_columns({SIBLING: replace(data.column(SIBLING), outcomes=outcomes)})
    audit = judged(versus(mean(family="mine")), data, own(within=10.0))
    verdicts = {cell.stratum.level: cell.verdict for cell in audit.parts}
    assert verdicts == {"all": "PASS", "ct": "PASS", "mr": "INCONCLUSIVE"}
    assert audit.verdict == "INCONCLUSIVE"


def test_the_other_alone_is_a_level_and_no_change():
    audit = judged(mean(family="mine").by("sibling"), two(), own(at_least=20.0))
    assert not audit.change
    assert audit.estimate.value == pytest.approx(
        np.nanmean([np.nanmean(pair) for pair in THEIRS.reshape(-1, 2) if np.isfinite(pair).any()]), abs=1e-5
    )


PIXELS = Perturbation("pixelate", 3)
MED = "Med: clean image, no extra sentence"
NAMED = Titles(protocol().catalogue, {"model": "Med", "sibling": "Plain"})


@pytest.mark.parametrize(
    ("effect", "title", "treated", "control"),
    [
        (
            versus(mean()),
            "Score: Med minus Plain",
            "Med: clean image, no extra sentence",
            "the same questions to Plain",
        ),
        (
            behind(mean()),
            "Score: Plain minus Med",
            "Plain: clean image, no extra sentence",
            "the same questions to Med",
        ),
        (
            mean().minus(mean().by("sibling")),
            "Score: Med minus Plain",
            "Med: clean image, no extra sentence",
            "the same questions to Plain",
        ),
        (
            versus(falls("pixelate")),
            "Pixelation: Med minus Plain",
            "Med: Pixelation, severity 1 to 5, compared with: clean image, no extra sentence",
            "the same questions to Plain",
        ),
        (mean().by("sibling"), "Score: Plain", "Plain: clean image, no extra sentence", ""),
        (
            mean().under(PIXELS).minus(mean().by("sibling")),
            "Pixelation, severity 3: Plain and Med",
            "Med: Pixelation, severity 3",
            "Plain: clean image, no extra sentence",
        ),
        (versus(mean(), name="my own name"), "My own name: Med minus Plain", None, None),
        (
            agreement(Value(SCORE), Value(SIBLING), name="agreed"),
            "Agreed: Med and Plain",
            "Med: quality.direct, clean image, no extra sentence",
            "Plain: quality.direct, clean image, no extra sentence",
        ),
        (
            errors_over("lost", ("pixelate",), (3,), reference="sibling", name="e"),
            "E: Med over Plain",
            "errors under Pixelation, severity 3",
            "those of Plain",
        ),
    ],
)
def test_words_name_the_models(effect, title, treated, control):
    assert NAMED.title(effect) == title
    if treated is not None:
        assert NAMED.sides(effect) == (treated, control)


def test_without_names_the_roles_stand_for_them():
    assert Titles(protocol().catalogue).title(versus(mean())) == "Score: the audited model minus sibling"


@pytest.mark.parametrize(
    ("ours", "theirs", "who"),
    [
        ("google/medgemma-4b-it", "google/gemma-3-4b-it", "medgemma-4b-it minus gemma-3-4b-it"),
        ("./runs/tuned/", "plain", "tuned minus plain"),
        ("google/medgemma-4b-it", "mine/medgemma-4b-it", "the audited model minus sibling"),
        ("openai/clip-vit-large-patch14-336-laion2b-e16", "clip", "the audited model minus sibling"),
    ],
)
def test_long_names_are_shortened_together_and_told_apart(ours, theirs, who):
    titles = Titles(protocol().catalogue, {"model": ours, "sibling": theirs})
    assert titles.title(versus(mean())) == f"Score: {who}"
    assert titles.sides(versus(mean())) == (
        f"{ours}: clean image, no extra sentence",
        f"the same questions to {theirs}",
    )


@pytest.mark.parametrize("effect", [mean(), falls("pixelate"), rises("jpeg"), change(HIGH)])
def test_one_side_of_a_difference_is_what_it_was_made_of(effect):
    assert one_side(versus(effect)) == effect
    assert one_side(behind(effect)) == effect
    assert one_side(effect.by("sibling")) == effect
    assert mirrored(versus(effect)) == ("model", "sibling")
    assert mirrored(behind(effect)) == ("sibling", "model")
    assert mirrored(effect) is None


def test_a_sentence_says_whose_answers_count():
    judge = Judge(own(within=20.0), two(), [versus(mean(family="mine"))], names={"model": "Med", "sibling": "Plain"})
    assert judge.audit(versus(mean(family="mine")), "?").sentence.endswith("Counted is Med minus Plain.")
