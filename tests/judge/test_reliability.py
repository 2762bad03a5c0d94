"""The reliability curve is that of the scores."""

import numpy as np
import pytest

from auditkit.ask.plan import Plan
from auditkit.judge.reliability import SEVERITIES, calibration_curves
from auditkit.measure.columns import MAIN, Column, Measurements
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import FairReader, made_up_images, simulate
from auditkit.vocabulary import Question
from tests.cli.test_cli import SHIPPED_PROTOCOL

FALLS = tuple(SHIPPED["sensitivity"]())[:3]
REFUSED = 1


@pytest.fixture(scope="module")
def protocol():
    return load_protocol(SHIPPED_PROTOCOL)


@pytest.fixture(scope="module")
def answered(protocol):
    """Answers of a fair reader about 120 patients with one or two images each."""
    records = made_up_images({"ct": 120}, per_patient=(1, 2))
    return simulate(FairReader(), records, FALLS, protocol, seed=3)


def moved(data, protocol, rows, points):
    """The same answers with the clean scores of some images moved, or refused where points is NaN."""
    question = protocol.resolve(Question())
    column = data.column(question)
    scores, outcomes = column.scores.copy(), column.outcomes.copy()
    scores[rows] = np.clip(scores[rows] + points, 0, 100)
    outcomes[rows] = np.where(np.isnan(scores[rows]), REFUSED, outcomes[rows])
    columns = {q: data.column(q) for q in data.asked()} | {question: Column({MAIN: scores}, outcomes)}
    return Measurements(data.records, columns, data.doses)


def curve(data, protocol):
    (found,) = calibration_curves(data, Plan(data.records, FALLS, protocol))
    return found


def constant(data, value):
    scores = np.full(len(data.records), value)
    return Measurements(data.records, {q: Column({MAIN: scores}, data.column(q).outcomes) for q in data.asked()})


def test_a_model_that_always_says_fifty_is_calibrated_and_one_that_says_hundred_is_not(answered, protocol):
    """Half of the pictures are undamaged by construction."""
    fifty, hundred = (curve(constant(answered, v), protocol) for v in (50.0, 100.0))
    assert fifty.error == pytest.approx(0.0)
    assert hundred.error == pytest.approx(0.5)
    assert hundred.by_chance < 0.05
    assert hundred.points[0].observed.value == pytest.approx(0.5)
    assert hundred.points[0].observed.low < 0.5 < hundred.points[0].observed.high


def test_pictures_are_counted_and_the_missing_ones_too(answered, protocol):
    rows = np.arange(0, len(answered.records), 7)
    found = curve(moved(answered, protocol, rows, np.nan), protocol)
    assert found.n_missing == rows.size
    assert found.n_images == len(answered.records) - rows.size
    assert sum(p.n_images for p in found.points) == 2 * found.n_images
    assert set(found.levels) <= set(SEVERITIES)


def test_neither_order_nor_subset_changes_which_picture_an_image_gets(answered, protocol):
    """The other images' points must not move when some images are taken away: ids and seed draw the picture."""
    some = [i for i, r in enumerate(answered.records) if int(r.cluster, 16) % 3]

    def of(places):
        columns = {q: answered.column(q) for q in answered.asked()}
        kept = {q: Column({MAIN: c.scores[places]}, c.outcomes[places]) for q, c in columns.items()}
        return Measurements([answered.records[i] for i in places], kept)

    part, kept = of(some[::-1]), of(some)
    assert curve(part, protocol) == curve(kept, protocol)
    whole = curve(answered, protocol)
    assert sum(p.n_images for p in whole.points) > sum(p.n_images for p in curve(kept, protocol).points)


def test_nothing_is_drawn_without_degraded_images(answered, protocol):
    assert calibration_curves(answered, Plan(answered.records, tuple(SHIPPED["placebo"]())[:1], protocol)) == []
