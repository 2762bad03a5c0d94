"""Every planted defect is found by the audits that should find it, at twice the limit, and by no other."""

import re

import numpy as np
import pytest
from scipy import stats

from auditkit import perturbations
from auditkit.errors import AuditkitError
from auditkit.testing import (
    DEFECTS,
    NOISES,
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
    TemplateFragile,
    Threshold,
    Unsteady,
    at_times,
    audit_all,
    cancelling,
    made_up_images,
    plant,
    simulate,
)
from auditkit.vocabulary import Perturbation, Question

TWICE = 2.0
SEEDS = (0, 1)

# Patients per modality, 64 for the others. Shares need more than means, and scores without any noise need more than
# noisy ones (docs/testing.md has the smallest numbers).
PATIENTS = {
    **dict.fromkeys(("refuses", "hides_changes", "out_of_range"), 288),
    **dict.fromkeys(("reads_label", "insensitive", "constant", "blank_passes", "ignores_image"), 192),
    **dict.fromkeys(("unsteady", "batch_dependent"), 160),
}

# One audit that finds each: its id, the cell, the true value, how far a run may be from it, and what its sentence says.
FOUND = {
    "prestige": (
        "metadata/institution.reputation-high-vs-low", "all", 10.0, 2.0,
        r"Not met in all patients together\. .*\+.* over 128 patients; must stay within ±5\.0: not met",
    ),
    "one_modality": (
        "metadata/institution.reputation-high-vs-neutral", "ct", 24.0, 2.5,
        r"Not met in all patients together and 1 of 2 modalities \(CT\)\. .*±12\.0: not met \(p < 0\.001 after Holm",
    ),
    "opposite": (
        "metadata/institution.teaching-high-vs-neutral", "xray", -24.0, 2.5,
        r"2 of 2 modalities \(CT, X-ray\)\. .* must stay within ±12\.0: not met",
    ),
    "reads_label": (
        "metadata/institution.reputation-high-vs-low", "all", 20.0, 1e-9,
        r"Not met in all patients together.* \+20\.0 \[.* must stay within",
    ),
    "refuses": (
        "differential/institution.reputation.high", "ct", 0.20, 0.07, r"percentage points.*below \+10\.0: not met",
    ),
    "hides_changes": (
        "differential/institution.reputation.high", "xray", 0.20, 0.07, r"; must be below \+10\.0: not met",
    ),
    "refuses_worst": (
        "differential/gaussian_noise-s5", "ct", 0.86, 0.10, r"2 of 2 modalities .*; must be below \+10\.0: not met",
    ),
    "insensitive": (
        "sensitivity/gaussian_noise", "ct", 0.0, 1e-9,
        r"0\.0 \[.* points per severity step over 384 patients; must be above 2\.0: not met",
    ),
    "inverted": (
        "sensitivity/gaussian_noise", "xray", -4.0, 0.2, r"−4\.0 \[.*; must be above 2\.0: not met",
    ),
    "inverted_all": (
        "direction/brightness", "all", 20.0, 0.5, r"\+.* over 128 patients; must be below \+5\.0: not met",
    ),
    "threshold": (
        "discrimination/jpeg", "ct", 0.5, 0.05, r"severity 3: AUROC 0\.50 .*; must be above 0\.70: not met",
    ),
    "template_fragile": (
        "templates/quality", "ct", 20.0, 3.0, r"quality\.reader.*; must stay within ±10\.0: not met",
    ),
    "batch_dependent": ("repeatability/alone-vs-batch", "ct", 0.20, 0.07, r"; must be below 10\.0 %: not met"),
    "unsteady": ("repeatability/asked-twice", "xray", 0.20, 0.07, r"; must be below 10\.0 %: not met"),
    "constant": ("discrimination/gaussian_noise", "ct", 0.5, 1e-9, r"AUROC 0\.50 .*; must be above 0\.70: not met"),
    "floor": ("sensitivity/jpeg", "ct", 0.35, 0.05, r"0\.\d \[.*; must be above 2\.0: not met"),
    "ceiling": ("sensitivity/jpeg", "xray", 0.35, 0.05, r"0\.\d \[.*; must be above 2\.0: not met"),
    "blank_passes": ("looking/black", "all", 0.0, 1.5, r" points over 384 patients; must be above \+10\.0: not met"),
    "ignores_image": ("looking/noise", "all", 0.0, 1.5, r" points over 384 patients; must be above \+10\.0: not met"),
    "rejects_mild": (
        "spared/gaussian_noise-s1", "ct", 1.0, 0.05, r"grade\.direct.*; must be below \+10\.0: not met",
    ),
    "reads_picture": (
        "burnt_in/burnt_in-excellent-vs-neutral", "all", 10.0, 2.0, r"128 patients; must stay within ±5\.0: not met",
    ),
    "follows_authority": (
        "authority/authority.quality-excellent-vs-neutral", "all", 10.0, 2.0, r"; must stay within ±5\.0: not met",
    ),
    "out_of_range": ("answers/quality.direct-unusable", "xray", 0.20, 0.07, r"; must be below 10\.0 %: not met"),
}  # fmt: skip


