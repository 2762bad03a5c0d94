"""The fewest patients that a PASS takes: by counting, and by the judge, who passes them and not one fewer."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auditkit.planning.least import fewest, least_patients
from auditkit.protocol.effects import areas, calibration, change, differs, falls, mean, rises, share
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Perturbation
from tests.judge.build import AGAIN, HIGH, LOW, answered, by_level, images, judged, measured, own, protocol

SHIPPED_PROTOCOL = Path(__file__).parents[2] / "audits" / "protocol.toml"
SLOPE = 100 * (2.5 + 1.5 + 0.5) / 17.5  # from 100 at severities 0 to 2 to 0 at 3 to 5: the steepest line there is


def counted(seen: float, alpha: float = 0.05) -> int:
    """The first number of patients of which none is among a share 1 - seen of all with a probability below alpha."""
    return next(n for n in range(1, 1000) if seen**n < alpha)


@pytest.mark.parametrize(
    ("family", "alpha", "each", "together"),
    [
        # 5 of 100 points, 12, and 10 of 100 of the tail: 0.95^58 = 0.0510, 0.95^59 = 0.0485; 0.88^23 = 0.0529.
        ("metadata", 0.05, 24, 59),
        ("metadata", 0.025, 29, 72),
        ("placebo", 0.05, 24, 59),
        ("templates", 0.05, 24, 29),
        ("direction", 0.05, 29, 59),
        ("answers", 0.05, 29, 29),
        ("differential", 0.05, 29, 29),
        ("repeatability", 0.05, 29, 29),
        # 0.7^(17 / 2) = 0.0482, 0.7^(16 / 2) = 0.0576; all images together are not decided.
        ("discrimination", 0.05, 17, None),
        # The steepest fall is 25.7 a step, the least -25.7: 0.539^4 = 0.084, 0.539^5 = 0.045.
        ("sensitivity", 0.05, 5, 5),
    ],
)
def test_shipped_audits(family, alpha, each, together):
    criteria = load_protocol(SHIPPED_PROTOCOL, "ci" if alpha == 0.05 else "pilot")
    found = [least_patients(effect, criteria) for effect in SHIPPED[family]()]
    assert {(least.each, least.together) for least in found} == {(each, together)}


def test_the_numbers_above_are_counted():
    assert [counted(0.95), counted(0.95, 0.025), counted(0.88), counted(0.88, 0.025), counted(0.9)] == [
        59, 72, 24, 29, 29,
    ]  # fmt: skip
    assert counted(math.sqrt(0.7)) == 17
    assert counted(1 - (SLOPE - 2) / (2 * SLOPE)) == 5


@pytest.mark.parametrize("family", ["subgroups", "calibration", "scoring", "embeddings"])
def test_what_is_only_shown_takes_none(family):
    criteria = load_protocol(SHIPPED_PROTOCOL)
    assert {least_patients(effect, criteria) for effect in SHIPPED[family]()} == {None}


@pytest.mark.parametrize(
    "effect",
    [calibration(), change(HIGH, family="not_declared")],
    ids=["calibration", "no family"],
)
def test_what_is_not_known_is_none(effect):
    rules = own("mine", at_most=0.5)
    effect = replace(effect, family=effect.family or "mine")
    assert least_patients(effect, rules) is None


def test_a_mean_beyond_its_limit_is_never_enough():
    assert fewest(6.0, (-5.0, 5.0), (-100.0, 100.0), 0.05) is None
    assert fewest(5.0, (-5.0, 5.0), (-100.0, 100.0), 0.05) is None


def test_a_limit_that_nothing_can_break_takes_one_patient():
    assert fewest(0.0, (-200.0, 200.0), (-100.0, 100.0), 0.05) == 1


def test_early_looks_take_more_because_each_has_a_part_of_the_error():
    rules = protocol(families={"x": {"within": 5.0, "size": 1}}, looks={"number": 4})
    assert least_patients(change(HIGH, family="x"), rules).each > 59


def test_patients_of_a_part_of_the_items_are_named():
    rules = own("mine", at_most=0.1)
    [effect] = [share("refused").where("label", "pneumonia").named("some", "mine")]
    assert least_patients(effect, rules).best == "if no answer is refused, counting only those with label pneumonia"


def test_a_part_that_is_not_required_does_not_count():
    """From one severity to the next the score may rise by all it can; only severity 3 is held to a limit."""
    rules = own("mine", at_most=20.0, required=["severity 3"])
    assert least_patients(rises("pixelate", family="mine"), rules).each == counted(0.8) == 14


# --- the judge passes as many, and not one fewer ---


def constant(n, by_condition):
    return {condition: answered(np.full(n, score)) for condition, score in by_condition.items()}


def steps(*scores):
    return {(Perturbation("pixelate", level),) if level else (): score for level, score in enumerate(scores)}


CASES = {
    "within": (change(HIGH, against=[LOW], family="x"), {"within": 20.0}, {(HIGH,): 60.0, (LOW,): 60.0}),
    "at most": (change(HIGH, family="x"), {"at_most": 20.0}, {(HIGH,): 60.0, (): 60.0}),
    "level at most": (mean(family="x"), {"at_most": 70.0}, {(): 0.0}),
    "level at least": (mean(family="x"), {"at_least": 70.0}, {(): 100.0}),
    "falls": (falls("pixelate", family="x"), {"at_least": 2.0}, steps(100.0, 100.0, 100.0, 0.0, 0.0, 0.0)),
    "share": (share("refused", family="x"), {"at_most": 0.2}, {(): 60.0}),
    "differs": (differs(AGAIN, family="x"), {"at_most": 0.2}, {(): 60.0, (AGAIN,): 60.0}),
    "share difference": (
        share("lost").under(HIGH).minus(share("lost")).named("more", "x"),
        {"at_most": 0.2},
        {(): 60.0, (HIGH,): 60.0},
    ),
    "area": (areas("pixelate", (5,), family="x"), {"at_least": 0.6}, {(): 90.0, (Perturbation("pixelate", 5),): 10.0}),
}


@pytest.mark.parametrize("case", CASES)
def test_the_judge_passes_the_fewest_and_not_one_fewer(case):
    effect, family, answers = CASES[case]
    rules = own("x", **family)
    least = least_patients(effect, rules).each
    verdicts = []
    for n in (least - 1, least):
        audit = judged(effect, measured(images(n), constant(n, answers)), rules)
        verdicts.append(by_level(audit)["ct"].verdict)
    assert verdicts == ["INCONCLUSIVE", "PASS"]


def test_the_judge_asks_all_patients_together_for_more():
    effect, rules = change(HIGH, family="x"), own("x", within=10.0, in_each=25.0)
    least = least_patients(effect, rules)
    assert (least.each, least.together) == (counted(0.75), counted(0.9)) == (11, 29)
    verdicts = [
        judged(effect, measured(images(n), constant(n, {(HIGH,): 60.0, (): 60.0})), rules).verdict for n in (28, 29)
    ]
    assert verdicts == ["INCONCLUSIVE", "PASS"]
