"""The coefficient within strata: against brute force, and against what it is there to keep apart."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from auditkit.images.item import Item
from auditkit.measure.columns import Column, Measurements
from auditkit.records.compare.correlation import pooled, score_conditions
from auditkit.tasks import OUTCOMES
from auditkit.vocabulary import Perturbation, Question
from tests.judge.build import SCORE

CLEAN, BLUR = (), (Perturbation("motion_blur", 3),)


def data(scores: dict, modalities: list[str], patients: list[str] | None = None) -> Measurements:
    names = patients or [f"p{i}" for i in range(len(modalities))]
    records = [
        Item(f"i{i}", name, modality, (), True, "")
        for i, (name, modality) in enumerate(zip(names, modalities, strict=True))
    ]
    refused = OUTCOMES.index("refused")
    columns = {
        replace(SCORE, condition=condition): Column(
            {"": np.asarray(values, float)}, np.where(np.isnan(values), refused, 0).astype(np.int8)
        )
        for condition, values in scores.items()
    }
    return Measurements(records, columns, {})


def by_triples(strata: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """The definition: over strata, n times the mean over triples of different images of half the signs' products."""

    def summed(a: np.ndarray, b: np.ndarray) -> float:
        every = [np.sign(a[j] - a[i]) * np.sign(b[j] - b[k]) / 4 for i, j, k in permutations(range(len(a)), 3)]
        return len(a) * float(np.mean(every))

    top, left, right = (sum(summed(*pair) for pair in pairs) for pairs in (
        strata, [(a, a) for a, _ in strata], [(b, b) for _, b in strata],
    ))  # fmt: skip
    return top / np.sqrt(left * right)


@pytest.mark.parametrize("levels", [4, 1000])
def test_it_is_what_the_definition_says(levels):
    rng = np.random.default_rng(levels)
    modalities = ["ct"] * 7 + ["xray"] * 9
    x, y = (rng.integers(0, levels, (2, 16)).astype(float) for _ in range(2))
    first, second = (data({CLEAN: v[0], BLUR: v[1]}, modalities) for v in (x, y))
    found = pooled(first, second, [CLEAN, BLUR], SCORE)
    parts = {
        (m, c): (x[row, some], y[row, some])
        for m, some in (("ct", slice(0, 7)), ("xray", slice(7, 16)))
        for row, c in enumerate(("clean", "motion_blur"))
    }
    assert found["all", "all"].value == pytest.approx(by_triples(list(parts.values())), abs=1e-12)
    assert found["ct", "all"].value == pytest.approx(by_triples([v for k, v in parts.items() if k[0] == "ct"]))
    assert found["all", "motion_blur"].value == pytest.approx(
        by_triples([v for k, v in parts.items() if k[1] == "motion_blur"])
    )
    assert (found["all", "all"].n_strata, found["all", "all"].n_scores) == (4, 32)


def test_falling_together_is_no_agreement():
    """Both fall with severity and see different things in the images: pooled over severities they would agree."""
    rng = np.random.default_rng(5)
    conditions = [CLEAN, *((Perturbation("motion_blur", s),) for s in range(1, 6))]
    x, y = (np.stack([80 - 12 * level + rng.normal(0, 4, 60) for level in range(6)]) for _ in range(2))
    modalities = ["ct"] * 30 + ["xray"] * 30
    first, second = (data(dict(zip(conditions, v, strict=True)), modalities) for v in (x, y))
    assert np.corrcoef(x.ravel(), y.ravel())[0, 1] > 0.9
    assert abs(pooled(first, second, conditions, SCORE)["all", "all"].value) < 0.2


def test_levels_of_a_modality_are_no_agreement_either():
    rng = np.random.default_rng(6)
    level = np.repeat([30.0, 80.0], 40)
    first, second = (data({CLEAN: level + rng.normal(0, 3, 80)}, ["ct"] * 40 + ["mr"] * 40) for _ in range(2))
    assert abs(pooled(first, second, [CLEAN], SCORE)["all", "all"].value) < 0.3


