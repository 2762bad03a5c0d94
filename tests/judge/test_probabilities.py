"""What the probabilities of the choices give: values by hand, nothing put in the place of what is missing."""

import math
from dataclasses import replace

import numpy as np
import pytest

from auditkit.ask.store import StoredAnswer
from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import Measurements
from auditkit.measure.reader import AnswerTable
from auditkit.protocol.effects import mean
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import OF_PROBABILITIES, shipped
from auditkit.vocabulary import Question, Value
from tests.judge.build import FAMILIES, HIGH, SCORE, images, judged, protocol

RULES = protocol(families={**FAMILIES, "scoring": {"shown": True}})
EFFECTS = {effect.name: effect for effect in SHIPPED["scoring"]()}
LABELS = Question("options.degradation", "direct")
# Text and log-probabilities of one image each, and by hand: agrees, gap, entropy, mass, read.
GIVEN = [
    ("70", {"70": math.log(0.9)}, (1, 0.0, 0.0, 0.9, 1)),
    ("70", {"80": math.log(0.5), "40": math.log(0.25), "60": math.log(0.25)}, (0, 5.0, 1.5, 1.0, 1)),
    ("70", {"70": -4.0}, (None, None, None, math.exp(-4), 0)),
    ("70", {"hello": -0.1}, (None, None, None, None, 0)),
    ("70", None, (None, None, None, None, 0)),
    ("a fine image", {"70": math.log(0.7)}, (None, None, 0.0, 0.7, 1)),
]
NAMES = ("agrees", "gap", "entropy", "mass", "read")


def table(rows, question=SCORE, repeat=1):
    """Answers of images, each a patient; the rows over again so many times."""
    held = AnswerTable(len(rows) * repeat, RULES.catalogue)
    for i, (text, logprobs, *_) in enumerate(list(rows) * repeat):
        held.put(i, question, StoredAnswer(text, "stop", logprobs))
    return held


def measured(rows, question=SCORE, repeat=1):
    return Measurements(images(len(rows) * repeat), table(rows, question, repeat).columns)


def cells(name, data):
    audit = judged(EFFECTS[name], data, RULES)
    return audit, {(cell.part, cell.stratum.level): cell for cell in audit.parts}


@pytest.mark.parametrize("name", NAMES)
def test_values_by_hand(name):
    found = measured(GIVEN).value(Value(SCORE, name))
    wanted = [np.nan if row[2][NAMES.index(name)] is None else row[2][NAMES.index(name)] for row in GIVEN]
    np.testing.assert_allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_cell_is_the_mean_over_the_images_that_have_the_value(name):
    data = measured(GIVEN, repeat=5)
    audit, by_part = cells(name, data)
    known = [row[2][NAMES.index(name)] for row in GIVEN if row[2][NAMES.index(name)] is not None]
    cell = by_part["quality.direct", "ct"]
    assert cell.estimate.value == pytest.approx(np.mean(known), abs=1e-5)
    assert cell.estimate.low < cell.estimate.value < cell.estimate.high
    assert (cell.n_images, cell.n_clusters) == (5 * len(known), 5 * len(known))
    assert cell.outcomes.total == 5 * len(GIVEN)
    assert cell.worst_case is None
    assert (audit.verdict, audit.shown, audit.quantity) == ("INCONCLUSIVE", True, name)
    assert audit.unit == {"gap": "points", "entropy": "bits"}.get(name, "share")
    assert cell.reference == (pytest.approx(math.log2(101), abs=1e-6) if name == "entropy" else None)


def test_images_of_a_patient_are_averaged_first():
    rows = [("70", {"70": 0.0}), ("70", {"50": 0.0}), ("70", {"70": 0.0})]
    records = images(3)
    records[1] = replace(records[1], cluster=records[0].cluster)
    _, by_part = cells("gap", Measurements(records, table(rows).columns))
    # Patient one has gaps of 0 and 20 points, patient two of 0.
    assert by_part["quality.direct", "ct"].estimate.value == pytest.approx(5.0)
    assert by_part["quality.direct", "ct"].n_clusters == 2


def test_labels_have_no_gap_and_agree_or_not():
    parts = {name: [part.label for part in effect.parts] for name, effect in EFFECTS.items()}
    assert not [label for label in parts["gap"] if label.startswith("options.degradation")]
    assert parts["agrees"] == parts["entropy"] == parts["mass"] == parts["read"]
    assert len(parts["agrees"]) == sum(len(task.wordings) for task in shipped().values())
    rows = [("B", {"B": 0.0}), ("C", {"B": 0.0})] * 20
    _, by_part = cells("agrees", measured(rows, LABELS))
    assert by_part["options.degradation.direct", "ct"].estimate.value == 0.5
    with pytest.raises(AuditkitError, match="gap"):
        RULES.catalogue.quantity(Value(LABELS, "gap"))


@pytest.mark.parametrize("name", NAMES)
def test_without_probabilities_nothing_is_measured(name):
    audit, by_part = cells(name, measured([("70", None)] * 30))
    assert all(cell.estimate.value is None and cell.n_images == 0 for cell in by_part.values())
    assert list(by_part) == [("quality.direct", "ct")], "the one that was asked"
    assert audit.estimate.value is None
    assert audit.sentence == "For information. The model gave no probabilities, so nothing was measured."
    assert audit.verdict == "INCONCLUSIVE"


def test_what_no_modality_has_is_said_once():
    rows = [("70", None)] * 30
    data = Measurements(images(15, ("ct", "mr")), table(rows).columns)
    _, by_part = cells("mass", data)
    assert {level for _, level in by_part} == {"all"}


def test_probabilities_that_cannot_be_used_are_told_from_none():
    data = measured([("70", {"70": -4.0})] * 30)
    _, by_part = cells("entropy", data)
    sentence = by_part["quality.direct", "ct"].sentence
    assert sentence == "The probabilities that the model gave could not be used, so nothing was measured."
    assert cells("read", data)[1]["quality.direct", "ct"].estimate.value == 0.0


def test_what_was_measured_is_quoted_before_what_was_not():
    audit, _ = cells("mass", measured([("70", {"70": math.log(0.75)})] * 30, Question("quality", "reader")))
    assert "quality.reader: 75.0 %" in audit.sentence


def test_one_table_has_unit_and_range():
    found = {name: RULES.catalogue.quantity(Value(SCORE, name)) for name in OF_PROBABILITIES}
    assert {name: (q.unit, q.low, round(q.high, 3), q.binary) for name, q in found.items()} == {
        "expected": ("points", 0, 100, False),
        "gap": ("points", 0, 100, False),
        "entropy": ("bits", 0, 6.658, False),
        "mass": ("share", 0, 1, False),
        "agrees": ("share", 0, 1, True),
        "read": ("share", 0, 1, True),
    }


def test_a_change_of_one_is_shown_too_and_none_can_be_a_gate():
    effect = mean(value="mass", family="mine")
    change = effect.under(HIGH).minus(effect).named("x")
    rules = protocol(families={**FAMILIES, "mine": {"shown": True}})
    columns = {**table([("70", {"70": math.log(0.5)})] * 30).columns}
    columns[SCORE.under(HIGH)] = table([("70", {"70": math.log(0.75)})] * 30).columns[SCORE]
    audit = judged(change, Measurements(images(30), columns), rules)
    assert audit.estimate.value == pytest.approx(0.25)
    assert audit.change
    with pytest.raises(AuditkitError, match="error rates as a gate are not measured"):
        check_limits([effect], protocol(families={**FAMILIES, "mine": {"at_least": 0.5, "size": 1}}))
