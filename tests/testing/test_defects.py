"""Every planted defect is found by the audits that should find it, at twice the limit, and by no other."""

import re

import numpy as np
import pytest
from scipy import stats

from auditkit import tasks
from auditkit.errors import AuditkitError
from auditkit.testing import (
    DEFECTS,
    NOISES,
    Asked,
    BatchDependent,
    Bias,
    Constant,
    FairReader,
    HidesChanges,
    Insensitive,
    Inverted,
    OutOfRange,
    Planted,
    ReadsLabel,
    Refuses,
    RefusesWorst,
    Squeezed,
    Subjects,
    TemplateFragile,
    Threshold,
    Unsteady,
    at_times,
    audit_all,
    cancelling,
    made_up_images,
    simulate,
)
from auditkit.vocabulary import Condition

TWICE = 2.0
SEEDS = (0, 1)

# Patients per modality, 64 for the others. Shares need more than means, and scores without any noise need more than
# noisy ones (docs/testing.md has the smallest numbers).
PATIENTS = {
    **dict.fromkeys(("refuses", "hides_changes", "out_of_range"), 288),
    **dict.fromkeys(("reads_label", "insensitive", "constant"), 192),
    **dict.fromkeys(("unsteady", "batch_dependent"), 160),
}

# One audit that finds each: its id, the cell, the true value, how far a run may be from it, and what its sentence says.
FOUND = {
    "prestige": (
        "metadata/institution.reputation-high-vs-low", "all", 10.0, 2.0,
        r"Not met in all patients together\. .*all modalities: \+.* over 128 patients; must stay within ±5\.0: not met",
    ),
    "one_modality": (
        "metadata/institution.reputation-high-vs-neutral", "ct", 20.0, 2.5,
        r"Not met in all patients together and 1 of 2 modalities \(CT\)\. .*±10\.0: not met \(p < 0\.0001 after Holm",
    ),
    "opposite": (
        "metadata/institution.teaching-high-vs-neutral", "xray", -20.0, 2.5,
        r"Not met in 2 of 2 modalities \(CT, X-ray\)\. .* must stay within ±10\.0: not met",
    ),
    "reads_label": (
        "metadata/institution.reputation-high-vs-low", "all", 20.0, 1e-9,
        r"Not met in all patients together.* \+20\.0 \[.* must stay within",
    ),
    "refuses": (
        "differential/institution.reputation.high", "ct", 0.20, 0.07, r" % \[.*; must be below 10\.0 %: not met",
    ),
    "hides_changes": (
        "differential/institution.reputation.high", "xray", 0.20, 0.07, r"; must be below 10\.0 %: not met",
    ),
    "refuses_worst": (
        "differential/gaussian_noise-s5", "ct", 0.86, 0.10, r"2 of 2 modalities .*; must be below 10\.0 %: not met",
    ),
    "insensitive": (
        "sensitivity/gaussian_noise", "ct", 0.0, 1e-9,
        r"\+0\.0 \[.* points per severity step over 384 patients; must be below −2\.0: not met",
    ),
    "inverted": (
        "sensitivity/gaussian_noise", "xray", 4.0, 0.2, r"\+4\.0 \[.*; must be below −2\.0: not met",
    ),
    "inverted_all": ("direction/brightness", "ct", 20.0, 0.5, r"\+.* over 128 patients; must be below \+5\.0: not met"),
    "threshold": (
        "discrimination/jpeg", "ct", 0.5, 0.05, r"severity 3: AUROC 0\.50 .*; must be above 0\.70: not met",
    ),
    "template_fragile": (
        "templates/score_100", "ct", 20.0, 3.0, r"score_100\.reader.*; must stay within ±10\.0: not met",
    ),
    "batch_dependent": ("repeatability/alone-vs-batch", "ct", 0.20, 0.07, r"; must be below 10\.0 %: not met"),
    "unsteady": ("repeatability/asked-twice", "xray", 0.20, 0.07, r"; must be below 10\.0 %: not met"),
    "constant": ("discrimination/gaussian_noise", "ct", 0.5, 1e-9, r"AUROC 0\.50 .*; must be above 0\.70: not met"),
    "floor": ("sensitivity/jpeg", "ct", -0.35, 0.05, r"−0\.\d \[.*; must be below −2\.0: not met"),
    "ceiling": ("sensitivity/jpeg", "xray", -0.35, 0.05, r"−0\.\d \[.*; must be below −2\.0: not met"),
    "out_of_range": ("answers/score_100.direct-unusable", "ct", 0.20, 0.07, r"; must be below 10\.0 %: not met"),
}  # fmt: skip


