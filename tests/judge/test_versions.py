"""Every statistic on two versions: what passes as before, what fails, and what missing scores keep open."""

import math
from dataclasses import replace

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.versions import VersionJudge
from auditkit.measure.columns import MAIN, NOT_ASKED, SCORED, Column, Measurements
from auditkit.protocol.effects import areas, change, differs, falls, mean, rises, share, steps, wordings
from auditkit.protocol.right_answers import recall
from auditkit.vocabulary import Effect, Part, Perturbation, Question, Value
from tests.judge.build import AGAIN, FAMILIES, NEUTRAL, SCORE, answered, by_level, by_part, images, measured, protocol
from tests.measure.axes import TASKS

N = 160
CLEAN = ()
TREATED = (NEUTRAL,)
WORDS = change(NEUTRAL, name="words", family="metadata")
BLUR = falls("motion_blur", name="blur", family="sensitivity")
TOLD = areas("motion_blur", name="blur", family="discrimination")
BRIGHT = rises("brightness", (1,), family="direction")
BRIGHTER = (Perturbation("brightness", 1),)
STEPS = steps("zoom_blur", (1, 2), family="monotone")
FIRST, SECOND = (Perturbation("zoom_blur", 1),), (Perturbation("zoom_blur", 2),)
ASKED = share("refused", name="asked", family="answers")
STRONGEST = Perturbation("motion_blur", 5)
LOST = share("lost").under(STRONGEST).minus(share("lost")).named("lost", "differential")
TWICE = differs(AGAIN, name="again", family="repeatability")
BASELINE = {"points": 5.0, "points_per_step": 1.0, "auroc": 0.1, "share": 0.1}


def noise(seed: int, sd: float = 3.0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(0, sd, N)
    return values - values.mean()


def rules(**baseline):
    return protocol(baseline=BASELINE | baseline)


def held(effect, new: Measurements, old: Measurements, given=None, planned=None):
    judge = VersionJudge(given or rules(), new, old, planned or [effect])
    return judge.against("baseline", effect, "Question?", "run r of m")


def at(data: Measurements, condition=CLEAN):
    """The answers to the score question under a condition."""
    return data.column(SCORE.under(*condition))


def version(columns, seed: int = 0, records=None) -> Measurements:
    """Scores by condition: a number is a mean change from a clean score of 60, an array is taken as it is."""
    clean = 60 + noise(seed)
    found = {CLEAN: clean}
    for place, (condition, value) in enumerate(columns.items()):
        found[condition] = value if isinstance(value, np.ndarray) else clean + value + noise(seed + 31 * (place + 1))
    return measured(records or images(N), {c: answered(np.clip(v, 0, 100)) for c, v in found.items()})


def falling(slope: float, seed: int = 0) -> Measurements:
    return version({(Perturbation("motion_blur", s),): slope * s for s in range(1, 6)}, seed)


@pytest.mark.parametrize(
    ("effect", "before", "now", "verdict"),
    [
        (WORDS, {TREATED: 0.0}, {TREATED: 1.0}, "PASS"),
        (WORDS, {TREATED: 0.0}, {TREATED: -12.0}, "FAIL"),
        (WORDS, {TREATED: -12.0}, {TREATED: 0.0}, "PASS"),
        (WORDS, {TREATED: 0.0}, {TREATED: 5.0}, "INCONCLUSIVE"),
        (BRIGHT, {BRIGHTER: -12.0}, {BRIGHTER: -2.0}, "PASS"),
        (BRIGHT, {BRIGHTER: -2.0}, {BRIGHTER: 12.0}, "FAIL"),
        (STEPS, {FIRST: -5.0, SECOND: -9.0},
         {FIRST: -15.0, SECOND: -3.0}, "FAIL"),
        (STEPS, {FIRST: -5.0, SECOND: -9.0},
         {FIRST: -7.0, SECOND: -9.0}, "PASS"),
    ],
)  # fmt: skip
def test_differences_of_scores(effect, before, now, verdict):
    audit = held(effect, version(now, 1), version(before, 2))
    assert audit.verdict == verdict, audit.sentence
    assert (audit.statistic, audit.family) == ("worsening", "baseline")
    assert (audit.verb, audit.limit) == ("at_most", {"at_most": 5.0})
    assert audit.id == f"baseline/{effect.family}/{effect.name}"
    assert (audit.change, audit.unit) == (True, "points")
    assert audit.sentence.count("before") >= 1


@pytest.mark.parametrize(("now", "verdict"), [(-6.2, "PASS"), (-3.0, "FAIL"), (-9.0, "PASS")])
def test_the_fall_of_the_score(now, verdict):
    audit = held(BLUR, falling(now, 1), falling(-6.0, 2))
    assert audit.verdict == verdict, audit.sentence
    # A fall counts downwards, and less of it is worse.
    assert audit.estimate.value == pytest.approx(now + 6.0, abs=0.6)
    assert audit.estimate.unit == "points per severity step"
    assert audit.series == []


@pytest.mark.parametrize(("now", "verdict"), [(-3.0, "PASS"), (-0.2, "FAIL")])
def test_telling_clean_from_corrupted(now, verdict):
    audit = held(TOLD, falling(now, 1), falling(-3.0, 2))
    assert audit.verdict == verdict, audit.sentence
    assert {c.part for c in audit.parts} == {"severity 3", "severity 4", "severity 5"}
    assert audit.estimate.unit == "AUROC"
    assert audit.parts[0].margin_low == -0.1


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
        measured(images(N), {CLEAN: answered(gone(side[0])), (STRONGEST,): answered(gone(side[1]))})
        for side in (now, before)
    )
    audit = held(LOST, new, old)
    assert audit.verdict == verdict, audit.sentence
    assert audit.estimate.unit == "share"


