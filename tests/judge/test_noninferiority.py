"""Every gate on two versions: what passes as before, what fails, and what missing scores keep open."""

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.version_judge import VersionJudge
from auditkit.measure.columns import Measurements
from auditkit.vocabulary import Condition, Contrast, Group, Series, Wordings
from tests.judge.build import TEMPLATE, answered, images, measured, protocol

N = 64
CLEAN = Condition()
WORDS = Contrast("words", "metadata", Condition(context="institution.neutral"))
BLUR = Series("blur", "sensitivity", "blur")
TOLD = Series("blur", "discrimination", "blur")
BRIGHT = Series("bright", "direction", "bright", severities=(1,))
STEPS = Series("steps", "monotone", "steps", severities=(1, 2))
ASKED = Group("score-refused", "answers")
LOST = Contrast("lost", "differential", Condition("blur", 5))
AGAIN = Contrast("again", "repeatability", Condition(repeat=1))
BASELINE = {"points": 5.0, "points_per_step": 1.0, "auroc": 0.1, "share": 0.1}


def noise(seed: int, sd: float = 3.0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, sd, N)
    return values - values.mean()


def rules(**baseline):
    return protocol(baseline=BASELINE | baseline)


def held(comparison, new: Measurements, old: Measurements, given=None, planned=None):
    judge = VersionJudge(given or rules(), new, old, planned or [comparison])
    return judge.against("baseline", comparison, "Question?", "run r of m")


def version(columns, seed: int = 0, records=None) -> Measurements:
    """Scores by condition: a number is a mean change from a clean score of 60, an array is taken as it is."""
    clean = 60 + noise(seed)
    found = {CLEAN: clean}
    for place, (condition, value) in enumerate(columns.items()):
        found[condition] = value if isinstance(value, np.ndarray) else clean + value + noise(seed + 31 * (place + 1))
    return measured(records or images(N), {c: answered(np.clip(v, 0, 100)) for c, v in found.items()})


def falling(slope: float, seed: int = 0) -> Measurements:
    return version({Condition("blur", s): slope * s for s in range(1, 6)}, seed)


@pytest.mark.parametrize(
    ("comparison", "before", "now", "verdict"),
    [
        (WORDS, {WORDS.treated: 0.0}, {WORDS.treated: 1.0}, "PASS"),
        (WORDS, {WORDS.treated: 0.0}, {WORDS.treated: -12.0}, "FAIL"),
        (WORDS, {WORDS.treated: -12.0}, {WORDS.treated: 0.0}, "PASS"),
        (WORDS, {WORDS.treated: 0.0}, {WORDS.treated: 5.0}, "INCONCLUSIVE"),
        (BRIGHT, {BRIGHT.treated[0]: -12.0}, {BRIGHT.treated[0]: -2.0}, "PASS"),
        (BRIGHT, {BRIGHT.treated[0]: -2.0}, {BRIGHT.treated[0]: 12.0}, "FAIL"),
        (STEPS, {Condition("steps", 1): -5.0, Condition("steps", 2): -9.0},
         {Condition("steps", 1): -15.0, Condition("steps", 2): -3.0}, "FAIL"),
        (STEPS, {Condition("steps", 1): -5.0, Condition("steps", 2): -9.0},
         {Condition("steps", 1): -7.0, Condition("steps", 2): -9.0}, "PASS"),
    ],
)  # fmt: skip
def test_differences_of_scores(comparison, before, now, verdict):
    audit = held(comparison, version(now, 1), version(before, 2))
    assert audit.verdict == verdict, audit.sentence
    assert (audit.gate, audit.family, audit.margin) == ("non_inferiority", "baseline", 5.0)
    assert audit.id == f"baseline/{comparison.family}/{comparison.name}"
    assert audit.sentence.count("before") >= 1


@pytest.mark.parametrize(("now", "verdict"), [(-6.2, "PASS"), (-3.0, "FAIL"), (-9.0, "PASS")])
def test_the_fall_of_the_score(now, verdict):
    audit = held(BLUR, falling(now, 1), falling(-6.0, 2))
    assert audit.verdict == verdict, audit.sentence
    assert audit.estimate.value == pytest.approx(now + 6.0, abs=0.6)
    assert audit.estimate.unit == "points per severity step"
    assert audit.series == []


@pytest.mark.parametrize(("now", "verdict"), [(-3.0, "PASS"), (-0.2, "FAIL")])
def test_telling_clean_from_corrupted(now, verdict):
    audit = held(TOLD, falling(now, 1), falling(-3.0, 2))
    assert audit.verdict == verdict, audit.sentence
    assert {c.condition for c in audit.by_modality} == {"severity 3", "severity 4", "severity 5"}
    assert audit.estimate.unit == "AUROC"
    assert audit.by_modality[0].margin_low == -0.1