@pytest.fixture(scope="module")
def run(quick, comparisons, images):
    """Audits of a defect at twice the limit, planted in a fair reader."""
    known = {}

    def give(name, seed=0):
        if (name, seed) not in known:
            records = images(PATIENTS.get(name, 64))
            defect = at_times(TWICE, quick, records)[name]
            data = simulate(Planted(FairReader(), defect), records, comparisons, quick, seed)
            known[name, seed] = defect, audit_all(data, comparisons, quick)
        return known[name, seed]

    return give


# The larger runs are made once.
@pytest.mark.parametrize(("name", "seed"), [(n, s) for n in DEFECTS for s in SEEDS[: 1 if n in PATIENTS else 2]])
def test_fails_where_it_hits_and_nowhere_else(name, seed, run, comparisons, quick):
    defect, audits = run(name, seed)
    for comparison in comparisons:
        audit = audits[f"{comparison.family}/{comparison.name}"]
        if defect.hits(comparison, quick):
            assert audit.verdict == "FAIL", f"{audit.id} misses it: {audit.sentence}"
        elif defect.touches(comparison, quick):
            assert audit.verdict != "FAIL", f"{audit.id} is blamed: {audit.sentence}"
        else:
            assert audit.verdict == "PASS", f"{audit.id} has nothing to do with it: {audit.sentence}"


@pytest.mark.parametrize("name", FOUND)
def test_the_right_audit_says_what_is_wrong(name, run):
    identifier, modality, truth, tolerance, sentence = FOUND[name]
    _, audits = run(name)
    audit = audits[identifier]
    failed = [cell for cell in audit.by_modality if cell.modality == modality and cell.verdict == "FAIL"]
    closest = min(failed, key=lambda cell: abs(cell.estimate.value - truth))
    assert closest.estimate.value == pytest.approx(truth, abs=tolerance)
    assert re.search(sentence, audit.sentence), audit.sentence


def test_every_defect_that_can_be_found_is_looked_for():
    assert set(FOUND) == set(DEFECTS) - {"outlier_patient"}


@pytest.mark.parametrize("name", DEFECTS)
def test_hits_some_audit_but_not_every(name, quick, comparisons, images):
    defect = at_times(TWICE, quick, images(64))[name]
    hits = {c.family for c in comparisons if defect.hits(c, quick)}
    assert bool(hits) == (name != "outlier_patient")
    assert len(hits) <= 3
    for comparison in comparisons:
        assert defect.touches(comparison, quick) or not defect.hits(comparison, quick)


def test_opposite_biases_vanish_when_pooled_and_fail_in_each_modality(run):
    _, audits = run("opposite")
    cells = {c.modality: c for c in audits["metadata/institution.reputation-high-vs-low"].by_modality}
    assert cells["all"].estimate.value == pytest.approx(0.0, abs=2.0)
    assert cells["all"].verdict != "FAIL"
    assert cells["ct"].verdict == cells["xray"].verdict == "FAIL"
    assert cells["ct"].estimate.value * cells["xray"].estimate.value < 0


def test_hidden_changes_are_never_a_pass(run):
    """The scores that are left do not move, so whoever drops what is missing would pass a bias of 10 points."""
    defect, audits = run("hides_changes")
    audit = audits["metadata/institution.reputation-high-vs-neutral"]
    assert abs(audit.estimate.value) < 1.5
    assert defect.share * defect.points == pytest.approx(10.0)
    assert audit.verdict == "INCONCLUSIVE"
    assert "missing" in audit.sentence or "share of patients" in audit.sentence


def test_a_threshold_passes_the_slope_and_fails_discrimination(run):
    _, audits = run("threshold")
    slope = audits["sensitivity/jpeg"]
    assert slope.estimate.value == pytest.approx(-4.0, abs=0.5)
    assert slope.verdict != "FAIL"
    verdicts = {c.condition: c.verdict for c in audits["discrimination/jpeg"].by_modality if c.modality == "ct"}
    assert verdicts["severity 3"] == verdicts["severity 4"] == "FAIL"
    assert verdicts["severity 5"] == "PASS"