def test_only_the_order_counts():
    rng = np.random.default_rng(7)
    x, y = rng.normal(50, 9, (2, 40))
    same = ["ct"] * 40
    straight = pooled(data({CLEAN: x}, same), data({CLEAN: y}, same), [CLEAN], SCORE)["all", "all"]
    bent = pooled(data({CLEAN: np.exp(x / 20)}, same), data({CLEAN: y}, same), [CLEAN], SCORE)["all", "all"]
    turned = pooled(data({CLEAN: x}, same), data({CLEAN: -y}, same), [CLEAN], SCORE)["all", "all"]
    assert straight.value == bent.value == -turned.value
    assert np.array_equal(straight.patients, bent.patients)


def test_what_a_patient_adds_is_what_leaving_it_out_takes():
    """The influence against the jackknife: the standard errors of Fisher's z agree."""
    rng = np.random.default_rng(8)
    patients = [f"p{i // 2}" for i in range(80)]
    quality = np.repeat(rng.normal(0, 1, 40), 2) + rng.normal(0, 1, 80)
    x, y = (5 * np.round((quality + rng.normal(0, 1, 80)) * 2) for _ in range(2))

    def z(keep: np.ndarray) -> float:
        first, second = (
            data({CLEAN: v[keep]}, ["ct"] * int(keep.sum()), [patients[i] for i in np.flatnonzero(keep)])
            for v in (x, y)
        )
        return float(np.arctanh(pooled(first, second, [CLEAN], SCORE)["all", "all"].value))

    whole = pooled(data({CLEAN: x}, ["ct"] * 80, patients), data({CLEAN: y}, ["ct"] * 80, patients), [CLEAN], SCORE)
    values = whole["all", "all"].patients
    assert values.mean() == pytest.approx(np.arctanh(whole["all", "all"].value), abs=1e-12)
    without = np.array([z(np.array([p != f"p{g}" for p in patients])) for g in range(40)])
    jackknife = np.sqrt(39 / 40 * ((without - without.mean()) ** 2).sum())
    assert values.std(ddof=1) / np.sqrt(40) == pytest.approx(jackknife, rel=0.1)


def test_missing_scores_are_left_out_in_pairs_and_counted():
    rng = np.random.default_rng(9)
    x, y = rng.normal(50, 9, (2, 40))
    x[:3], y[2:5] = np.nan, np.nan
    same = ["ct"] * 40
    found = pooled(data({CLEAN: x}, same), data({CLEAN: y}, same), [CLEAN], SCORE)["all", "all"]
    kept = pooled(data({CLEAN: x[5:]}, same[5:]), data({CLEAN: y[5:]}, same[5:]), [CLEAN], SCORE)["all", "all"]
    assert (found.n_scores, found.n_missing, found.n_clusters) == (35, 5, 35)
    assert found.value == pytest.approx(kept.value, abs=1e-12)
    assert np.isnan(found.patients).sum() == 5


def test_a_constant_score_has_no_order_and_equal_ones_no_error():
    rng = np.random.default_rng(10)
    x, same = rng.normal(50, 9, 40), ["ct"] * 40
    constant = pooled(data({CLEAN: x}, same), data({CLEAN: np.full(40, 70.0)}, same), [CLEAN], SCORE)["all", "all"]
    assert np.isnan(constant.value)
    equal = pooled(data({CLEAN: x}, same), data({CLEAN: x}, same), [CLEAN], SCORE)["all", "all"]
    assert equal.value == 1
    assert np.isnan(equal.patients).all()


def test_words_repeats_and_two_perturbations_at_once_are_no_strata(protocol):
    x, same, catalogue = np.arange(4.0), ["ct"] * 4, protocol.catalogue
    words, again, alone = ((Perturbation(*p),) for p in (("institution.neutral",), ("again", 1), ("alone",)))
    first = data({CLEAN: x, BLUR: x, words: x, again: x, alone: x, BLUR + words: x, BLUR + BLUR: x}, same)
    second = data({CLEAN: x, (Perturbation("gaussian_noise", 1),): x}, same)
    assert score_conditions([first], catalogue) == [CLEAN, BLUR]
    assert score_conditions([first, second], catalogue) == [CLEAN]
    other = Measurements(first.records, {Question("rating", "direct"): first.column(SCORE)})
    assert score_conditions([first, other], catalogue) == []
