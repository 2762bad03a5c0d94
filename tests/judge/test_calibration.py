"""The score read as a chance: bands and error against sums written out, and which picture an item is beside."""

import hashlib
import json

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import MAIN, NOT_ASKED, Column, Measurements
from auditkit.protocol.effects import calibration
from auditkit.protocol.shipped import SHIPPED
from auditkit.tasks import OUTCOMES
from auditkit.testing import FairReader, made_up_images, simulate
from auditkit.vocabulary import Question
from tests.judge.build import FAMILIES, images, judged, protocol

[EFFECT] = SHIPPED["calibration"]()
RULES = protocol(families={**FAMILIES, "calibration": {"shown": True}})
CLEAN = RULES.resolve(Question())
DEGRADED = sorted(RULES.resolve(question) for question in EFFECT.questions() if question.condition)
REFUSED = OUTCOMES.index("refused")


@pytest.fixture(scope="module")
def answered():
    """Answers of a fair reader about 120 patients with one or two images each, of two modalities."""
    records = made_up_images({"ct": 80, "mr": 40}, per_patient=(1, 2))
    return simulate(FairReader(), records, [EFFECT], RULES, seed=3)


def changed(data, change):
    """The same answers with the scores of each question put through `change`; NaN is a refusal."""
    columns = {}
    for question in data.asked():
        column = data.column(question)
        scores = change(question, column.scores.copy())
        outcomes = np.where(np.isnan(scores) & (column.outcomes == 0), REFUSED, column.outcomes).astype(np.int8)
        columns[question] = Column({MAIN: scores}, outcomes)
    return Measurements(data.records, columns)


def of_places(data, places):
    kept = {q: data.column(q) for q in data.asked()}
    columns = {q: Column({MAIN: c.scores[places]}, c.outcomes[places]) for q, c in kept.items()}
    return Measurements([data.records[i] for i in places], columns)


def found(data):
    audit = judged(EFFECT, data, RULES)
    [cell] = audit.parts
    assert cell.estimate == audit.estimate
    return audit, cell


def drawn(data):
    """Which degraded question an item is beside: by hash of seed and id, among those it was asked."""
    places = []
    for i, record in enumerate(data.records):
        asked = [question for question in DEGRADED if data.column(question).outcomes[i] != NOT_ASKED]
        text = json.dumps([RULES.seed, record.id])
        places.append(asked[int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % len(asked)])
    return places


def test_the_effect_is_the_clean_question_against_every_shipped_corruption():
    [part] = calibration((4,), name="x").parts
    assert [weight for weight, _ in part.terms] == [1.0, *[-1.0] * (len(part.terms) - 1)]
    assert part.terms[0][1].question == Question()
    assert {q.condition[0].level for _, value in part.terms[1:] for q in [value.question]} == {4}
    assert len(DEGRADED) == 3 * (len(part.terms) - 1)
    asked = {RULES.resolve(question) for effect in SHIPPED["sensitivity"]() for question in effect.questions()}
    assert set(DEGRADED) | {CLEAN} <= asked, "nothing is asked for it alone"