def test_answers_that_change_when_asked_again():
    steady = version({(AGAIN,): 60 + noise(1)}, 1)
    fickle = version({(AGAIN,): 60 + noise(1) + 9 * (np.arange(N) % 3 == 0)}, 1)
    assert held(TWICE, fickle, steady).verdict == "FAIL"
    assert held(TWICE, steady, fickle).verdict == "PASS"


def test_wordings_are_compared_pair_by_pair():
    pair = wordings("quality", ("direct", "reader"), family="templates")

    def asked(shift, seed):
        first = 60 + noise(seed)
        second = first + shift + noise(seed + 9)
        columns = {SCORE: answered(first), Question("quality", "reader"): answered(second)}
        return Measurements(images(N), columns)

    given = protocol(baseline=BASELINE, families={"templates": {"within": 5.0, "size": 1}})
    assert held(pair, asked(-12, 1), asked(0, 2), given).verdict == "FAIL"
    assert held(pair, asked(6, 1), asked(-12, 2), given).verdict == "PASS"


def test_answers_that_are_all_the_same_pass_with_as_many_patients_as_the_margin_takes():
    """Up to 1 - alpha^(1/G) of all patients may be unlike the G at hand, and differ by the whole range of 100 points.

    Of alpha, 0.8 is for the new version by itself: 100 (1 - 0.04^(1/G)) is 5.06 with G = 62 and 4.98 with 63.
    """

    def same(n: int):
        data = measured(images(n), {c: answered(np.full(n, 70.0)) for c in (CLEAN, TREATED)})
        return held(WORDS, data, data)

    few, enough = same(62), same(63)
    assert (few.verdict, enough.verdict) == ("INCONCLUSIVE", "PASS")
    assert few.parts[0].estimate.high == pytest.approx(100 * (1 - 0.04 ** (1 / 62)))
    assert "Now and before 0.0, every answer the same: worse by 0.0" in few.sentence
    assert "undecided; about 1 patient more would likely settle it" in few.sentence


@pytest.mark.parametrize(
    ("effect", "margin", "part", "reach"),
    [
        # A share of the new version by itself, at 0.8 of alpha.
        (ASKED, {"share": 0.05}, 0.8, 1.0),
        (LOST, {"share": 0.10}, 0.8, 1.0),
        # A slope through severities 0 to 5 is at most 100 (0.5 + 1.5 + 2.5) / 17.5, and it falls by twice that at most.
        (BLUR, {"points_per_step": 2.0}, 1.0, 200 * 4.5 / 17.5),
        (BLUR, {"points_per_step": 5.0}, 1.0, 200 * 4.5 / 17.5),
    ],
)
def test_fewest_patients_who_pass_with_the_same_answers(effect, margin, part, reach):
    (limit,) = margin.values()
    fewest = math.ceil(math.log(0.05 * part) / math.log(1 - limit / reach))
    conditions = [CLEAN, (STRONGEST,), *((Perturbation("motion_blur", s),) for s in range(1, 6))]

    def verdict(n: int) -> str:
        data = measured(images(n), {c: answered(np.full(n, 70.0)) for c in conditions})
        return held(effect, data, data, rules(**margin)).verdict

    assert [verdict(fewest - 1), verdict(fewest)] == ["INCONCLUSIVE", "PASS"]


