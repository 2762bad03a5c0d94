"""Results by subgroup say what can be told and what cannot; the reliability curve is that of the scores."""

import re
from dataclasses import replace

import numpy as np
import pytest
from auditkit.judge.subgroups import MAX_LEVELS, subgroups

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


def with_attributes(data, level_of):
    """The same answers, of images with attributes; `level_of` gets the place of the patient."""
    place = {cluster: k for k, cluster in enumerate(sorted({r.cluster for r in data.records}))}
    records = [replace(r, attributes=level_of(place[r.cluster], r)) for r in data.records]
    return Measurements(records, {question: data.column(question) for question in data.asked()}, data.doses)


def by(data, protocol, level_of):
    changed = with_attributes(data, level_of)
    return {s.attribute: s for s in subgroups(changed, Plan(changed.records, FALLS, protocol))}


def moved(data, protocol, rows, points):
    """The same answers with the clean scores of some images moved, or refused where points is NaN."""
    question = protocol.resolve(Question())
    column = data.column(question)
    scores, outcomes = column.scores.copy(), column.outcomes.copy()
    scores[rows] = np.clip(scores[rows] + points, 0, 100)
    outcomes[rows] = np.where(np.isnan(scores[rows]), REFUSED, outcomes[rows])
    columns = {q: data.column(q) for q in data.asked()} | {question: Column({MAIN: scores}, outcomes)}
    return Measurements(data.records, columns, data.doses)


def test_a_planted_gap_is_found_with_its_sign_and_size(answered, protocol):
    women = np.array([int(r.cluster, 16) % 2 == 0 for r in answered.records])
    lower = moved(answered, protocol, women, -20.0)
    found = by(lower, protocol, lambda place, r: {"sex": "F" if int(r.cluster, 16) % 2 == 0 else "M"})["sex"]
    assert [level.level for level in found.levels] == sorted(
        ["F", "M"], key=lambda s: -next(x.n_clusters for x in found.levels if x.level == s)
    )
    means = {level.level: level.score.value for level in found.levels}
    assert found.gap.value == pytest.approx(means["F"] - means["M"], abs=1e-4)
    assert found.gap.low <= found.gap.value <= found.gap.high < -10
    assert "F minus M" in found.sentence
    assert sum(level.n_images for level in found.levels) == len(answered.records)
    assert all(level.fall.value > 0 and level.fall.unit == "points per severity step" for level in found.levels)


def test_more_levels_widen_the_interval_of_the_same_two(answered, protocol):
    """The gap shown is picked among all pairs, so its interval must hold for all of them."""
    two = by(answered, protocol, lambda place, r: {"site": "ab"[place % 2] if place % 4 < 2 else ""})["site"]
    four = by(answered, protocol, lambda place, r: {"site": "abcd"[place % 4]})["site"]
    assert "of 2 levels" in two.sentence
    assert "of 4 levels" in four.sentence
    assert four.gap.level == two.gap.level == pytest.approx(0.9)
    width = [g.gap.high - g.gap.low for g in (two, four)]
    assert width[1] > width[0]


@pytest.mark.parametrize(
    ("level_of", "said"),
    [
        (lambda place, r: {"sex": "unknown"}, "No image has a known sex"),
        (lambda place, r: {"sex": "F" if place < 5 else "M"}, r"Too few patients \(fewer than 24\): F \(5\)"),
        (lambda place, r: {"sex": "FM"[int(r.id, 16) % 2]}, "Some patients have images of two levels"),
    ],
)
def test_what_cannot_be_told_is_said(answered, protocol, level_of, said):
    found = by(answered, protocol, level_of)["sex"]
    assert found.gap is None
    assert all(level.too_few == (level.n_clusters < 24) for level in found.levels)
    assert re.search(said, found.sentence)


def test_refusals_count_and_many_levels_are_cut(answered, protocol):
    """Three patients of the first of forty sites are refused; only the largest sites have room."""
    first = set(sorted({r.cluster for r in answered.records})[::40])
    rows = np.array([r.cluster in first for r in answered.records])
    refused = moved(answered, protocol, rows, np.nan)
    sites = by(refused, protocol, lambda place, r: {"site": f"s{place % 40:02d}"})["site"]
    assert len(sites.levels) == MAX_LEVELS + 1
    assert "27 smaller levels are not shown" in sites.sentence
    (level,) = [x for x in sites.levels if x.level == "s00"]
    assert level.unusable.value == 1.0
    assert level.score.value is None
    everyone = by(refused, protocol, lambda place, r: {"sex": "F"})["sex"].levels[0].unusable
    assert everyone.value == pytest.approx(rows.mean(), abs=1e-6)
    assert everyone.low < everyone.value < everyone.high


def test_without_attributes_there_is_nothing_to_show(answered, protocol):
    assert subgroups(answered, Plan(answered.records, FALLS, protocol)) == []


# --- reliability ----------------------------------------------------------------------------------------------------


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
