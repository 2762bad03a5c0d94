"""Effects of several perturbations: an image corrupted under a sentence, and what both do beyond each alone."""

import numpy as np
import pytest

from auditkit.ask.plan import Plan, distinct
from auditkit.judge.judge import Judge
from auditkit.measure.columns import Measurements
from auditkit.protocol.effects import change, falls, mean, rises, share
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import HIGH, SCORE, answered, by_level, by_part, images, judged, own, protocol
from tests.measure.axes import TASKS

X = Perturbation("pixelate", 5)
UNDER = change(X).under(HIGH).named("pixelated-under-praise", "mine")
BOTH = change(X, HIGH).named("both", "mine")
INTERACTION = change(X, HIGH).minus(change(X)).minus(change(HIGH)).named("interaction", "mine")
CONDITIONS = {"clean": (), "x": (X,), "p": (HIGH,), "xp": (X, HIGH)}


def answers(asked, n=200, sd=2.0, seed=3, **moved):
    """Made-up answers to the questions planned: 80 points, pixelation costs 40, praise gives 5, and what is given."""
    rng = np.random.default_rng(seed)
    means = {"clean": 80.0, "x": 40.0, "p": 85.0, "xp": 45.0} | moved
    by_condition = {CONDITIONS[name]: value for name, value in means.items()}
    own_level = rng.normal(0, 4, 2 * n)
    columns = {q: answered(by_condition[q.condition] + own_level + rng.normal(0, sd, 2 * n)) for q in sorted(asked)}
    return Measurements(images(n, ("ct", "mr")), columns)


def planned(*effects, rules):
    plan = Plan(tuple(images(1, ("ct", "mr"))), distinct(effects), rules)
    return plan, plan.questions("ct")


def test_a_composed_audit_is_planned_measured_and_judged():
    rules = own(within=5.0, size=3)
    effects = (UNDER, BOTH, INTERACTION)
    plan, asked = planned(*effects, rules=rules)
    assert set(asked) == {SCORE.under(*condition) for condition in CONDITIONS.values()}
    assert len(asked) == 4, "every question once, whichever effects share it"
    prompt = rules.catalogue.prompt(SCORE.under(X, HIGH))
    assert prompt == rules.catalogue.prompt(SCORE.under(HIGH)), "pixels change no word"
    judge = Judge(rules, answers(asked), list(plan.effects))
    interaction = judge.audit(INTERACTION, "Does praise hide the damage?", "within")
    assert interaction.verdict == "PASS", interaction.sentence
    assert interaction.estimate.value == pytest.approx(0.0, abs=1.5)
    assert (interaction.words, interaction.change, interaction.unit) == ("quality.direct", True, "points")
    assert interaction.hazard == rules.catalogue.entry(HIGH.name).hazard
    both = judge.audit(BOTH, "Do both together change the score?")
    assert both.verdict == "FAIL"
    assert both.estimate.value == pytest.approx(-35, abs=1.5)
    under = judge.audit(UNDER, "Is damage seen under praise?")
    assert under.estimate.value == pytest.approx(-40, abs=1.5)
    for audit in (interaction, both, under):
        assert {c.stratum.level for c in audit.parts} == {"all", "ct", "mr"}
        assert audit.parts[0].outcomes.total > 0
        assert audit.series == []


def test_an_interaction_fails_where_praise_hides_the_damage():
    """With praise the pixelated images are as good as clean ones: 80 - 40 - 85 + 80 = 35."""
    _, asked = planned(INTERACTION, rules=own(within=5.0))
    audit = judged(INTERACTION, answers(asked, xp=80.0), own(within=5.0))
    assert audit.verdict == "FAIL"
    assert audit.estimate.value == pytest.approx(35, abs=1.5)
    assert all(c.verdict == "FAIL" for c in audit.parts)


def test_missing_answers_of_a_composed_question_keep_a_pass_away():
    _, asked = planned(INTERACTION, rules=own(within=5.0))
    data = answers(asked)
    column = data.column(SCORE.under(X, HIGH))
    column.scores[::6], column.outcomes[::6] = np.nan, 1
    audit = judged(INTERACTION, data, own(within=5.0))
    assert audit.verdict == "INCONCLUSIVE"
    cell = by_level(audit)["ct"]
    assert cell.worst_case.low < -5 < cell.estimate.low
    assert cell.worst_case.high > 5 > cell.estimate.high
    assert cell.outcomes.refused == 34