def test_one_answer_that_changed_is_not_called_the_same():
    flat = np.full(N, 70.0)
    old = measured(images(N), {c: answered(flat) for c in (CLEAN, TREATED)})
    new = measured(images(N), {CLEAN: answered(flat), TREATED: answered(np.append(flat[:-1], 71.0))})
    assert "every answer the same" not in held(WORDS, new, old).sentence


def test_all_refused_alike_shows_nothing():
    data = measured(images(N), {c: answered(np.full(N, np.nan)) for c in (CLEAN, TREATED)})
    audit = held(WORDS, data, data)
    assert audit.verdict == "INCONCLUSIVE"
    assert "nothing was measured" in audit.sentence


def test_a_pass_must_survive_scores_that_only_one_version_gave():
    """The new version refuses just where it would have been seen to fall."""
    before = {TREATED: 0.0}
    new = version(before, 1)
    column = at(new, TREATED)
    scores = column.scores.copy()
    assert held(WORDS, new, version(before, 2)).verdict == "PASS"
    scores[:12] = np.nan
    refusing = measured(new.records, {CLEAN: at(new), TREATED: answered(scores)})
    audit = held(WORDS, refusing, version(before, 2))
    assert audit.verdict == "INCONCLUSIVE"
    assert "missing scores" in audit.sentence
    cell = by_level(audit)["ct"]
    assert cell.worst_case.high > 5 > cell.estimate.high
    assert (cell.outcomes.refused, cell.control_outcomes.refused) == (12, 0)


@pytest.mark.parametrize(("missing", "verdict"), [(0, "FAIL"), (3, "FAIL"), (60, "INCONCLUSIVE")])
@pytest.mark.parametrize("who", ["new", "old"])
def test_a_fail_survives_scores_that_only_one_version_gave(missing, verdict, who):
    """Scores fall by 12 points more than before; the answers that are missing may have been as the others' were."""
    sides = {"new": version({TREATED: -12.0}, 1), "old": version({TREATED: 0.0}, 2)}
    data = sides[who]
    scores = at(data, TREATED).scores.copy()
    scores[:missing] = np.nan
    sides[who] = measured(data.records, {CLEAN: at(data), TREATED: answered(scores)})
    audit = held(WORDS, sides["new"], sides["old"])
    assert audit.verdict == verdict, audit.sentence
    told = "with the missing answers at the most harmless they can be, it is not shown to be worse"
    assert (told in audit.sentence) == (verdict != "FAIL")


def test_images_that_neither_version_scores_say_nothing():
    columns = [version({TREATED: 0.0}, seed) for seed in (1, 2)]
    holed = []
    for data in columns:
        pair = {}
        for condition in (CLEAN, TREATED):
            scores = at(data, condition).scores.copy()
            scores[:12] = np.nan
            pair[condition] = answered(scores)
        holed.append(measured(data.records, pair))
    audit = held(WORDS, *holed)
    assert audit.verdict == "PASS"
    assert audit.n_clusters == N - 12
    assert audit.outcomes.refused == 24


def test_missing_scores_in_areas_count_as_wrong_now_and_right_before():
    new, old = falling(-20, 1), falling(-20, 2)
    columns = {CLEAN: at(new)}
    for severity in range(1, 6):
        condition = (Perturbation("motion_blur", severity),)
        scores = at(new, condition).scores.copy()
        scores[: 30 * (severity == 4)] = np.nan
        columns[condition] = answered(scores)
    audit = held(TOLD, measured(new.records, columns), old)
    assert {part: c.verdict for part, c in by_part(audit).items()} == {
        "severity 3": "PASS",
        "severity 4": "INCONCLUSIVE",
        "severity 5": "PASS",
    }


