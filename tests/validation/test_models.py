"""The truths are what they are said to be: exact expectations against other ways to have them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from auditkit.protocol.catalogue import Catalogue
from auditkit.testing import NOISES, Asked, Noise, Subjects, made_up_images
from auditkit.testing.readers import FIVES, STICKY
from auditkit.vocabulary import Perturbation, Question
from validation.models import (
    CLEAN,
    Gaps,
    Jumping,
    Losing,
    Refusing,
    Shifting,
    Wavering,
    on_levels_probabilities,
    severity,
    shared_risk,
)

CATALOGUE = Catalogue.of({}, {}, "quality.direct")
WORDS = (Perturbation("institution.neutral"),)
SINGLE = Subjects.of(made_up_images({"ct": 6000}))
FOURS = Subjects.of(made_up_images({"ct": 1500}, (4,)))


def ask(model, condition, subjects=SINGLE, seed=1, wording=""):
    return model.answer(Asked(subjects, Question("", wording, condition), CATALOGUE, seed))


def jpeg(level):
    return (Perturbation("jpeg", level),) if level else CLEAN


def close(values, truth, sigmas=4.0):
    values = np.asarray(values, dtype=float)
    return abs(values.mean() - truth) <= sigmas * values.std(ddof=1) / math.sqrt(values.size) + 1e-9


@pytest.mark.parametrize("levels", [FIVES, STICKY])
@pytest.mark.parametrize(("mean", "sd"), [(55.0, 9.9), (82.0, 9.9), (47.0, 5.0)])
def test_level_probabilities_against_integration(levels, mean, sd):
    p = on_levels_probabilities(mean, sd, levels)
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    for k in (0, 7, len(levels) - 3, len(levels) - 1):

        def share(x, k=k):  # probability of going to level k from a score x
            hat = np.interp(x, levels, np.eye(len(levels))[k])
            return hat * stats.norm.pdf(x, mean, sd)

        points = list(levels[max(k - 1, 0) : k + 2])
        wanted = integrate.quad(share, -50, 200, points=points, limit=300)[0]
        assert p[k] == pytest.approx(wanted, abs=1e-8)


def test_levels_keep_the_mean():
    p = on_levels_probabilities(55.0, 8.0, FIVES)
    assert p @ np.array(FIVES) == pytest.approx(55.0, abs=1e-3)


@pytest.mark.parametrize("kind", ["fine", "discrete", "sticky", "noisy", "sparse"])
@pytest.mark.parametrize("by", [-5.0, 5.0])
def test_shifts_have_the_size_they_are_given(kind, by):
    model = Shifting(lambda q, m: by if q.condition == WORDS else 0.0, NOISES[kind])
    change = ask(model, WORDS).scores - ask(model, CLEAN).scores
    assert close(change, by)
    assert close(ask(model, CLEAN).scores, model.base)


def test_shifts_know_modality_and_wording():
    records = made_up_images({"ct": 500, "mr": 500})
    model = Shifting(
        lambda q, m: (10.0 if m == "ct" else -10.0) * (q.wording == "reader"), Noise(), between=0.0, base=50.0
    )
    subjects = Subjects.of(records)
    scores = ask(model, CLEAN, subjects, wording="reader").scores
    assert set(zip(subjects.modalities.tolist(), scores.tolist(), strict=True)) == {("ct", 60.0), ("mr", 40.0)}
    assert set(ask(model, CLEAN, subjects).scores.tolist()) == {50.0}


@pytest.mark.parametrize(("noise", "base"), [((), 65.0), (FIVES, 65.0), (STICKY, 82.0)])
@pytest.mark.parametrize("by", [-7.0, -19.0])
def test_areas_against_all_pairs_of_patients(noise, base, by):
    model = Shifting(lambda q, m: by * (severity(q) > 0), Noise(sd=7.0, levels=noise), base, between=7.0)
    clean = ask(model, CLEAN, seed=3).scores
    treated = ask(model, jpeg(5), seed=4).scores  # other patients: a seed makes its own
    ranks = stats.mannwhitneyu(clean, treated).statistic / clean.size**2
    assert model.auroc(by) == pytest.approx(ranks, abs=4 * 0.5 / math.sqrt(clean.size))
    assert math.isnan(Shifting(lambda q, m: 0.0, NOISES["sparse"]).auroc(by))


@pytest.mark.parametrize("subjects", [SINGLE, FOURS])
@pytest.mark.parametrize(("sizes", "p"), [((-25.0, -75.0), 0.1), ((80.0, 80.0), 1 / 16)])
def test_jumps_have_the_mean_and_the_tail(subjects, sizes, p):
    model = Jumping(p, sizes)
    change = ask(model, WORDS, subjects).scores - ask(model, CLEAN, subjects).scores
    by_patient = np.bincount(subjects.patient_codes(), change) / np.bincount(subjects.patient_codes())
    assert close(by_patient, p * sum(sizes) / 2)
    assert ((np.abs(change) > 25) | (change == 0)).all()


def test_growing_jumps_fall_by_steps():
    model = Jumping(0.2, (-25.0, -75.0), growing=True)
    scores = np.stack([ask(model, jpeg(s)).scores for s in range(6)])
    assert np.allclose(np.diff(scores, n=2, axis=0), 0)  # every image on a straight line
    assert close(scores[5] - scores[0], -10.0)


@pytest.mark.parametrize("correlation", [0.0, 0.5])
def test_refusals_and_wavering_have_their_share_and_correlation(correlation):
    refused = np.isin(np.arange(len(FOURS)), list(ask(Refusing(0.1, correlation), CLEAN, FOURS).texts))
    again = ask(Wavering(0.1, correlation), (Perturbation("again", 1),), FOURS).scores != 50
    assert not (ask(Wavering(0.1, correlation), CLEAN, FOURS).scores != 50).any()
    for hit in (refused, again):
        by_patient = np.bincount(FOURS.patient_codes(), hit)
        assert close(by_patient / 4, 0.1)
        assert close(by_patient * (by_patient - 1) / 12, 0.01 + 0.09 * correlation)  # both images of a pair


def test_losses_are_paired():
    model = Losing(0.12, 0.02)
    treated, control = (set(ask(model, c, FOURS).texts) for c in (WORDS, CLEAN))
    assert not treated & control
    n = len(FOURS)
    for lost, share in ((treated, 0.12), (control, 0.02)):
        assert abs(len(lost) / n - share) < 4 * math.sqrt(share * (1 - share) * 2.5 / n)


def test_gaps_take_the_worst_or_any():
    inner = Shifting(lambda q, m: -5.0 if q.condition == WORDS else 0.0)
    change = ask(inner, WORDS).scores - ask(inner, CLEAN).scores
    worst = ask(Gaps(inner, "worst", -1), WORDS).texts
    assert len(worst) == 300
    assert change[list(worst)].max() <= np.sort(change)[300]
    best = ask(Gaps(inner, "best", -1), WORDS).texts
    assert len(best) == 300
    assert change[list(best)].min() >= np.sort(change)[-301]
    anyone = ask(Gaps(inner, "random", -1), WORDS).texts
    assert abs(len(anyone) - 300) < 4 * math.sqrt(6000 * 0.05 * 0.95)
    assert close(np.delete(change, list(anyone)), -5.0)
    assert not ask(Gaps(inner, "worst", -1), CLEAN).texts


def test_risk_is_shared_by_a_patient():
    rng = np.random.default_rng(5)
    codes = FOURS.patient_codes()
    risk = shared_risk(0.1, 0.5, codes, rng)
    assert all(np.ptp(risk[codes == code]) == 0 for code in range(20))
    assert close(risk[::4], 0.1)
    assert shared_risk(0.1, 0.0, codes, rng) == 0.1