def gone(share: float, n: int = N) -> np.ndarray:
    scores = np.full(n, 70.0)
    scores[: round(share * n)] = np.nan
    return scores


@pytest.mark.parametrize(("before", "now", "verdict"), [(0.1, 0.1, "PASS"), (0.0, 0.4, "FAIL"), (0.4, 0.0, "PASS")])
def test_shares_of_refusals(before, now, verdict):
    new, old = (measured(images(N), {CLEAN: answered(gone(s))}) for s in (now, before))
    audit = held(ASKED, new, old)
    assert audit.verdict == verdict, audit.sentence
    assert audit.estimate.value == pytest.approx(now - before, abs=0.01)


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ((0.0, 0.0), (0.0, 0.4), "FAIL"),
        ((0.0, 0.4), (0.0, 0.0), "PASS"),
        ((0.4, 0.0), (0.0, 0.0), "PASS"),  # it used to answer the clean ones less: neither is harmful now
        ((0.0, 0.0), (0.4, 0.4), "PASS"),  # refuses more, but of both kinds alike
    ],
)
def test_refusals_that_depend_on_the_condition(before, now, verdict):
    new, old = (
        measured(images(N), {CLEAN: answered(gone(side[0])), LOST.treated: answered(gone(side[1]))})
        for side in (now, before)
    )
    audit = held(LOST, new, old)
    assert audit.verdict == verdict, audit.sentence
    assert audit.estimate.unit == "share"


def test_answers_that_change_when_asked_again():
    steady = version({AGAIN.treated: 60 + noise(1)}, 1)
    fickle = version({AGAIN.treated: 60 + noise(1) + 9 * (np.arange(N) % 3 == 0)}, 1)
    assert held(AGAIN, fickle, steady).verdict == "FAIL"
    assert held(AGAIN, steady, fickle).verdict == "PASS"


def test_wordings_are_compared_pair_by_pair():
    names = (TEMPLATE, "score_100.reader")
    wordings = Wordings("w", "templates", names)

    def asked(shift, seed):
        first = 60 + noise(seed)
        columns = {(CLEAN, names[0]): answered(first), (CLEAN, names[1]): answered(first + shift + noise(seed + 9))}
        return Measurements(images(N), columns, {})

    family = {"gate": "template_equivalence", "margin": 5.0, "size": 1}
    given = protocol(baseline=BASELINE, families={"templates": family})
    assert held(wordings, asked(-12, 1), asked(0, 2), given).verdict == "FAIL"
    assert held(wordings, asked(12, 1), asked(-12, 2), given).verdict == "PASS"


def test_identical_answers_pass_where_their_interval_would_not():
    """24 patients without any change bound nothing at 5 points; but what has not changed has not become worse."""
    records = images(24)
    flat = {c: answered(np.full(24, 70.0)) for c in (CLEAN, WORDS.treated)}
    data = measured(records, flat)
    audit = held(WORDS, data, data)
    assert audit.verdict == "PASS"
    assert {c.rule for c in audit.by_modality} == {"identical"}
    assert audit.by_modality[0].estimate.high > 5
    assert "Every answer is the same as before, over 24 patients: identical" in audit.sentence
    other = measured(records, flat | {WORDS.treated: answered(np.append(np.full(23, 70.0), 71.0))})
    assert held(WORDS, other, data).verdict == "INCONCLUSIVE"
    few = measured(images(23), {c: answered(np.full(23, 70.0)) for c in (CLEAN, WORDS.treated)})
    assert held(WORDS, few, few).verdict == "INCONCLUSIVE"


def test_all_refused_alike_shows_nothing():
    data = measured(images(N), {c: answered(np.full(N, np.nan)) for c in (CLEAN, WORDS.treated)})
    audit = held(WORDS, data, data)
    assert audit.verdict == "INCONCLUSIVE"
    assert "nothing was measured" in audit.sentence


def test_a_pass_must_survive_scores_that_only_one_version_gave():
    """The new version refuses just where it would have been seen to fall."""
    before = {WORDS.treated: 0.0}
    new = version(before, 1)
    column = new.column(WORDS.treated, TEMPLATE)
    scores = column.scores.copy()
    assert held(WORDS, new, version(before, 2)).verdict == "PASS"
    scores[:6] = np.nan
    refusing = measured(new.records, {CLEAN: new.column(CLEAN, TEMPLATE), WORDS.treated: answered(scores)})
    audit = held(WORDS, refusing, version(before, 2))
    assert audit.verdict == "INCONCLUSIVE"
    assert "missing scores" in audit.sentence
    cell = next(c for c in audit.by_modality if c.modality == "ct")
    assert cell.worst_case.high > 5 > cell.estimate.high
    assert (cell.outcomes.refused, cell.control_outcomes.refused) == (6, 0)