@pytest.mark.parametrize(("moved", "verdict"), [(72, "INCONCLUSIVE"), (160, "FAIL")])
def test_an_area_fails_only_where_missing_scores_cannot_undo_it(moved, verdict):
    """Of 160 patients some no longer fall; those whose new score is missing may have fallen as far as there is room."""
    old = falling(-20, 2)
    new = falling(-20, 1)
    condition = (Perturbation("motion_blur", 5),)
    scores = np.where(np.arange(N) < moved, at(new).scores, at(new, condition).scores)
    # Of every ten patients four are missing, as many of those who fell as of the others.
    scores[np.arange(N) % 10 < 4] = np.nan
    kept = {(Perturbation("motion_blur", s),): at(new, (Perturbation("motion_blur", s),)) for s in range(1, 5)}
    holed = measured(new.records, {CLEAN: at(new), **kept, condition: answered(scores)})
    cell = by_part(held(TOLD, holed, old))["severity 5"]
    assert cell.verdict == verdict
    assert ("harmless" in cell.sentence) == (verdict != "FAIL")


def test_errors_of_the_earlier_run_are_its_own():
    old = version({TREATED: 0.0}, 2)
    lost = answered(np.where(np.arange(N) < 2, np.nan, at(old, TREATED).scores), "error")
    broken = measured(old.records, {CLEAN: at(old), TREATED: lost})
    audit = held(WORDS, version({TREATED: 0.0}, 1), broken)
    assert audit.verdict == "ERROR"
    assert "in the earlier run" in audit.sentence