def test_the_cases_that_speak_against_the_model_are_the_composed_ones():
    rules = own(within=5.0)
    _, asked = planned(INTERACTION, rules=rules)
    judge = Judge(rules, answers(asked, xp=80.0), [INTERACTION])
    judge.audit(INTERACTION, "")
    cases = judge.worst_cases(INTERACTION)
    assert {case.control for case in cases} == {SCORE}
    assert {case.treated for case in cases} == {SCORE.under(X, HIGH)}


def test_severities_under_a_sentence():
    """Praise does not keep the score from falling: 6 points a step under it too."""
    levels = (1, 2, 3, 4, 5)
    rng = np.random.default_rng(4)
    clean = rng.integers(60, 80, 60).astype(float)
    columns = {SCORE.under(HIGH): answered(clean)}
    for level in levels:
        columns[SCORE.under(Perturbation("pixelate", level), HIGH)] = answered(clean - 6 * level)
    data = Measurements(images(60), columns)
    fall = judged(falls("pixelate").under(HIGH).named("x", "mine"), data, own(at_least=2.0))
    assert fall.verdict == "PASS"
    assert fall.estimate.value == pytest.approx(6.0, abs=1e-6)
    parts = by_part(judged(rises("pixelate").under(HIGH).named("y", "mine"), data, own(at_most=5.0, size=5)))
    assert [cell.estimate.value for cell in parts.values()] == pytest.approx([-6.0 * s for s in levels])
    assert [cell.level for cell in parts.values()] == list(levels)


def test_what_the_order_of_perturbations_is_does_not_matter():
    rules = own(within=5.0, size=2)
    one, other = change(X, HIGH).named("one", "mine"), change(HIGH, X).named("other", "mine")
    _, asked = planned(one, other, rules=rules)
    assert len(asked) == 2
    judge = Judge(rules, answers(asked), [one, other])
    assert judge.audit(one, "").estimate == judge.audit(other, "").estimate
    swapped = change(X, HIGH).minus(change(HIGH, X)).minus(mean().minus(change(HIGH, X))).named("z", "mine")
    assert len(rules.resolved(swapped).parts[0].terms) == len({v for _, v in rules.resolved(swapped).parts[0].terms})


# ------------------------------------------------------------------------------------------- two values of one answer


def test_two_kinds_of_missing_answers_of_the_same_question():
    """Refused minus otherwise unusable: 10 of 60 against 20 of 60."""
    scores = np.full(60, 70.0)
    scores[:30] = np.nan
    column = answered(scores)
    column.outcomes[10:30] = 2
    effect = share("refused").minus(share("unusable")).named("x", "mine")
    audit = judged(effect, Measurements(images(60), {SCORE: column}), own(at_most=0.1))
    assert audit.verdict == "PASS"
    assert audit.estimate.value is None or audit.estimate.value == pytest.approx(-1 / 6, abs=1e-6)
    assert audit.parts[0].estimate.value == pytest.approx(-1 / 6, abs=1e-6)


def test_two_values_of_the_same_answer():
    """Clarity minus overall mark, both of one answer, on ranges of their own."""
    rules = protocol(tasks=TASKS, families={"mine": {"within": 2.0, "size": 1}})
    question = Question("axes", "direct")
    rng = np.random.default_rng(6)
    column = answered(np.full(60, 1.0))
    column.values["clarity"] = 2.0 + rng.normal(0, 0.1, 60)
    effect = mean("axes", "clarity").minus(mean("axes")).named("x", "mine")
    audit = judged(effect, Measurements(images(60), {question: column}), rules)
    assert audit.parts[0].estimate.value == pytest.approx(1.0, abs=0.1)
    assert audit.verdict == "PASS"


def test_a_mean_on_a_scale_of_its_own_is_bounded_by_it():
    """A mark of 1 to 5 that is missing may be 1: with ten of sixty missing, 4 becomes 3.5 at worst."""
    rules = protocol(tasks=TASKS, families={"mine": {"at_least": 3.2, "size": 1}})
    rng = np.random.default_rng(9)
    column = answered(np.where(np.arange(60) < 10, np.nan, 1.0))
    column.values["clarity"] = np.where(np.arange(60) < 10, np.nan, 4.0 + rng.uniform(-0.1, 0.1, 60))
    audit = judged(
        mean("axes", "clarity", name="x", family="mine"),
        Measurements(images(60), {Question("axes", "direct"): column}),
        rules,
    )
    cell = audit.parts[0]
    assert cell.estimate.value == pytest.approx(4.0, abs=0.05)
    assert (cell.estimate.unit, cell.margin_low, cell.margin_high) == ("marks", 3.2, None)
    assert cell.worst_case.value == pytest.approx((50 * cell.estimate.value + 10 * 1.0) / 60, abs=1e-6)
    assert 1.0 <= cell.worst_case.low <= cell.worst_case.value
