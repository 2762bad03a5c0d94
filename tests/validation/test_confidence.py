"""The measured worlds of confidence: the truth lies where the row says, and a row can be run."""

import numpy as np
import pytest

from auditkit.judge.decisions import decisions
from auditkit.judge.referral import judge_referrals
from auditkit.judge.rules import Rules
from auditkit.judge.selective import kept_items
from auditkit.measure.columns import Measurements
from validation import confidence
from validation.beside import INSIDE, MARGIN, with_truth
from validation.jobs import Job
from validation.setting import images

N = 4000
CASES = [(name, *case) for name, gate in confidence.GATES.items() for case in gate.cases]


def truth(name, case):
    """The effect over four thousand patients of four images each."""
    gate = confidence.GATES[name]
    records = images("4", N, ("xray",))
    _, codes = np.unique([record.cluster for record in records], return_inverse=True)
    world = confidence.World(codes.reshape(-1), np.random.default_rng(3))
    ill = world.rng.random(len(records)) < 0.5
    answered = gate.cases[case](world)
    known = with_truth(records, ill)
    data = Measurements(known, {q: confidence.column(*drawn, ill) for q, drawn in answered.items()})
    protocol = confidence._protocol(gate.effect.family, gate.verb, gate.limit, 0)
    rules = Rules(protocol)
    [decision] = decisions([protocol.resolved(gate.effect)], data, rules)
    if name.startswith("kept"):
        return np.nanmean(kept_items(decision, np.ones(len(records), dtype=bool), data).values)
    if name == "covered":
        return judge_referrals([decision], protocol.families["covered"], data, rules)[0][1].estimate.value
    return np.nanmean(decision.items.values)


@pytest.mark.parametrize(("name", "where", "how"), CASES)
def test_the_truth_lies_where_the_row_says(name, where, how):
    value, gate = truth(name, (where, how)), confidence.GATES[name]
    if where == MARGIN:
        assert value == pytest.approx(gate.limit, abs=0.02)
    else:
        good = value < gate.limit - 0.02 if gate.verb == "at_most" else value > gate.limit + 0.02
        assert good == (where == INSIDE)


def test_a_planted_model_is_found_and_nothing_else_blamed():
    row = "planted|surer under corruption, and more often wrong||200|1"
    assert row in list(confidence.rows())
    counts = confidence.run(Job("confidence", row, 0, 2))
    assert (counts["found"], counts["others blamed"]) == (2, 0)


@pytest.mark.parametrize("row", ["kept|inside|95 % right|64|1-4", "covered|inside|3 % sure and wrong|200|1"])
def test_rows_can_be_run_and_put_in_a_table(row):
    assert row in list(confidence.rows())
    counts = confidence.run(Job("confidence", row, 0, 2))
    assert counts["replicates"] == 2
    assert counts.get("FAIL", 0) == 0
    assert row.split("|")[2] in confidence.table({row: counts}).markdown()