def test_modalities_may_have_a_margin_of_their_own():
    records = images(N // 2, ("ct", "mr"))
    shift = np.where(np.arange(N) < N // 2, 9.0, 0.0)
    new = version({TREATED: 60 + noise(1) + shift}, 1, records)
    old = version({TREATED: 0.0}, 1, records)
    one, two = rules(points=7.0), rules(points=7.0, modality_points=14.0)
    strict = {level: c.verdict for level, c in by_level(held(WORDS, new, old, one)).items()}
    wide = {level: c.verdict for level, c in by_level(held(WORDS, new, old, two)).items()}
    assert strict == {"all": "PASS", "ct": "INCONCLUSIVE", "mr": "PASS"}
    assert wide == {"all": "PASS", "ct": "PASS", "mr": "PASS"}
    assert held(WORDS, new, old, two).limit == {"at_most": 7.0, "in_each": 14.0}


def test_a_fail_is_corrected_for_the_family_as_declared():
    """The same data: named alone it is a FAIL of a family of one, and nothing in a family of a thousand."""
    new, old = version({TREATED: 48 + noise(8, 32)}, 1), version({TREATED: 0.0}, 2)

    def verdict(size):
        mine = {**FAMILIES, "mine": {"within": 5.0, "size": size}}
        return held(WORDS.named("x", "mine"), new, old, protocol(baseline=BASELINE, families=mine)).verdict

    assert (verdict(1), verdict(1000)) == ("FAIL", "INCONCLUSIVE")


def test_an_undecided_comparison_says_how_many_patients_it_takes():
    audit = held(WORDS, version({TREATED: 4.6}, 1), version({TREATED: 0.0}, 2))
    assert audit.verdict == "INCONCLUSIVE"
    assert "more would likely settle it" in audit.sentence
    assert all(c.more_clusters for c in audit.parts if c.verdict == "INCONCLUSIVE")


def test_a_family_that_is_not_declared():
    stray = change(NEUTRAL, family="mine")
    data = version({TREATED: 0.0})
    with pytest.raises(AuditkitError, match=r"families\.mine"):
        held(stray, data, data)


def test_order_and_company_change_nothing():
    new, old = falling(-5.5, 1), falling(-6.0, 2)
    other = falls("jpeg", family="sensitivity")
    alone = held(BLUR, new, old)
    assert held(BLUR, new, old, planned=[other, BLUR]).estimate == alone.estimate
    order = np.random.default_rng(0).permutation(N)

    def shuffled(data):
        columns = {q: answered(data.column(q).scores[order]) for q in data.asked()}
        return Measurements([data.records[i] for i in order], columns)

    again = held(BLUR, shuffled(new), shuffled(old))
    assert again.estimate == alone.estimate
    assert again.verdict == alone.verdict


# ------------------------------------------------------------------------------------------------- effects of all kinds


def with_mine(**family):
    return protocol(baseline=BASELINE, families={**FAMILIES, "mine": {"size": 2, **family}})


def test_every_effect_of_a_family_has_the_margin_of_its_own_unit():
    """Shares were once held to the margin of points when a change of scores came first: +62 % was below 500 %."""
    rng = np.random.default_rng(2)
    scores = 60 + rng.normal(0, 1, N)
    refusing = np.where(np.arange(N) < 100, np.nan, scores)
    old = measured(images(N), {CLEAN: answered(scores), TREATED: answered(scores)})
    new = measured(images(N), {CLEAN: answered(scores), TREATED: answered(refusing)})
    lost = share("lost").under(NEUTRAL).minus(share("lost")).named("lost", "mine")
    points = change(NEUTRAL, name="points", family="mine")
    for planned in ([points, lost], [lost, points]):
        audit = held(lost, new, old, with_mine(at_most=0.5), planned)
        assert {c.margin_high for c in audit.parts} == {0.1}
        assert audit.verdict == "FAIL"
    fall = falls("motion_blur", family="mine")
    for planned in ([points, fall], [fall, points]):
        audit = held(fall, falling(-5.0, 1), falling(-5.0, 2), with_mine(at_least=2.0), planned)
        assert {c.margin_high for c in audit.parts} == {1.0}


def test_what_must_be_frequent_is_named_by_its_own_share():
    """All of 160 were refused before, 145 are now: worse by 9.4 points, and not "now 9.4 %, before 0 %"."""
    some = np.where(np.arange(N) < 15, 70.0, np.nan)
    new, old = (measured(images(N), {CLEAN: answered(s)}) for s in (some, np.full(N, np.nan)))
    audit = held(share("refused", family="mine"), new, old, with_mine(at_least=0.9))
    assert audit.estimate.value == pytest.approx(15 / 160, abs=1e-6)
    assert "Now 90.6 %, before 100.0 %: worse by +9.4 [" in audit.sentence
    back = held(share("refused", family="mine"), old, new, with_mine(at_least=0.9))
    assert back.estimate.value == pytest.approx(-15 / 160, abs=1e-6)
    assert back.verdict == "PASS"


@pytest.mark.parametrize(("now", "verdict"), [(0.0, "PASS"), (20.0, "FAIL"), (-20.0, "FAIL")])
def test_an_interaction_against_an_earlier_run(now, verdict):
    """Within a limit: further from zero is worse, to either side."""
    x, xp = (STRONGEST,), (STRONGEST, NEUTRAL)
    before = version({x: -30.0, TREATED: 3.0, xp: -27.0}, 1)
    after = version({x: -30.0, TREATED: 3.0, xp: -27.0 + now}, 2)
    interaction = change(STRONGEST, NEUTRAL).minus(change(STRONGEST)).minus(change(NEUTRAL)).named("both", "mine")
    audit = held(interaction, after, before, with_mine(within=5.0))
    assert audit.verdict == verdict, audit.sentence


def test_an_area_of_a_named_value_is_that_of_the_value():
    """Clarity told clean from corrupted before and does not now; the main value does so still."""
    question = Question("axes", "direct")
    values = tuple(Value(q, "clarity") for q in (question.under(STRONGEST), question))
    effect = Effect("x", "mine", (Part("", ((1.0, values[0]), (-1.0, values[1]))),), statistic="area")

    def run(clean, treated, seed):
        rng = np.random.default_rng(seed)
        columns = {}
        for condition, main, clarity in ((CLEAN, 1.5, clean), ((STRONGEST,), 0.5, treated)):
            columns[question.under(*condition)] = column = answered(main + rng.normal(0, 0.1, N))
            column.values["clarity"] = clarity + rng.normal(0, 0.1, N)
        return Measurements(images(N), columns)

    rules = protocol(tasks=TASKS, baseline=BASELINE, families={"mine": {"at_least": 0.7, "size": 1}})
    audit = held(effect, run(3.0, 3.0, 1), run(4.0, 2.0, 2), rules)
    assert audit.verdict == "FAIL", audit.sentence
    assert audit.estimate.value == pytest.approx(-0.5, abs=0.1)


@pytest.mark.parametrize(("now", "before"), [(75, 0), (0, 75)])
def test_a_truth_that_is_missing_is_neither_right_nor_wrong(now, before):
    """75 of 160 answers refused by one version: they keep a PASS away, but are no FAIL."""
    question = Question("truth", "direct")
    new, old = (
        Measurements(images(N), {question: answered(np.where(np.arange(N) < k, np.nan, 1.0))}) for k in (now, before)
    )
    rules = protocol(tasks=TASKS, baseline=BASELINE, families={"mine": {"at_least": 0.5, "size": 1}})
    effect = mean("truth", name="x", family="mine")
    verdict = held(effect, new, old, rules).verdict
    assert verdict == ("INCONCLUSIVE" if now else "PASS")


def test_refusals_of_the_earlier_run_do_not_hide_new_errors():
    """The old version refused 75 images that the new one has wrong: it may have had them right."""
    question = Question("truth", "direct")
    first = np.arange(N) < 75
    old = Measurements(images(N), {question: answered(np.where(first, np.nan, 1.0))})
    new = Measurements(images(N), {question: answered(np.where(first, 0.0, 1.0))})
    rules = protocol(tasks=TASKS, baseline=BASELINE, families={"mine": {"at_least": 0.3, "size": 1}})
    assert held(mean("truth", name="x", family="mine"), new, old, rules).verdict != "PASS"


@pytest.mark.parametrize("asked_before", [True, False])
def test_a_modality_that_the_earlier_run_was_not_asked_about_is_not_passed_over(asked_before):
    """Identical where both were asked; where only the new run was, nothing is shown."""
    records = images(N, ("ct", "xray"))
    scores = np.tile(60 + noise(1), 2)
    new = measured(records, {condition: answered(scores) for condition in (CLEAN, TREATED)})
    old = measured(records, {condition: answered(scores) for condition in (CLEAN, TREATED)})
    if not asked_before:
        for column in (at(old), at(old, TREATED)):
            column.outcomes[N:] = NOT_ASKED
            column.scores[N:] = np.nan
    audit = held(WORDS, new, old)
    assert by_level(audit)["ct"].verdict == "PASS"
    assert by_level(audit)["xray"].verdict == ("PASS" if asked_before else "INCONCLUSIVE")
    assert audit.verdict == by_level(audit)["xray"].verdict


def test_levels_that_count_equally_do_so_in_both_versions():
    """A quarter of the patients loses 20 points: 5 over all of them, and 10 where both sites count alike."""
    records = images(N, column=lambda i: {"site": "small" if i < N // 4 else "large"})
    old = measured(records, {CLEAN: answered(np.full(N, 60.0))})
    new = measured(records, {CLEAN: answered(np.where(np.arange(N) < N // 4, 40.0, 60.0))})
    plain = mean(name="plain", family="mine")
    equal = replace(plain, name="equal", parts=(replace(plain.parts[0], balanced="site"),))
    worse = {one.name: held(one, new, old, with_mine(at_least=50.0)) for one in (plain, equal)}
    assert worse["plain"].estimate.value == pytest.approx(5, abs=1e-6)
    assert worse["equal"].estimate.value == pytest.approx(10, abs=1e-6)
    assert "Now 50.0, before 60.0" in worse["equal"].sentence.replace("+", "")


def test_what_is_counted_stands_before_both_versions():
    """Half are right now, all were: told once, and the difference in percentage points."""
    task = {"seen": {"scorer": "yes_no", "truth": "label", "wordings": {"direct": "Is it there?"}}}
    rules = with_mine(at_least=0.5).model_copy(update={"tasks": task})
    records = images(N, column=lambda i: {"truth.seen": "yes" if i % 2 else "no"})
    effect = recall("seen", "yes", family="mine")
    [[(_, value)]] = [part.terms for part in rules.resolved(effect).parts]

    def said(right):
        column = Column({MAIN: np.zeros(N), "correct": right}, np.full(N, SCORED, np.int8))
        return measured(records, {CLEAN: column}, value.question)

    audit = held(effect, said((np.arange(N) % 4 == 1).astype(float)), said(np.ones(N)), rules)
    assert "Recall of yes now 50.0 %, before 100.0 %: worse by +50.0 [" in audit.sentence
    assert "percentage points over 80 patients" in audit.sentence
