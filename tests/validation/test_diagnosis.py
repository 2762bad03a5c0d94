"""The measured worlds of right answers: the truth lies where the row says, and a row can be run."""

import numpy as np
import pytest

from auditkit.measure.columns import Measurements
from auditkit.measure.effects import differing, per_item
from validation import diagnosis
from validation.beside import INSIDE, MARGIN, with_truth
from validation.jobs import Job
from validation.setting import images

LIMITS = {"skill": 0.2, "recall": 0.7, "loss": 0.1, "wording": 0.1, "position": 0.1}
N = 4000
CASES = [(name, *case) for name, gate in diagnosis.GATES.items() for case in gate.cases]


def truth(name, case, ill=0.5):
    """The effect over four thousand patients of four images each, by class where classes count alike."""
    gate = diagnosis.GATES[name]
    records = images("4", N, ("xray",))
    world = diagnosis._world(records, ill, 1)
    answered = gate.cases[case](world)
    known = with_truth(records, world.ill)
    data = Measurements(known, {q: diagnosis._column(values, world) for q, values in answered.items()})
    protocol = diagnosis._protocol((gate.effect.family,), 0)
    [part] = protocol.resolved(gate.effect).parts
    values = (differing(part, data) if name == "position" else per_item(part, data, protocol)).values
    if part.balanced:
        return (values[world.ill].mean() + values[~world.ill].mean()) / 2
    return np.nanmean(values)


@pytest.mark.parametrize(("name", "where", "how"), CASES)
def test_the_truth_lies_where_the_row_says(name, where, how):
    value, limit = truth(name, (where, how)), LIMITS[name]
    if where == MARGIN:
        assert abs(value) == pytest.approx(limit, abs=0.02)
    elif where == diagnosis.GUESSES:
        assert value == 0
    else:
        good = abs(value) < limit if name in ("loss", "wording", "position") else value > limit
        assert good == (where == INSIDE)


def test_images_of_a_patient_are_alike_and_each_is_right_as_often():
    records = images("4", N, ("xray",))
    world = diagnosis._world(records, 0.5, 2)
    right = diagnosis.right(world, 0.7, 0.7)
    means = np.bincount(world.patients, right) / 4
    assert right.mean() == pytest.approx(0.7, abs=0.02)
    assert means.var() > 1.5 * 0.7 * 0.3 / 4


@pytest.mark.parametrize("row", ["loss|guesses|base rate|32|0.5|1", "planted|base rate||96|0.5|1"])
def test_rows_can_be_run_and_put_in_a_table(row):
    assert row in list(diagnosis.rows())
    counts = diagnosis.run(Job("diagnosis", row, 0, 2))
    assert counts["replicates"] == 2
    assert counts.get("PASS", 0) == 0
    assert row.split("|")[1] in diagnosis.table({row: counts}).markdown()


def test_the_limits_are_those_of_the_pack():
    for name, gate in diagnosis.GATES.items():
        assert diagnosis._protocol((gate.effect.family,), 0).families[gate.effect.family].limit == LIMITS[name]