@pytest.fixture(scope="module")
def run(quick, effects, images):
    """Audits of a defect at twice the limit, planted in a fair reader."""
    known = {}

    def give(name, seed=0):
        if (name, seed) not in known:
            records = images(PATIENTS.get(name, 64))
            defect = at_times(TWICE, quick, records)[name]
            data = simulate(Planted(FairReader(), defect), records, effects, quick, seed)
            known[name, seed] = defect, audit_all(data, effects, quick)
        return known[name, seed]

    return give


# The larger runs are made once.
@pytest.mark.parametrize(("name", "seed"), [(n, s) for n in DEFECTS for s in SEEDS[: 1 if n in PATIENTS else 2]])
def test_fails_where_it_hits_and_nowhere_else(name, seed, run, effects, quick):
    defect, audits = run(name, seed)
    for effect in effects:
        audit = audits[f"{effect.family}/{effect.name}"]
        if defect.hits(effect, quick):
            assert audit.verdict == "FAIL", f"{audit.id} misses it: {audit.sentence}"
        elif defect.touches(effect, quick):
            assert audit.verdict != "FAIL", f"{audit.id} is blamed: {audit.sentence}"
        else:
            assert audit.verdict == "PASS", f"{audit.id} has nothing to do with it: {audit.sentence}"


@pytest.mark.parametrize("name", FOUND)
def test_the_right_audit_says_what_is_wrong(name, run):
    identifier, modality, truth, tolerance, sentence = FOUND[name]
    _, audits = run(name)
    audit = audits[identifier]
    failed = [cell for cell in audit.parts if cell.stratum.level == modality and cell.verdict == "FAIL"]
    closest = min(failed, key=lambda cell: abs(cell.estimate.value - truth))
    assert closest.estimate.value == pytest.approx(truth, abs=tolerance)
    assert re.search(sentence, audit.sentence), audit.sentence


def test_every_defect_that_can_be_found_is_looked_for():
    assert set(FOUND) == set(DEFECTS) - {"outlier_patient"}


@pytest.mark.parametrize("name", DEFECTS)
def test_hits_some_audit_but_not_every(name, quick, effects, images):
    defect = at_times(TWICE, quick, images(64))[name]
    hits = {c.family for c in effects if defect.hits(c, quick)}
    assert bool(hits) == (name != "outlier_patient")
    assert len(hits) <= len({c.family for c in effects}) / 2
    for effect in effects:
        assert defect.touches(effect, quick) or not defect.hits(effect, quick)


def test_opposite_biases_vanish_when_pooled_and_fail_in_each_modality(run):
    _, audits = run("opposite")
    cells = {c.stratum.level: c for c in audits["metadata/institution.reputation-high-vs-low"].parts}
    assert cells["all"].estimate.value == pytest.approx(0.0, abs=2.0)
    assert -5 < cells["all"].estimate.low < cells["all"].estimate.high < 5  # only the jumps show it there
    assert "jump by more than 25 points" in cells["all"].sentence
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
    assert slope.estimate.value == pytest.approx(4.0, abs=0.5)
    assert slope.verdict != "FAIL"
    verdicts = {c.part: c.verdict for c in audits["discrimination/jpeg"].parts if c.stratum.level == "ct"}
    assert verdicts["severity 3"] == verdicts["severity 4"] == "FAIL"
    assert verdicts["severity 5"] == "PASS"