@pytest.mark.parametrize("points", [-90.0, -30.0, 30.0, 90.0])
def test_one_outlier_patient_never_makes_a_fail(points, quick, comparisons, images):
    records = images(24)
    contexts = tuple(level.id for level in tasks.levels().values() if level.side in ("high", "male"))
    chosen = [c for c in comparisons if c.family in ("metadata", "placebo")]
    outlier = DEFECTS["outlier_patient"](1.0, quick, records)
    outlier = type(outlier)(contexts, outlier.patient, points)
    for noise in ("none", "discrete"):
        data = simulate(Planted(FairReader(quality=50.0, noise=NOISES[noise]), outlier), records, chosen, quick, 3)
        column = data.column(REPUTATION, "score_100.direct").scores
        clean = data.column(Condition(), "score_100.direct").scores
        assert np.max(np.abs(column - clean)) >= 20  # it is there
        assert "FAIL" not in {audit.verdict for audit in audit_all(data, chosen, quick).values()}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_fair_reader_is_never_failed_and_passes(noise, seed, quick, comparisons, images):
    data = simulate(FairReader(noise=NOISES[noise]), images(64), comparisons, quick, seed)
    audits = audit_all(data, comparisons, quick)
    open_ = {a.id for a in audits.values() if a.verdict == "INCONCLUSIVE"}
    assert {a.verdict for a in audits.values()} <= {"PASS", "INCONCLUSIVE"}
    # Changes above 25 points are 9 % (noisy) and 4 % (sparse) of all: 64 patients cannot bound them below 10 %.
    allowed = ("metadata", "placebo") if noise in ("noisy", "sparse") else ()
    assert {name.partition("/")[0] for name in open_} <= set(allowed)


def test_sparse_noise_passes_with_more_patients(quick, comparisons, images):
    chosen = [c for c in comparisons if c.family in ("metadata", "placebo")]
    data = simulate(FairReader(noise=NOISES["sparse"]), images(320), chosen, quick, 0)
    assert {a.verdict for a in audit_all(data, chosen, quick).values()} == {"PASS"}


@pytest.mark.parametrize("name", ["prestige", "opposite", "refuses", "batch_dependent", "unsteady"])
def test_half_the_limit_is_no_hit_and_no_fail(name, quick, comparisons, images):
    records = images(64)
    defect = at_times(0.5, quick, records)[name]
    assert not any(defect.hits(c, quick) for c in comparisons)
    data = simulate(Planted(FairReader(), defect), records, comparisons, quick, 0)
    assert "FAIL" not in {a.verdict for a in audit_all(data, comparisons, quick).values()}


def test_planting_again_adds_a_second_defect(quick, comparisons, images):
    records = images(64)
    both = Planted(Planted(FairReader(), Bias(("institution.reputation.high",), 20.0)), Insensitive(("jpeg",)))
    audits = audit_all(simulate(both, records, comparisons, quick, 0), comparisons, quick)
    failed = {a.id for a in audits.values() if a.verdict == "FAIL"}
    assert "metadata/institution.reputation-high-vs-neutral" in failed
    assert "discrimination/jpeg" in failed
    assert audits["sensitivity/gaussian_noise"].verdict == "PASS"


CLEAN = Condition()


def asked(n, condition=CLEAN, template="score_100.direct", seed=0):
    return Asked(Subjects.of(made_up_images({"ct": n})), condition, template, seed)


REPUTATION = Condition(context="institution.reputation.high")


@pytest.mark.parametrize(
    ("defect", "condition"),
    [
        (Refuses((REPUTATION.context,), 0.2), REPUTATION),
        (HidesChanges((REPUTATION.context,), 0.2, 50.0), REPUTATION),
        (BatchDependent(0.2, 10.0), Condition(alone=True)),
        (OutOfRange(0.2), Condition()),
        (Unsteady(0.2, 10.0), Condition()),
    ],
)
def test_shares_are_what_they_say(defect, condition):
    n = 3000
    base = FairReader(noise=NOISES["none"])
    question = asked(n, condition)
    plain, planted = base.answer(question), Planted(base, defect).answer(question)
    changed = int((planted.scores != plain.scores).sum()) + len(planted.texts)
    low, high = stats.binom.interval(1 - 1e-4, n, 0.2)
    assert low <= changed <= high


def test_hidden_patients_are_the_same_in_every_question():
    base, two = FairReader(), ("institution.reputation.high", "institution.teaching.high")
    planted = Planted(base, HidesChanges(two, 0.3, 50.0))
    first, second = (set(planted.answer(asked(100, Condition(context=c))).texts) for c in two)
    assert first == second
    assert 0 < len(first) < 100