def test_images_that_neither_version_scores_say_nothing():
    columns = [version({WORDS.treated: 0.0}, seed) for seed in (1, 2)]
    holed = []
    for data in columns:
        pair = {}
        for condition in (CLEAN, WORDS.treated):
            scores = data.column(condition, TEMPLATE).scores.copy()
            scores[:12] = np.nan
            pair[condition] = answered(scores)
        holed.append(measured(data.records, pair))
    audit = held(WORDS, *holed)
    assert audit.verdict == "PASS"
    assert audit.n_clusters == N - 12
    assert audit.outcomes.refused == 24


def test_missing_scores_in_areas_count_as_wrong_now_and_right_before():
    new, old = falling(-20, 1), falling(-20, 2)
    columns = {CLEAN: new.column(CLEAN, TEMPLATE)}
    for severity in range(1, 6):
        column = new.column(Condition("blur", severity), TEMPLATE)
        scores = column.scores.copy()
        scores[: 12 * (severity == 4)] = np.nan
        columns[Condition("blur", severity)] = answered(scores)
    audit = held(TOLD, measured(new.records, columns), old)
    by_condition = {c.condition: c.verdict for c in audit.by_modality if c.modality == "ct"}
    assert by_condition == {"severity 3": "PASS", "severity 4": "INCONCLUSIVE", "severity 5": "PASS"}


def test_errors_of_the_earlier_run_are_its_own():
    old = version({WORDS.treated: 0.0}, 2)
    lost = answered(np.where(np.arange(N) < 2, np.nan, old.column(WORDS.treated, TEMPLATE).scores), "error")
    broken = measured(old.records, {CLEAN: old.column(CLEAN, TEMPLATE), WORDS.treated: lost})
    audit = held(WORDS, version({WORDS.treated: 0.0}, 1), broken)
    assert audit.verdict == "ERROR"
    assert "in the earlier run" in audit.sentence


def test_modalities_may_have_a_margin_of_their_own():
    records = images(N // 2, ("ct", "mr"))
    shift = np.where(np.arange(N) < N // 2, 9.0, 0.0)
    new = version({WORDS.treated: 60 + noise(1) + shift}, 1, records)
    old = version({WORDS.treated: 0.0}, 1, records)
    one, two = rules(points=7.0), rules(points=7.0, modality_points=14.0)
    strict = {c.modality: c.verdict for c in held(WORDS, new, old, one).by_modality}
    wide = {c.modality: c.verdict for c in held(WORDS, new, old, two).by_modality}
    assert strict == {"all": "PASS", "ct": "INCONCLUSIVE", "mr": "PASS"}
    assert wide == {"all": "PASS", "ct": "PASS", "mr": "PASS"}


def test_a_fail_is_corrected_for_the_family_as_declared():
    """The same data: named alone it is a FAIL of a family of one, and nothing in a family of a thousand."""
    new, old = version({WORDS.treated: 7.0}, 1), version({WORDS.treated: 0.0}, 2)

    def verdict(size):
        family = {"gate": "equivalence", "margin": 5.0, "size": size}
        return held(WORDS, new, old, protocol(baseline=BASELINE, families={"metadata": family})).verdict

    assert (verdict(1), verdict(1000)) == ("FAIL", "INCONCLUSIVE")


def test_an_undecided_comparison_says_how_many_patients_it_takes():
    audit = held(WORDS, version({WORDS.treated: 4.6}, 1), version({WORDS.treated: 0.0}, 2))
    assert audit.verdict == "INCONCLUSIVE"
    assert "more would likely settle it" in audit.sentence
    assert all(c.more_clusters for c in audit.by_modality if c.verdict == "INCONCLUSIVE")


def test_a_family_that_is_not_declared():
    stray = Contrast("x", "mine", Condition(context="institution.neutral"))
    data = version({stray.treated: 0.0})
    with pytest.raises(AuditkitError, match=r"families\.mine"):
        held(stray, data, data)


def test_order_and_company_change_nothing():
    new, old = falling(-5.5, 1), falling(-6.0, 2)
    other = Series("again", "sensitivity", "again")
    alone = held(BLUR, new, old)
    assert held(BLUR, new, old, planned=[other, BLUR]).estimate == alone.estimate
    order = np.random.default_rng(0).permutation(N)

    def shuffled(data):
        columns = {c: answered(data.column(*c).scores[order]) for c in data.asked()}
        return Measurements([data.records[i] for i in order], columns, {})

    again = held(BLUR, shuffled(new), shuffled(old))
    assert again.estimate == alone.estimate
    assert again.verdict == alone.verdict
