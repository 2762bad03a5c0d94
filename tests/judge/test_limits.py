"""Limits that an effect cannot be held to are refused before the first question, with what is allowed."""

import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.protocol.effects import (
    areas,
    change,
    departure,
    differs,
    falls,
    follows,
    mean,
    rises,
    share,
    steps,
    wordings,
)
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Effect, Perturbation, Question
from tests.judge.build import AGAIN, HIGH, own, protocol
from tests.measure.axes import TASKS

PIXELATE = Perturbation("pixelate", 5)
LOST = share("lost").under(HIGH).minus(share("lost"))
INTERACTION = change(PIXELATE, HIGH).minus(change(PIXELATE)).minus(change(HIGH))
ALL = (
    change(HIGH),
    falls("pixelate"),
    rises("pixelate"),
    steps("pixelate"),
    mean(),
    INTERACTION,
    wordings("quality", ["direct", "reader"]),
)


def check(effect: Effect, **limits) -> None:
    check_limits([effect.named("x", "mine")], own(**{"size": len(effect.parts), **limits}))


def refused(effect: Effect, **limits) -> str:
    with pytest.raises(AuditkitError) as raised:
        check(effect, **limits)
    assert "families.mine" in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize(
    ("effect", "limits"),
    [
        *((effect, {verb: 3.0}) for effect in ALL for verb in ("within", "at_most", "at_least")),
        *((effect, {verb: 0.1}) for effect in (share("refused"), differs(AGAIN)) for verb in ("at_most", "at_least")),
        *((LOST, {verb: 0.1}) for verb in ("within", "at_most", "at_least")),
        (areas("pixelate"), {"at_least": 0.7}),
        (mean(), {"within": 99.0}),
        (change(HIGH), {"within": 5.0, "in_each": 10.0}),
        (rises("pixelate"), {"at_most": 5.0, "required": ["severity 3"]}),
        (INTERACTION, {"within": 150.0}),
        (change(HIGH), {"shown": True}),
        (areas("pixelate"), {"shown": True}),
    ],
)
def test_what_can_be_kept_is_let_through(effect, limits):
    check(effect, **limits)


@pytest.mark.parametrize(
    ("effect", "verb", "what", "allowed"),
    [
        (share("refused"), "within", "a share", "at_most or at_least"),
        (share("lost", "grade"), "within", "a share", "at_most or at_least"),
        (differs(AGAIN), "within", "a share of answers that differ", "at_most or at_least"),
        (areas("pixelate"), "within", "an area under the ROC curve", "at_least"),
        (areas("pixelate"), "at_most", "an area under the ROC curve", "at_least"),
    ],
)
def test_a_verb_that_an_effect_does_not_take(effect, verb, what, allowed):
    text = refused(effect, **{verb: 0.1})
    assert f"families.mine is held to {verb}, and x is {what}." in text
    assert f"Give {allowed} instead." in text


def test_a_limit_that_is_only_shown_is_checked_too():
    assert "held to within" in refused(areas("pixelate"), shown=True, within=0.5)
    assert "Write 10 % as 0.1." in refused(share("refused"), shown=True, at_most=10.0)