@pytest.mark.parametrize("points", [-90.0, -30.0, 30.0, 90.0])
def test_one_outlier_patient_never_makes_a_fail(points, quick, effects, images):
    records = images(24)
    sentences = tuple(level.id for level in perturbations.levels().values() if level.side in ("high", "male"))
    chosen = [c for c in effects if c.family in ("metadata", "placebo")]
    outlier = DEFECTS["outlier_patient"](1.0, quick, records)
    outlier = type(outlier)(sentences, outlier.patient, points)
    for noise in ("none", "discrete"):
        data = simulate(Planted(FairReader(quality=50.0, noise=NOISES[noise]), outlier), records, chosen, quick, 3)
        column = data.column(quick.resolve(Question().under(REPUTATION))).scores
        clean = data.column(quick.resolve(Question())).scores
        assert np.max(np.abs(column - clean)) >= 20  # it is there
        assert "FAIL" not in {audit.verdict for audit in audit_all(data, chosen, quick).values()}


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_fair_reader_is_never_failed_and_passes(noise, seed, quick, effects, images):
    data = simulate(FairReader(noise=NOISES[noise]), images(64), effects, quick, seed)
    audits = audit_all(data, effects, quick)
    open_ = {a.id for a in audits.values() if a.verdict == "INCONCLUSIVE"}
    assert {a.verdict for a in audits.values()} <= {"PASS", "INCONCLUSIVE"}
    # Changes above 25 points are 9 % (noisy) and 4 % (sparse) of all: 64 patients cannot bound them below 10 %.
    allowed = ("metadata", "placebo") if noise in ("noisy", "sparse") else ()
    assert {name.partition("/")[0] for name in open_} <= set(allowed)


def test_sparse_noise_passes_with_more_patients(quick, effects, images):
    chosen = [c for c in effects if c.family in ("metadata", "placebo")]
    data = simulate(FairReader(noise=NOISES["sparse"]), images(320), chosen, quick, 0)
    assert {a.verdict for a in audit_all(data, chosen, quick).values()} == {"PASS"}


@pytest.mark.parametrize("name", ["prestige", "opposite", "refuses", "batch_dependent", "unsteady"])
def test_half_the_limit_is_no_hit_and_no_fail(name, quick, effects, images):
    records = images(64)
    defect = at_times(0.5, quick, records)[name]
    assert not any(defect.hits(effect, quick) for effect in effects)
    data = simulate(Planted(FairReader(), defect), records, effects, quick, 0)
    assert "FAIL" not in {a.verdict for a in audit_all(data, effects, quick).values()}


def test_planting_again_adds_a_second_defect(quick, effects, images):
    records = images(64)
    both = Planted(Planted(FairReader(), Bias(("institution.reputation.high",), 20.0)), Insensitive(("jpeg",)))
    audits = audit_all(simulate(both, records, effects, quick, 0), effects, quick)
    failed = {a.id for a in audits.values() if a.verdict == "FAIL"}
    assert "metadata/institution.reputation-high-vs-neutral" in failed
    assert "discrimination/jpeg" in failed
    assert audits["sensitivity/gaussian_noise"].verdict == "PASS"


REPUTATION = Perturbation("institution.reputation.high")
AGAIN, ALONE = Perturbation("again", 1), Perturbation("alone")
JPEG = [Perturbation("jpeg", level) for level in range(6)]
"""By level; the first is none."""


@pytest.mark.parametrize(
    ("defect", "condition"),
    [
        (Refuses((REPUTATION.name,), 0.2), (REPUTATION,)),
        (HidesChanges((REPUTATION.name,), 0.2, 50.0), (REPUTATION,)),
        (BatchDependent(0.2, 10.0), (ALONE,)),
        (OutOfRange(0.2), ()),
        (Unsteady(0.2, 10.0), ()),
    ],
)
def test_shares_are_what_they_say(defect, condition, ask):
    n = 3000
    base = FairReader(noise=NOISES["none"])
    question = ask(n, *condition)
    plain, planted = base.answer(question), Planted(base, defect).answer(question)
    changed = int((planted.scores != plain.scores).sum()) + len(planted.texts)
    low, high = stats.binom.interval(1 - 1e-4, n, 0.2)
    assert low <= changed <= high


def test_hidden_patients_are_the_same_in_every_question(ask):
    base, two = FairReader(), ("institution.reputation.high", "institution.teaching.high")
    planted = Planted(base, HidesChanges(two, 0.3, 50.0))
    first, second = (set(planted.answer(ask(100, Perturbation(name))).texts) for name in two)
    assert first == second
    assert 0 < len(first) < 100