def test_error_and_bands_are_those_written_out(answered):
    audit, cell = found(answered)
    beside = np.array([answered.column(q).scores[i] for i, q in enumerate(drawn(answered))])
    points = np.concatenate([answered.column(CLEAN).scores, beside])
    scores, band = points / 100, np.minimum(points // 10, 9).astype(int)
    undamaged = np.repeat([1.0, 0.0], len(answered.records))
    error, series = 0.0, iter(audit.series)
    for k in np.unique(band):
        here = band == k
        error += here.mean() * abs(undamaged[here].mean() - scores[here].mean())
        point = next(series)
        assert point.condition == f"{10 * k} to {10 * k + 10} points"
        assert point.level == 0
        assert point.score.value == pytest.approx(100 * scores[here].mean(), abs=1e-5)
        assert point.observed.value == pytest.approx(undamaged[here].mean(), abs=1e-5)
        assert (point.observed.unit, point.n_images) == ("share", here.sum())
        assert 0 <= point.observed.low <= point.observed.value <= point.observed.high <= 1
    assert next(series, None) is None
    assert cell.estimate.value == pytest.approx(error, abs=1e-5)
    assert (cell.estimate.unit, cell.estimate.low, audit.unit) == ("share", None, "share")
    assert cell.n_images == len(answered.records)
    assert cell.n_clusters == audit.n_clusters == 120
    assert (audit.shown, audit.change, audit.quantity, audit.statistic) == (True, False, "score", "calibration")
    assert audit.treated == f"{len(DEGRADED) // 3} perturbations, severity 3 to 5"


def test_what_chance_gives_is_the_error_of_outcomes_drawn_as_stated(answered):
    """A twentieth of the errors of a model whose scores are true chances lies above the reference."""
    _, cell = found(answered)
    beside = np.array([answered.column(q).scores[i] for i, q in enumerate(drawn(answered))])
    points = np.concatenate([answered.column(CLEAN).scores, beside])
    chances, band = points / 100, np.minimum(points // 10, 9).astype(int)
    rng = np.random.default_rng(99)
    errors = [
        np.abs(np.bincount(band, (rng.random(chances.size) < chances) - chances)).sum() / chances.size
        for _ in range(4000)
    ]
    assert np.mean(np.array(errors) > cell.reference) == pytest.approx(0.05, abs=0.015)
    assert f"would exceed {100 * cell.reference:.1f} % one time in twenty" in cell.sentence


def test_a_model_that_always_says_fifty_is_calibrated_and_one_that_says_hundred_is_not(answered):
    """Half of the pictures are undamaged by construction."""
    (_, fifty), (audit, hundred) = (
        found(changed(answered, lambda q, scores, v=v: np.full(scores.shape, v))) for v in (50.0, 100.0)
    )
    assert fifty.estimate.value == pytest.approx(0.0)
    assert hundred.estimate.value == pytest.approx(0.5)
    assert hundred.reference == 0.0, "what is certain leaves nothing to chance"
    [point] = audit.series
    assert (point.condition, point.score.value) == ("90 to 100 points", 100.0)
    assert point.observed.value == pytest.approx(0.5)
    assert point.observed.low < 0.5 < point.observed.high


def test_pictures_are_counted_and_the_missing_ones_too(answered):
    lost = np.arange(len(answered.records)) % 7 == 0
    _, cell = found(changed(answered, lambda q, scores: np.where(lost & (q == CLEAN), np.nan, scores)))
    audit, _ = found(changed(answered, lambda q, scores: np.where(lost & (q == CLEAN), np.nan, scores)))
    n = len(answered.records)
    assert cell.n_images == n - lost.sum()
    assert (cell.control_outcomes.refused, cell.control_outcomes.total) == (lost.sum(), n)
    assert (cell.outcomes.scored, cell.outcomes.total) == (n, n)
    assert sum(point.n_images for point in audit.series) == 2 * cell.n_images
    assert f"{lost.sum()} images left out: an answer gave no score." in cell.sentence


def test_nothing_scored_is_nothing_measured(answered):
    audit, cell = found(changed(answered, lambda q, scores: np.full(scores.shape, np.nan)))
    assert (cell.estimate.value, cell.reference, cell.n_images, audit.series) == (None, None, 0, [])
    assert audit.sentence.endswith("No image was scored both clean and degraded, so nothing was measured.")
    assert audit.verdict == "INCONCLUSIVE"


def test_neither_order_nor_subset_changes_which_picture_an_image_gets(answered):
    """The other images' points must not move when some images are taken away: ids and seed draw the picture."""
    some = [i for i, r in enumerate(answered.records) if int(r.cluster, 16) % 3]
    (turned, a), (kept, b) = found(of_places(answered, some[::-1])), found(of_places(answered, some))
    assert (a, turned.series) == (b, kept.series)
    whole = of_places(answered, range(len(answered.records)))
    assert sum(p.n_images for p in found(whole)[0].series) > sum(p.n_images for p in kept.series)


def test_a_corruption_that_an_image_was_not_asked_about_is_not_drawn(answered):
    """Of CT only one degraded question was asked: every CT image is beside that one, all others as before."""
    only, ct = DEGRADED[7], answered.where(("modality", "ct"))
    columns = {}
    for question in answered.asked():
        column = answered.column(question)
        out = ct & (question not in (CLEAN, only))
        outcomes = np.where(out, NOT_ASKED, column.outcomes).astype(np.int8)
        columns[question] = Column({MAIN: np.where(out, np.nan, column.scores)}, outcomes)
    data = Measurements(answered.records, columns)
    places = drawn(data)
    assert {places[i] for i in np.flatnonzero(ct)} == {only}
    assert [places[i] for i in np.flatnonzero(~ct)] == [drawn(answered)[i] for i in np.flatnonzero(~ct)]
    audit, cell = found(data)
    assert cell.n_images == len(data.records)
    beside = np.array([data.column(q).scores[i] for i, q in enumerate(places)])
    scores = np.concatenate([data.column(CLEAN).scores, beside])
    low = audit.series[0]
    assert low.n_images == (scores < 10 * (int(scores.min()) // 10 + 1)).sum()


def test_without_degraded_answers_nothing_is_measured():
    clean = Column({MAIN: np.full(30, 50.0)}, np.zeros(30, np.int8))
    audit, cell = found(Measurements(images(30), {CLEAN: clean}))
    assert (cell.n_images, cell.outcomes.total, audit.n_images) == (0, 0, 0)


def test_it_cannot_be_a_gate():
    rules = protocol(families={**FAMILIES, "calibration": {"at_most": 0.1}})
    with pytest.raises(AuditkitError, match="expected calibration error, whose error rates as a gate are not measured"):
        check_limits([EFFECT], rules)
