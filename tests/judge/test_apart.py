"""Images whose inside moved while the score stayed, and the reverse: by hand-made numbers."""

import numpy as np
import pytest

from auditkit.evidence import Apart
from auditkit.measure.columns import ERROR, MAIN, SCORED, Column, Measurements
from auditkit.protocol.effects import change, follows
from auditkit.protocol.tracking import tracks
from auditkit.tasks import OTHERS
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import AGAIN, SCORE, answered, images, judged, own

DONE = Perturbation("jpeg", 5)
INSIDE = Question("embedding", "vision")
FOLLOWS = follows("vision", "jpeg", (5,), alike=[AGAIN], family="mine")


def data(similarity, fall, noise, others=0.6, per_patient=1, modalities=("ct",)):
    """Scores of 80 that fall; asked again, they differ by `noise`."""
    records = images(len(similarity) // len(modalities), modalities, per_patient=per_patient)
    n = len(records)
    alike = np.asarray(similarity, float)
    outcomes = np.where(np.isfinite(alike), SCORED, ERROR).astype(np.int8)
    clean = {MAIN: np.ones(n), OTHERS.name: np.full(n, others)}
    return Measurements(
        records,
        {
            SCORE: answered(np.full(n, 80.0)),
            SCORE.under(AGAIN): answered(80.0 + np.asarray(noise, float)),
            SCORE.under(DONE): answered(80.0 - np.asarray(fall, float)),
            INSIDE: Column(clean, np.full(n, SCORED, np.int8), inside=True),
            INSIDE.under(DONE): Column({MAIN: alike}, outcomes, inside=True),
        },
    )


def apart(found: Measurements, effect=FOLLOWS, level="all") -> Apart:
    audit = judged(effect, found, own(shown=True))
    return next(each for each in audit.apart if each.stratum.level == level)


def test_each_image_stands_on_its_side_of_both_limits():
    #             moved, not said | said, not moved | both | neither
    similarity = [0.2, 0.5, *[0.9] * 3, 0.1, *[0.95] * 14]
    fall = [0, 2, 50, -40, 30, 60, *[1] * 14]
    found = apart(data(similarity, fall, np.full(20, 2.0)))
    assert (found.level, found.noise, found.n_images, found.n_clusters) == (5, 2.0, 20, 20)
    assert (found.n_unsaid, found.n_unseen) == (2, 3)
    assert (found.unsaid.value, found.unseen.value) == (pytest.approx(0.1), pytest.approx(0.15))
    assert found.unsaid.low <= 0.1 <= found.unsaid.high <= 1
    assert found.unsaid.unit == "share"
    assert found.first_unsaid == ["ct000", "ct001"], "that moved furthest first"
    assert found.first_unseen == ["ct002", "ct003", "ct004"], "whose score changed most first"
    assert sum(dot[2] for dot in found.dots) == 20
    assert {dot[3] for dot in found.dots if dot[0] > 1} == {"unsaid", ""}
    assert (2.0, 0.0, 1, "unsaid") in found.dots, "0.8 away where others are 0.4 away"


def test_noise_is_what_95_of_100_changes_do_not_exceed():
    noise = np.zeros(100)
    noise[:5] = 10, 20, 30, 40, 15
    found = data(np.full(100, 0.2), np.full(100, 3.0), noise)
    assert (apart(found).noise, apart(found).n_unsaid) == (0.0, 0)
    noise[5:8] = 5, 6, 4
    assert (apart(data(np.full(100, 0.2), np.full(100, 3.0), noise)).noise) == 6.0


def test_a_patient_with_many_images_weighs_one():
    similarity = [*[0.2] * 4, *[0.9] * 4, *[0.9] * 4]
    found = apart(data(similarity, np.zeros(12), np.zeros(12), per_patient=4))
    assert (found.unsaid.value, found.n_unsaid, found.n_clusters) == (pytest.approx(1 / 3), 4, 3)


def test_without_words_that_mean_the_same_nothing_is_counted():
    found = apart(data([0.2] * 6, [0] * 6, [0] * 6), follows("vision", "jpeg", (5,), family="mine"))
    assert (found.noise, found.unsaid.value, found.n_unsaid) == (None, None, 0)
    assert found.dots == [(2.0, 0.0, 6, "")]


def test_what_is_unknown_is_left_out():
    found = apart(data([0.2, np.nan, 0.2, 0.2], [0, 0, np.nan, 0], [1] * 4))
    assert (found.n_images, found.n_unsaid) == (2, 2)
    assert apart(data([0.2] * 4, [0] * 4, [1] * 4, others=1.0)).n_images == 0, "where all patients are alike"


def test_every_stratum_has_its_own_and_the_rank_correlation_has_them_too():
    two = data([*[0.2] * 4, *[0.9] * 4], [0] * 8, [1] * 8, modalities=("ct", "mr"))
    assert [apart(two, level=level).n_unsaid for level in ("all", "ct", "mr")] == [4, 4, 0]
    assert apart(two, tracks("vision", "jpeg", (5,), alike=[AGAIN], family="mine")).n_unsaid == 4
    assert not apart(two, level="ct").dots


def test_other_audits_have_none():
    found = data([0.2] * 4, [0] * 4, [1] * 4)
    assert judged(change(DONE, family="mine"), found, own(shown=True)).apart == []