@pytest.mark.parametrize(
    ("effect", "limits", "words"),
    [
        (share("refused"), {"at_most": 10.0}, ["families.mine.at_most = 10", "share", "Write 10 % as 0.1."]),
        (differs(AGAIN), {"at_most": 5.0}, ["families.mine.at_most = 5", "Write 5 % as 0.05."]),
        (LOST, {"within": 10.0}, ["families.mine.within = 10", "between -1 and 1", "Write 10 % as 0.1."]),
        (areas("pixelate"), {"at_least": 70.0}, ["families.mine.at_least = 70", "AUROC", "Write 70 % as 0.7."]),
        (share("refused"), {"at_most": 0.1, "in_each": 20.0}, ["families.mine.in_each = 20", "Write 20 % as 0.2."]),
        (share("refused"), {"at_most": 1.0}, ["families.mine.at_most = 1", "between 0 and 1"]),
        (mean(), {"at_least": 100.0}, ["families.mine.at_least = 100", "points lie between 0 and 100"]),
        (change(HIGH), {"within": 100.0}, ["families.mine.within = 100", "between -100 and 100"]),
        (change(HIGH), {"within": 5.0, "in_each": 200.0}, ["families.mine.in_each = 200"]),
        # From 100 at severity 0 to 2 down to 0 at 3 to 5: least squares gives 100 x 9 / 35 / 2 x 2 points per step.
        (falls("pixelate"), {"at_least": 26.0}, ["families.mine.at_least = 26", "points per severity step", "25.7"]),
        (INTERACTION, {"within": 200.0}, ["families.mine.within = 200", "between -200 and 200"]),
    ],
)
def test_a_limit_outside_the_range(effect, limits, words):
    text = refused(effect, **limits)
    assert all(word in text for word in words), text


def test_the_range_is_that_of_the_tasks_own_quantity():
    rules = protocol(tasks=TASKS, families={"mine": {"at_least": 1.5, "size": 1}})
    check_limits([mean("axes", family="mine")], rules)
    wrong = protocol(tasks=TASKS, families={"mine": {"at_least": 2.5, "size": 1}})
    with pytest.raises(AuditkitError, match=r"at_least = 2\.5 .* marks lie between 0 and 2"):
        check_limits([mean("axes", family="mine")], wrong)


def test_a_floor_below_the_range_asks_nothing():
    """Clarity is 1 to 5: everything is at least 0.5."""
    rules = protocol(tasks=TASKS, families={"mine": {"at_least": 0.5, "size": 1}})
    with pytest.raises(AuditkitError, match=r"at_least = 0\.5"):
        check_limits([mean("axes", "clarity", family="mine")], rules)


def test_a_tail_beyond_the_range_counts_nobody():
    with pytest.raises(AuditkitError, match=r"families\.mine\.tail"):
        check(change(HIGH), within=5.0, tail={"beyond": 150.0, "share": 0.1})


def test_a_tail_of_shares_is_counted_by_no_procedure():
    """The tail is a condition of means; beside a difference of shares it would be read over."""
    with pytest.raises(AuditkitError, match="tail"):
        check(LOST, within=0.1, tail={"beyond": 0.5, "share": 0.1})


PLACEBOS = [Perturbation(f"{c}.neutral") for c in ("expertise", "infrastructure", "institution")]
TAIL = {"beyond": 25.0, "share": 0.1}


@pytest.mark.parametrize(
    "effect",
    [
        change(HIGH),
        change(HIGH, alike=PLACEBOS[:2]),
        departure(HIGH, alike=PLACEBOS[:2]),
    ],
)
def test_a_tail_needs_three_answers_that_mean_the_same(effect):
    text = refused(effect, within=5.0, tail=TAIL)
    assert "families.mine.tail counts answers that jump beyond the model's own noise" in text
    assert "nothing tells the noise of x" in text
    assert "Give the effect 3 or more perturbations that mean the same" in text
    check(effect, within=5.0)


@pytest.mark.parametrize("effect", [change(HIGH, alike=PLACEBOS), departure(HIGH, alike=PLACEBOS)])
def test_three_answers_that_mean_the_same_are_enough_for_a_tail(effect):
    check(effect, within=5.0, tail=TAIL)
    assert {v.question for v in effect.parts[0].alike} == {Question(condition=(p,)) for p in PLACEBOS}
    assert {Question(condition=(p,)) for p in PLACEBOS} <= set(effect.questions()), "so that they are asked"


