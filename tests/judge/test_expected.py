"""Expected scores beside generated ones: the same estimates by the same rules, and nothing else moves."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.ask.plan import stages
from auditkit.evidence import Audit
from auditkit.judge.judge import Judge
from auditkit.judge.looks import plan_looks
from auditkit.measure.columns import NOT_READ, Column, Expectations, Measurements, joined
from auditkit.protocol.effects import areas, change, falls, rises, share, steps, wordings
from auditkit.protocol.shipped import discrimination, metadata, repeatability, sensitivity, templates
from auditkit.tasks import READINGS
from auditkit.testing import NOISES, FairReader, audit_all, made_up_images, simulate
from auditkit.vocabulary import Effect, Perturbation, Question
from tests.judge.build import FAMILIES, HIGH, SCORE, answered, by_level, images, judged, measured, protocol

RULES = protocol()
TREATED = (HIGH,)
CHANGE = change(HIGH, name="x", family="metadata")
READER = Question("quality", "reader")
DIRECTION = [rises(name, (3, 5), family="direction") for name in ("brightness", "contrast")]
PIXELATE = Perturbation("pixelate", 5)
EFFECTS = [
    *metadata()[:3],
    *sensitivity()[:1],
    *discrimination()[:1],
    *templates(),
    *repeatability()[:1],
    *DIRECTION[:1],
    steps("jpeg", family="monotone"),
    share("refused", name="answers", family="answers"),
    change(PIXELATE, HIGH).minus(change(PIXELATE)).minus(change(HIGH)).named("interaction", "metadata"),
]
RECORDS = made_up_images({"ct": 34, "mr": 30}, (1, 2, 1))
DATA = simulate(FairReader(noise=NOISES["noisy"]), RECORDS, EFFECTS, RULES, 11)
PLAIN = audit_all(DATA, EFFECTS, RULES)
ON_SCORES = ("metadata", "templates", "sensitivity", "discrimination", "direction", "monotone")


def with_expected(column: Column, scores, entropy=1.0, mass=0.9) -> Column:
    """The column with expected scores; where they are NaN the log-probabilities were not read."""
    scores = np.asarray(scores, dtype=float)
    known, n = np.isfinite(scores), len(scores)
    held = Expectations(
        scores=scores,
        entropy=np.where(known, np.broadcast_to(entropy, n), np.nan),
        mass=np.broadcast_to(mass, n).astype(float),
        readings=np.where(known, READINGS.index("read"), READINGS.index("low_mass")).astype(np.int8),
        agrees=np.where(known & np.isfinite(column.scores), scores == column.scores, NOT_READ).astype(np.int8),
        max_entropy=math.log2(101),
    )
    return replace(column, expectations=held)


def with_each(data: Measurements, scores_of) -> Measurements:
    columns = {question: data.column(question) for question in data.asked()}
    return Measurements(data.records, {q: with_expected(c, scores_of(q, c)) for q, c in columns.items()}, data.doses)


def without(record):
    """A record without what expected scores add."""
    if isinstance(record, dict):
        return {key: without(value) for key, value in record.items() if key != "expected"}
    return [without(item) for item in record] if isinstance(record, list) else record


@given(seed=st.integers(0, 2**32), gaps=st.floats(0, 1))
@settings(max_examples=4)
def test_nothing_but_the_new_fields_moves(seed, gaps):
    rng = np.random.default_rng(seed)

    def anything(question, column):
        return np.where(rng.random(column.scores.shape) < gaps, np.nan, rng.uniform(0, 100, column.scores.shape))

    found = audit_all(with_each(DATA, anything), EFFECTS, RULES)
    assert {k: without(a.model_dump()) for k, a in found.items()} == {
        k: without(a.model_dump()) for k, a in PLAIN.items()
    }


def test_without_log_probabilities_there_is_nothing_to_show():
    for audit in PLAIN.values():
        assert audit.expected is None
        assert all(cell.expected is None for cell in audit.parts)
        assert all(point.expected is None for point in audit.series)


def test_expected_scores_equal_to_the_generated_ones_give_the_gates_own_estimates():
    found = audit_all(with_each(DATA, lambda question, column: column.scores.copy()), EFFECTS, RULES)
    for audit in found.values():
        assert (audit.expected is not None) == (audit.family in ON_SCORES), audit.id
        for cell in (*audit.parts, *([audit] if audit.expected else [])):
            if audit.family not in ON_SCORES:
                assert cell.expected is None
                continue
            ours = cell.expected.model_dump(include=set(type(cell.estimate).model_fields))
            assert ours == cell.estimate.model_dump(), (audit.id, cell)
        for cell in audit.parts:
            if cell.expected:
                assert (cell.expected.n_images, cell.expected.n_clusters) == (cell.n_images, cell.n_clusters)
        for point in audit.series:
            assert point.expected == pytest.approx(point.score.value, abs=2e-6)
        assert Audit.model_validate_json(audit.model_dump_json()) == audit


def test_each_procedure_reads_the_expected_scores_of_its_own_sides():
    """Generated scores never move; expected ones fall by 3 points per severity and rise by 4 under words."""

    def moved(question, column):
        words = 4.0 if HIGH in question.condition else 0.0
        severity = sum(p.level for p in question.condition)
        return 60 - 3.0 * severity + words + 2.0 * (question == READER)

    falling = falls("jpeg", family="sensitivity")
    conditions = [(), TREATED, *((Perturbation("jpeg", s),) for s in range(1, 6))]
    conditions += [(Perturbation("brightness", s),) for s in (3, 5)]
    columns = {SCORE.under(*c): answered(np.full(30, 60.0)) for c in conditions}
    flat = Measurements(images(30), {**columns, READER: answered(np.full(30, 60.0))})
    data = with_each(flat, lambda question, column: np.full(30, moved(question, column)))

    def cells(effect: Effect):
        audit = judged(effect, data)
        assert audit.estimate.value in (0.0, 0.5)
        return [c.expected for c in audit.parts if c.stratum.level == "ct"]

    assert [e.value for e in cells(CHANGE)] == [4.0]
    assert [e.value for e in cells(falling)] == pytest.approx([3.0])
    assert [e.unit for e in cells(falling)] == ["points per severity step"]
    assert [e.value for e in cells(steps("jpeg", family="monotone"))] == [-3.0] * 5
    assert [e.value for e in cells(DIRECTION[0])] == [-9.0, -15.0]
    assert [e.value for e in cells(wordings("quality", ("direct", "reader"), family="templates"))] == [2.0]
    area = cells(areas("jpeg", family="discrimination"))
    assert [e.value for e in area] == [1.0] * 5
    assert area[0].low < 1.0
    assert area[0].unit == "AUROC"
    points = judged(falling, data).series
    assert [p.expected for p in points if p.stratum.level == "all"] == [60.0, 57.0, 54.0, 51.0, 48.0, 45.0]


def test_entropy_and_mass_are_those_of_either_side():
    n = 30
    gap = np.where(np.arange(n) < 6, np.nan, 50.0)
    treated = with_expected(answered(np.full(n, 50.0)), gap, entropy=2.0, mass=np.where(np.arange(n) < 6, 0.2, 0.8))
    control = with_expected(answered(np.full(n, 50.0)), np.full(n, 48.0), entropy=0.5, mass=0.95)
    data = measured(images(n), {(): control, TREATED: treated})
    cell = by_level(judged(CHANGE, data))["ct"]
    found = cell.expected
    assert (found.value, found.n_images, found.n_clusters, cell.n_images) == (2.0, 24, 24, 30)
    assert (found.entropy, found.control_entropy, found.max_entropy) == (2.0, 0.5, pytest.approx(6.658211))
    # Answers with too little on the declared choices give no expected score, but count in the mass.
    assert found.mass == pytest.approx((6 * 0.2 + 24 * 0.8) / 30)
    assert found.control_mass == pytest.approx(0.95)


def test_log_probabilities_on_one_side_only_give_no_difference():
    data = measured(
        images(30),
        {(): answered(np.full(30, 50.0)), TREATED: with_expected(answered([50.0] * 30), [50.0] * 30)},
    )
    assert judged(CHANGE, data).expected is None


def test_a_settled_cell_keeps_the_expected_estimate_of_its_look():
    rules = protocol(families={"mine": {**FAMILIES["metadata"], "size": 1}}, looks={"number": 2})
    effect = CHANGE.named("x", "mine")
    records = images(160, ("ct",)) + images(40, ("mr",))
    staged = stages(records, 2, rules.seed)
    judge, parts = None, []
    for look, stage in zip(plan_looks(staged, rules), staged, strict=True):
        clean, n = answered(np.tile([58.0, 62.0], len(stage))[: len(stage)]), len(stage)
        treated = answered(clean.scores + np.tile([0.0, 1.0, -1.0], n)[:n])
        columns = {(): with_expected(clean, clean.scores), TREATED: with_expected(treated, treated.scores)}
        parts.append(measured(stage, columns))
        judge = Judge(rules, joined(parts), [effect], look, before=judge)
    cells = by_level(judge.audit(effect, "?"))
    assert cells["ct"].look == 1
    assert cells["mr"].look == 2
    for cell in cells.values():
        assert (cell.expected.value, cell.expected.level) == (cell.estimate.value, cell.estimate.level)
        assert cell.expected.n_images == cell.n_images