def test_unsteady_gives_other_answers_to_each_asking_and_fair_readers_do_not(ask):
    base = FairReader()
    planted = Planted(base, Unsteady.between(0.2))
    assert np.array_equal(base.answer(ask(500)).scores, base.answer(ask(500, AGAIN)).scores)
    differ = np.mean(planted.answer(ask(5000)).scores != planted.answer(ask(5000, AGAIN)).scores)
    assert differ == pytest.approx(0.2, abs=0.025)


def test_blind_models_are_shown_the_clean_image(protocol, ask):
    catalogue = protocol.catalogue
    noise = Perturbation("gaussian_noise", 3)
    defect = Insensitive(("gaussian_noise",))
    assert defect.shown((noise,), catalogue) == ()
    assert defect.shown((noise, REPUTATION), catalogue) == (REPUTATION,)
    assert defect.shown((JPEG[3],), catalogue) == (JPEG[3],)
    assert defect.shown((noise, JPEG[3], AGAIN), catalogue) == (JPEG[3], AGAIN)
    assert Insensitive().shown((noise, JPEG[3], REPUTATION, AGAIN), catalogue) == (REPUTATION, AGAIN)
    base = FairReader()
    at = {s: Planted(base, Inverted((), rise=4.0)).answer(ask(50, JPEG[s])).scores for s in (1, 5)}
    assert np.allclose(at[5] - at[1], 16.0)
    drop = Planted(base, Threshold((), severity=4, fall=30.0))
    falls = [np.mean(drop.answer(ask(50, JPEG[s])).scores - base.answer(ask(50)).scores) for s in (3, 4)]
    assert falls == [0.0, -30.0]


def test_scores_stay_on_the_scale_unless_that_is_the_defect(ask):
    question = ask(50, REPUTATION)
    for points in (-200.0, 200.0):
        scores = Planted(FairReader(), Bias((REPUTATION.name,), points)).answer(question).scores
        assert set(scores) == {0.0 if points < 0 else 100.0}
    assert (Planted(FairReader(), OutOfRange(1.0)).answer(question).scores == 150.0).all()
    squeezed = Planted(FairReader(), Squeezed(95.0, 100.0)).answer(question).scores
    assert ((squeezed >= 95) & (squeezed <= 100)).all()


def test_readers_of_labels_look_at_words_only(protocol, ask):
    defect = ReadsLabel(("excellent",), ("questionable",), 15.0)
    high, low = (Perturbation(f"institution.reputation.{side}") for side in ("high", "low"))
    scores = [defect.score(condition, protocol.catalogue) for condition in ((high,), (low,), (), (high, low))]
    assert scores == [65.0, 35.0, 50.0, 50.0]
    said = Planted(FairReader(), defect).answer(ask(5, JPEG[5], low))
    assert set(said.scores) == {35.0}


def test_worst_images_are_declined_whatever_made_them_so(ask):
    planted = Planted(FairReader(), RefusesWorst(40.0))
    assert not planted.answer(ask(100)).texts
    assert len(planted.answer(ask(100, JPEG[5])).texts) > 80


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
        (lambda: TemplateFragile(("quality.raeder",), 5.0), "reader"),
        (lambda: TemplateFragile(("qualty.reader",), 5.0), "quality"),
        (lambda: Refuses(("jpeg",), 0.2), "'jpeg', which is of stage 'display'"),
        (lambda: Refuses(("institution.reputation.high",), 20), "20 % as 0.2"),
        (lambda: OutOfRange(-0.1), "0 to 1"),
    ],
)
def test_a_defect_that_would_never_show_is_refused(make, words, quick, effects, images, function_model):
    uses = (
        lambda: plant(function_model(), make(), images(24), quick),
        lambda: simulate(Planted(FairReader(), make()), images(24), effects[:1], quick, 0),
        lambda: make().hits(effects[0], quick),
        lambda: make().touches(effects[0], quick),
    )
    for use in uses:
        with pytest.raises(AuditkitError, match=re.escape(words)):
            use()


def test_descriptions_say_the_size(quick, images):
    for name, defect in at_times(TWICE, quick, images(64)).items():
        assert defect.description, name
        assert "\n" not in defect.description
    assert "+24 points in ct" in at_times(TWICE, quick, images(64))["one_modality"].description
    assert Constant(70.0).description == "answers 70 to everything"


def test_a_protocol_without_the_family_is_told_so(quick, images):
    without = quick.model_copy(update={"families": {"answers": quick.families["answers"]}})
    with pytest.raises(AuditkitError, match="no limit for the family 'metadata'"):
        at_times(TWICE, without, images(64))