def test_the_noise_of_an_interaction_takes_four_answers_that_mean_the_same():
    """It is made of four answers, and scatters more than the difference of two."""
    three, four = (
        change(PIXELATE, HIGH, alike=some).minus(change(PIXELATE)).minus(change(HIGH))
        for some in (PLACEBOS, [*PLACEBOS, Perturbation("demographics_patient.neutral")])
    )
    assert "Give the effect 4 or more perturbations" in refused(three, within=5.0, tail=TAIL)
    check(four, within=5.0, tail=TAIL)


def test_more_decisions_than_were_declared_are_refused():
    """What is collected must not change how a FAIL is corrected."""
    one, five = change(HIGH).named("one", "mine"), rises("pixelate").named("five", "mine")
    check_limits([one], own(within=5.0, size=1))
    check_limits([one, five], own(within=5.0, size=6))
    check_limits([one], own(within=5.0, size=6))  # some of those declared
    with pytest.raises(AuditkitError, match=r"declares size = 5, and its effects take 6 decisions.*Write size = 6 "):
        check_limits([one, five], own(within=5.0, size=5))
    check_limits([one, five], own(within=5.0, size=3, required=["", "severity 1", "severity 3"]))
    check_limits([one, one], own(within=5.0, size=1))


def test_an_own_effect_of_a_shipped_family_needs_the_size_of_both():
    families = {"metadata": {"within": 5.0}}
    shipped, mine = SHIPPED["metadata"]()[0], change(HIGH, name="mine", family="metadata")
    check_limits([shipped], protocol(families=families))
    with pytest.raises(AuditkitError, match=r"auditkit does not ship, so its size must be declared.*Write size = 61 "):
        check_limits([shipped, mine], protocol(families=families))
    check_limits([shipped, mine], protocol(families={"metadata": {"within": 5.0, "size": 61}}))


def test_what_is_only_shown_needs_no_size():
    check_limits([change(HIGH).named("x", "mine")], protocol(families={"mine": {"shown": True}}))


@pytest.mark.parametrize("effect", [change(HIGH), rises("pixelate", (1, 2))])
def test_labels_that_no_part_has(effect):
    text = refused(effect, within=5.0, required=["severity 3", "severity 4"])
    assert "families.mine requires severity 3, severity 4, and x has none of these parts" in text
    assert "Name parts that it has, or leave required out." in text


def test_one_effect_of_a_family_may_lack_some_of_the_labels():
    effects = [rises("pixelate", (1, 3)).named("a", "mine"), rises("jpeg", (3, 5)).named("b", "mine")]
    check_limits(effects, own(within=5.0, required=["severity 3", "severity 5"], size=3))


def test_a_statistic_that_there_is_not():
    effect = Effect("x", "mine", change(HIGH).parts, statistic="median")
    with pytest.raises(AuditkitError, match=r"there is no statistic 'median'.*area, .*follows, kept, mean, rank"):
        check_limits([effect], own(within=5.0))


def test_a_correlation_is_only_shown():
    """Its error rates as a gate are not measured."""
    effect = follows("vision", "jpeg", (1, 2), family="mine")
    with pytest.raises(AuditkitError, match="is a correlation within the item, whose error rates as a gate are not"):
        check_limits([effect], own(at_least=0.5))
    check_limits([effect], own(shown=True))


def test_a_value_that_answers_do_not_have():
    with pytest.raises(AuditkitError, match="no value of task 'quality' 'refusd'"):
        check(share("refusd"), at_most=0.1)
    with pytest.raises(AuditkitError, match="have labels and no number"):
        check(mean("options.degradation"), at_least=50.0)


@pytest.mark.parametrize(
    "effect",
    [
        change,
        lambda: change(PIXELATE, against=[PIXELATE]),
        lambda: change(PIXELATE).minus(change(PIXELATE)),
        lambda: mean().minus(mean("quality")),
    ],
)
def test_an_effect_in_which_everything_cancels_asks_nothing(effect):
    """It would pass or crash, and is a slip of its author in either case."""
    with pytest.raises((AuditkitError, ValueError), match="nothing"):
        check(effect(), within=5.0)
