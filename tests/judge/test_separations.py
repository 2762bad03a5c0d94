"""Areas between classes: against Mann-Whitney's statistic, and what is left out or cannot be compared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from auditkit.ask.store import StoredAnswer
from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.judge.titles import Titles
from auditkit.measure.columns import Measurements, joined
from auditkit.measure.reader import AnswerTable
from auditkit.protocol.right_answers import separation
from auditkit.vocabulary import Perturbation, Question, Value
from tests.judge.build import by_part, images, judged, own

TASKS = {
    "chest": {
        "scorer": {"choice": {"A": "normal", "B": "pneumonia"}},
        "truth": "label",
        "wordings": {"direct": "Which?\n{options}\nOne letter."},
    },
    "kind": {
        "scorer": {"choice": {"A": "bacteria", "B": "normal", "C": "virus"}},
        "truth": "label",
        "wordings": {"direct": "Which?\n{options}\nOne letter."},
    },
}
RULES = own(shown=True, size=None).model_copy(update={"tasks": TASKS})
CHEST, KIND = Question("chest", "direct"), Question("kind", "direct")


def measured(question: Question, truths: list[str], chances: list[dict[str, float] | None]) -> Measurements:
    """Answers of so many patients with these probabilities by letter."""
    records = [
        replace(record, attributes={f"truth.{question.task}": truth})
        for record, truth in zip(images(len(truths)), truths, strict=True)
    ]
    table = AnswerTable(len(records), RULES.catalogue)
    for i, given in enumerate(chances):
        logprobs = None if given is None else {letter: math.log(p) for letter, p in given.items()}
        table.put(i, question, StoredAnswer("A", "stop", logprobs))
    return Measurements(records, table.columns)


def two(rng, n: int = 40) -> tuple[list[str], np.ndarray]:
    truths = ["pneumonia" if i % 4 == 0 else "normal" for i in range(n)]
    return truths, np.where([t == "pneumonia" for t in truths], 0.65, 0.4) + rng.uniform(-0.3, 0.3, n)


def test_the_area_is_mann_whitneys_and_that_of_either_class(rng):
    truths, p = two(rng)
    data = measured(CHEST, truths, [{"A": 0.8 * (1 - x), "B": 0.8 * x} for x in p])  # 0.2 are on other answers
    cells = by_part(judged(separation("chest", "pneumonia", "normal", family="mine"), data, RULES))
    ill = np.array(truths) == "pneumonia"
    area = stats.mannwhitneyu(p[ill], p[~ill]).statistic / (ill.sum() * (~ill).sum())
    for cell in cells.values():
        assert cell.estimate.value == pytest.approx(area, abs=1e-6)
        assert cell.estimate.low < area < cell.estimate.high
        assert (cell.n_images, cell.n_clusters) == (40, 40)
    assert (
        "10 of the class against 30 others."
        in judged(separation("chest", "pneumonia", family="mine"), data, RULES).sentence
    )
    np.testing.assert_allclose(data.value(Value(CHEST, "chance of pneumonia")), p)


def test_one_class_against_the_rest(rng):
    truths = [("bacteria", "normal", "virus")[i % 3] for i in range(45)]
    p = rng.dirichlet([1, 1, 1], 45)
    data = measured(KIND, truths, [dict(zip("ABC", row, strict=True)) for row in p])
    cells = by_part(judged(separation("kind", "bacteria", "normal", "virus", family="mine"), data, RULES))
    for at, name in enumerate(("bacteria", "normal", "virus")):
        inside = np.array(truths) == name
        area = stats.mannwhitneyu(p[inside, at], p[~inside, at]).statistic / (15 * 30)
        assert cells[name].estimate.value == pytest.approx(area, abs=1e-6)


def test_items_without_probabilities_or_class_are_left_out_and_counted(rng):
    truths, p = two(rng)
    chances = [{"A": 1 - x, "B": x} for x in p]
    whole = judged(separation("chest", "pneumonia", family="mine"), measured(CHEST, truths, chances), RULES)
    more = measured(CHEST, [*truths, "normal", "unknown"], [*chances, None, {"A": 0.5, "B": 0.5}])
    some = judged(separation("chest", "pneumonia", family="mine"), more, RULES)
    assert by_part(some)["pneumonia"].estimate == by_part(whole)["pneumonia"].estimate
    assert "10 of the class against 30 others; 2 without usable probabilities are left out" in some.sentence


@pytest.mark.parametrize(
    ("truths", "chances", "said"),
    [
        (["normal"] * 30, [{"A": 0.6, "B": 0.4}] * 30, "All are of one side"),
        (["normal", "pneumonia"] * 15, [None] * 30, "gave no probabilities"),
        (["normal", "pneumonia"] * 15, [{"A": 0.1, "B": 0.1}] * 30, "could not be used"),
    ],
)
def test_what_cannot_be_compared_has_no_number(truths, chances, said):
    audit = judged(separation("chest", "pneumonia", family="mine"), measured(CHEST, truths, chances), RULES)
    assert by_part(audit)["pneumonia"].estimate.value is None
    assert said in audit.sentence


def test_few_patients_of_one_class_keep_the_interval_wide():
    """Five of 64 patients are ill, and all are told apart: as many as 1 - 0.05^(1/5) of the ill may be otherwise."""
    truths = ["pneumonia"] * 5 + ["normal"] * 59
    data = measured(CHEST, truths, [{"A": 0.1, "B": 0.9}] * 5 + [{"A": 0.9, "B": 0.1}] * 59)
    [cell] = judged(separation("chest", "pneumonia", family="mine"), data, RULES).parts
    assert (cell.estimate.value, cell.estimate.high) == (1.0, 1.0)
    assert cell.estimate.low == pytest.approx(0.05 ** (1 / 5), abs=1e-6)


def test_chances_follow_what_a_letter_says_and_are_kept_when_stages_are_joined():
    turned = CHEST.under(Perturbation("options_reversed"))
    data = measured(turned, ["normal"], [{"A": 0.7, "B": 0.3}])
    assert data.value(Value(turned, "chance of pneumonia")).tolist() == pytest.approx([0.7])
    other = Measurements(images(1, ("mr",)), {})
    both = joined([data, other]).value(Value(turned, "chance of pneumonia"))
    assert sorted(both.tolist(), key=str) == [pytest.approx(0.7), pytest.approx(math.nan, nan_ok=True)]


def test_it_is_only_shown_and_takes_classes():
    effect = separation("chest", "pneumonia", family="mine")
    with pytest.raises(AuditkitError, match="between classes, whose error rates"):
        check_limits([effect], own(at_least=0.7).model_copy(update={"tasks": TASKS}))
    with pytest.raises(AuditkitError, match="no value of task 'chest'"):
        RULES.catalogue.quantity(Value(CHEST, "chance of cancer"))
    assert Titles(RULES.catalogue).title(effect) == "Chest auroc"