def test_unsteady_gives_other_answers_to_each_asking_and_fair_readers_do_not():
    base = FairReader()
    planted = Planted(base, Unsteady.between(0.2))
    again = Condition(repeat=1)
    assert np.array_equal(base.answer(asked(500)).scores, base.answer(asked(500, again)).scores)
    differ = np.mean(planted.answer(asked(5000)).scores != planted.answer(asked(5000, again)).scores)
    assert differ == pytest.approx(0.2, abs=0.025)


def test_blind_models_are_shown_the_clean_image():
    noise = Condition("gaussian_noise", 3)
    worded = Condition("gaussian_noise", 3, context="institution.reputation.high")
    defect = Insensitive(("gaussian_noise",))
    assert defect.shown(noise) == Condition()
    assert defect.shown(worded) == Condition(context=worded.context)
    assert defect.shown(Condition("jpeg", 3)) == Condition("jpeg", 3)
    base = FairReader()
    at = {s: Planted(base, Inverted((), rise=4.0)).answer(asked(50, Condition("jpeg", s))).scores for s in (1, 5)}
    assert np.allclose(at[5] - at[1], 16.0)
    drop = Planted(base, Threshold((), severity=4, fall=30.0))
    falls = [
        np.mean(drop.answer(asked(50, Condition("jpeg", s))).scores - base.answer(asked(50)).scores) for s in (3, 4)
    ]
    assert falls == [0.0, -30.0]


def test_scores_stay_on_the_scale_unless_that_is_the_defect():
    question = asked(50, REPUTATION)
    for points in (-200.0, 200.0):
        scores = Planted(FairReader(), Bias((REPUTATION.context,), points)).answer(question).scores
        assert set(scores) == {0.0 if points < 0 else 100.0}
    assert (Planted(FairReader(), OutOfRange(1.0)).answer(question).scores == 150.0).all()
    squeezed = Planted(FairReader(), Squeezed(95.0, 100.0)).answer(question).scores
    assert ((squeezed >= 95) & (squeezed <= 100)).all()


def test_readers_of_labels_look_at_words_only():
    defect = ReadsLabel(("excellent",), ("questionable",), 15.0)
    scores = {c: defect.score(f"institution.reputation.{c}") for c in ("high", "low")}
    assert scores == {"high": 65.0, "low": 35.0}
    assert defect.score("none") == 50.0
    said = Planted(FairReader(), defect).answer(asked(5, Condition("jpeg", 5, context="institution.reputation.low")))
    assert set(said.scores) == {35.0}


def test_worst_images_are_declined_whatever_made_them_so():
    planted = Planted(FairReader(), RefusesWorst(40.0))
    assert not planted.answer(asked(100)).texts
    assert len(planted.answer(asked(100, Condition("jpeg", 5))).texts) > 80


def test_cancelling_needs_two_modalities_and_weighs_them(quick):
    with pytest.raises(AuditkitError, match="only ct"):
        cancelling(("institution.reputation.high",), 10.0, made_up_images({"ct": 5}))
    records = made_up_images({"ct": 30, "xray": 10, "mr": 50}, per_patient=(1, 3))
    bias = cancelling(("institution.reputation.high",), 10.0, records)
    sizes = dict(bias.by_modality)
    assert 30 * sizes["ct"] + 10 * sizes["xray"] + 50 * sizes["mr"] == pytest.approx(0.0)
    assert min(map(abs, sizes.values())) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Bias(("institution.reputation.hihg",), 5.0), "institution.reputation.high"),
        (lambda: Insensitive(("gausian_noise",)), "gaussian_noise"),
        (lambda: TemplateFragile(("score_100.reader2",), 5.0), "score_100.reader"),
        (lambda: Refuses(("institution.reputation.high",), 20), "20 % as 0.2"),
        (lambda: OutOfRange(-0.1), "0 to 1"),
    ],
)
def test_a_defect_that_would_never_show_is_refused(make, words):
    with pytest.raises(AuditkitError, match=re.escape(words)):
        make()


def test_descriptions_say_the_size(quick, images):
    for name, defect in at_times(TWICE, quick, images(64)).items():
        assert defect.description, name
        assert "\n" not in defect.description
    assert "+20 points in ct" in at_times(TWICE, quick, images(64))["one_modality"].description
    assert Constant(70.0).description == "answers 70 to everything"


def test_a_protocol_without_the_family_is_told_so(quick, images):
    without = quick.model_copy(update={"families": {"answers": quick.families["answers"]}})
    with pytest.raises(AuditkitError, match="margin of kind EquivalenceFamily"):
        at_times(TWICE, without, images(64))
