"""Models with a few patients unlike the others: their means, excesses and areas against what they are said to be."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from auditkit.protocol.catalogue import Catalogue
from auditkit.testing import Asked, Noise, Subjects, made_up_images
from auditkit.vocabulary import Perturbation, Question
from validation.models import Refusing, Shifting
from validation.rare import BySize, Earlier, Jolting, Struck, Swapping, scattering, share_of_jolted

CATALOGUE = Catalogue.of({}, {}, "quality.direct")
SUBJECTS = Subjects.of(made_up_images({"ct": 8000}, (1,)))
UNEQUAL = Subjects.of(made_up_images({"ct": 4000}, (12, *(1,) * 7)))
CLEAN, WORDS = (), (Perturbation("institution.neutral"),)
ALIKE = [(Perturbation(name, level),) for name in ("jpeg", "brightness") for level in (1, 2, 3)][:5]


def ask(model, condition, subjects=SUBJECTS, seed=1):
    return model.answer(Asked(subjects, Question("", "", condition), CATALOGUE, seed))


def jpeg(level):
    return (Perturbation("jpeg", level),) if level else CLEAN


def close(values, truth, sigmas=4.0):
    values = np.asarray(values, dtype=float)
    return abs(values.mean() - truth) <= sigmas * values.std(ddof=1) / math.sqrt(values.size) + 1e-9


@pytest.mark.parametrize(("by", "others"), [(-100.0, 0.0), (-75.0, 0.0), (75.0, 0.0), (40.0, -7.0 / 0.95)])
def test_a_few_are_struck_and_the_mean_is_known(by, others):
    model = Struck(0.05, by, others)
    change = ask(model, WORDS).scores - ask(model, CLEAN).scores
    assert close(change, 0.05 * by + 0.95 * others)
    assert close(change == by, 0.05)
    assert 2.5 < np.std(change[np.abs(change - others) < 15]) < 3.2  # two answers of sd 2, on whole scores


def test_inverted_patients_rise_while_the_others_fall():
    model = Struck(0.04, 20.0, -2.8 / 0.96, growing=True)
    scores = np.stack([ask(model, jpeg(s)).scores for s in range(6)])
    slopes = np.polyfit(np.arange(6), scores, 1)[0]
    assert close(slopes, -2.0)
    assert close(slopes > 10, 0.04)


@pytest.mark.parametrize("noise", [0.0, 8.5, 12.0])
@pytest.mark.parametrize("count", [4, 1])
def test_the_excess_of_jumps_is_known(noise, count):
    """Counted directly: jumps of the moved answer less jumps of one more answer alike, against the same others."""
    share = share_of_jolted(0.10, noise, 40.0, 25.0, count)
    model = Jolting(lambda q: q.condition == WORDS, share, noise)
    excess = []
    for seed in range(6):
        others = [ask(model, condition, seed=seed).scores for condition in ALIKE]
        against = np.mean(others[:count], axis=0)
        jumps = np.abs(ask(model, WORDS, seed=seed).scores - against) > 25
        excess.append(jumps * 1.0 - (np.abs(others[4] - against) > 25))
    assert close(np.concatenate(excess), 0.10)
    assert close(ask(model, WORDS).scores - ask(model, CLEAN).scores, 0.0)


@pytest.mark.parametrize(("area", "share"), [(0.95, 0.0), (0.95, 0.0267), (0.90, 0.054)])
def test_areas_of_patients_who_change_places(area, share):
    model = Swapping(area, share)
    clean, treated = ask(model, CLEAN, seed=3).scores, ask(model, jpeg(5), seed=4).scores
    ranks = stats.mannwhitneyu(clean, treated).statistic / clean.size**2
    assert model.whole_area == pytest.approx((1 - share) ** 2 * area)
    assert ranks == pytest.approx(model.whole_area, abs=4 * 0.5 / math.sqrt(clean.size))


def test_versions_have_the_same_patients_and_other_noise():
    old, new = Swapping(0.9), Swapping(0.9, version="new")
    a, b = ask(old, CLEAN).scores, ask(new, CLEAN).scores
    assert 0.4 < np.corrcoef(a, b)[0, 1] < 0.6
    swapped = ask(Swapping(0.9, 0.1), CLEAN).scores
    assert close(swapped == a, 0.9)
    inner = Shifting(lambda q, m: 0.0, scattering(8.5))
    assert abs(np.corrcoef(ask(inner, CLEAN).scores, ask(Earlier(inner), CLEAN).scores)[0, 1]) < 0.1


def test_only_patients_with_one_image_have_the_effect():
    codes = UNEQUAL.patient_codes()
    many = np.bincount(codes)[codes] > 1
    model = BySize(Shifting(lambda q, m: -8.0 * (q.condition != CLEAN), Noise(), between=0.0), Refusing(1.0, 0.0))
    replies = ask(model, WORDS, UNEQUAL)
    assert set(replies.texts) == set(np.flatnonzero(many).tolist())
    assert set(replies.scores[~many].tolist()) == {47.0}
