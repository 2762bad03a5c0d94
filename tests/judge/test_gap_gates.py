"""Gaps between groups as a gate: every pair within the limit, one pair beyond it, and what can be told of neither."""

import numpy as np
import pytest
from scipy import stats

from auditkit.errors import AuditkitError
from auditkit.judge.judge import Judge
from auditkit.judge.looks import Look
from auditkit.judge.procedures import check_limits
from auditkit.measure.columns import MODALITY
from auditkit.protocol.effects import between, mean, share
from auditkit.protocol.right_answers import skill
from auditkit.protocol.shipped import subgroups
from auditkit.stats.multiplicity import holm
from tests.judge.build import FAMILIES, answered, by_level, images, judged, measured, protocol

FIVES = ("a", "b", "c", "d", "e")


def held(statistics=None, **family):
    families = {**FAMILIES, "mine": {"within": 5.0, "size": 1, **family}}
    return protocol(families=families, statistics={"resamples": 1000, **(statistics or {})})


def gap(effect=None, column="site"):
    return between(column, effect or mean(), family="mine")


def sites(n, names=FIVES):
    return images(n, column=lambda i: {"site": names[i % len(names)]})


def noisy(records, of=lambda levels: 0.0, sd=4.0, seed=1):
    """Scores around 50, moved by what the item's levels say."""
    moved = np.array([of(record.attributes) for record in records])
    return 50 + moved + np.random.default_rng(seed).normal(0, sd, len(records))


def audited(records, values, rules=None, effect=None, column="site"):
    effect = effect or gap(column=column)
    audit = judged(effect, measured(records, {(): answered(values)}), rules or held())
    return audit, by_level(audit)["all"]


def test_alike_groups_pass_and_the_pair_closest_to_the_limit_is_told():
    records = sites(500)
    audit, cell = audited(records, noisy(records))
    assert (audit.verdict, cell.required, cell.margin_low, cell.margin_high) == ("PASS", True, -5.0, 5.0)
    assert audit.sentence.startswith("Met between every two levels that are compared.")
    assert "of 10 pairs of levels" in audit.sentence
    assert (audit.n_images, audit.n_clusters, cell.n_clusters) == (500, 500, 500)
    assert [part.required for part in audit.parts] == [True, *[False] * 5]
    assert audit.p_pass == cell.p_pass <= 0.05


def test_a_bias_against_one_scanner_fails_and_is_named():
    records = sites(500)
    data = measured(records, {(): answered(noisy(records, lambda levels: -12.0 * (levels["site"] == "c")))})
    judge = Judge(held(), data, [gap()])
    audit = judge.audit(gap(), "?")
    assert audit.verdict == "FAIL"
    assert audit.sentence.startswith("Not met between two levels. Surest: ")
    assert "c" in by_level(audit)["all"].sentence.split(" ")[:3]
    assert "4 beyond the limit" in audit.sentence
    assert {records[case.item].attributes["site"] for case in judge.worst_cases(gap())} > {"c"}


def test_the_p_value_is_holms_over_all_pairs():
    """Of Welch's tests by scipy against the limit, where the groups are large and normal."""
    records = sites(1500, FIVES[:3])
    values = noisy(records, lambda levels: {"a": 0.0, "b": 5.6, "c": 2.0}[levels["site"]], sd=9.0)
    _, cell = audited(records, values, held({"min_clusters": 24}))
    of = {name: values[[r.attributes["site"] == name for r in records]] for name in "abc"}
    p = [
        min(
            stats.ttest_ind(of[x] + shift, of[y], equal_var=False, alternative=way).pvalue
            for shift, way in ((5.0, "less"), (-5.0, "greater"))
        )
        for x, y in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    assert cell.p_fail == pytest.approx(holm(p, 3).min(), rel=0.05)


def test_two_levels_far_apart_beyond_every_limit_fail_with_unknown_too():
    records = images(300, column=lambda i: {"sex": ("F", "M", "")[i % 3]})
    values = noisy(records, lambda levels: -15.0 * (levels["sex"] == ""))
    audit, cell = audited(records, values, column="sex")
    assert audit.verdict == "FAIL"
    assert "unknown" in cell.sentence


def test_between_fewer_than_two_known_levels_nothing_passes():
    records = images(300, column=lambda i: {"sex": ("F", "")[i % 2]})
    audit, cell = audited(records, noisy(records), column="sex")
    assert (audit.verdict, cell.p_pass) == ("INCONCLUSIVE", 1.0)
    assert "fewer than two levels of sex are known" in audit.sentence
    records = images(300)
    audit, cell = audited(records, noisy(records), column="sex")
    assert (audit.verdict, cell.estimate.value) == ("INCONCLUSIVE", None)
    assert "Fewer than two levels of sex can be compared" in audit.sentence


def test_a_small_level_keeps_the_audit_open_unless_it_is_only_shown():
    records = images(300, column=lambda i: {"site": "c" if i < 9 else "ab"[i % 2]})
    values = noisy(records)
    audit, cell = audited(records, values)
    assert (audit.verdict, cell.p_pass) == ("INCONCLUSIVE", 1.0)
    assert "c has 9 patients, 15 too few" in audit.sentence
    assert 'small_levels = "shown"' in audit.sentence
    audit, cell = audited(records, values, held(small_levels="shown"))
    assert (audit.verdict, cell.n_clusters) == ("PASS", 291)
    assert "not compared, with fewer than 24 patients: c (9)" in audit.sentence
    assert by_level(audit)["c"].n_clusters == 9


def test_a_small_level_can_fail():
    records = images(300, column=lambda i: {"site": "c" if i < 20 else "ab"[i % 2]})
    audit, _ = audited(records, noisy(records, lambda levels: -45.0 * (levels["site"] == "c")))
    assert audit.verdict == "FAIL"


def test_refusals_do_not_make_a_level_small():
    """Of 60 patients of c 50 are refused: the level is asked about, so it cannot be left out as small."""
    records = images(260, column=lambda i: {"site": "c" if i < 60 else "ab"[i % 2]})
    values = noisy(records)
    values[:50] = np.nan
    audit, cell = audited(records, values, held(small_levels="shown"))
    assert (audit.verdict, cell.p_pass) == ("INCONCLUSIVE", 1.0)
    assert "of some levels fewer than 24 patients have a value (c: 10 of 60)" in audit.sentence
    audit, _ = audited(records, values, held(within=0.05), effect=gap(share("refused")))
    assert audit.verdict == "FAIL"


def test_a_pass_survives_missing_answers_at_their_worst():
    records = sites(400, "ab")
    values = noisy(records)
    assert audited(records, values)[0].verdict == "PASS"
    values[:80:2] = np.nan
    audit, cell = audited(records, values)
    assert audit.verdict == "INCONCLUSIVE"
    assert "with the missing answers at the worst they can be" in audit.sentence
    assert cell.worst_case.high - cell.worst_case.low > 2 * (cell.estimate.high - cell.estimate.low)


def test_a_fail_survives_missing_answers_at_their_most_harmless():
    """Of site a the best 15 % are gone: put back at the top of the scale they make up for what is lacking."""
    records = sites(400, "ab")
    values = noisy(records, lambda levels: -8.0 * (levels["site"] == "a"))
    assert audited(records, values)[0].verdict == "FAIL"
    values[:60:2] = np.nan
    audit, _ = audited(records, values)
    assert audit.verdict == "INCONCLUSIVE"
    assert "at the most harmless they can be" in audit.sentence


def test_opposite_gaps_that_cancel_in_either_column_fail_between_the_levels_of_both():
    records = images(480, column=lambda i: {"sex": "FM"[i % 2], "site": "ab"[i // 2 % 2]})
    values = noisy(records, lambda levels: 6.0 * (1 if levels["sex"] + levels["site"] in ("Fa", "Mb") else -1))
    for column in ("sex", "site"):
        assert audited(records, values, column=column)[0].verdict == "PASS"
    audit, _ = audited(records, values, column="sex*site")
    assert (audit.verdict, audit.id) == ("FAIL", "mine/score-by-sex-and-site")
    assert {part.stratum.level for part in audit.parts} == {"all", "F × a", "F × b", "M × a", "M × b"}
    assert between(("sex", "site"), mean()) == between("sex*site", mean())


def test_a_level_of_two_columns_is_known_where_both_are():
    known = {"sex": "F", "site": "a"}, {"sex": "M", "site": "a"}, {"sex": "M", "site": ""}, {}
    records = images(400, column=lambda i: known[i % 4])
    audit, _ = audited(records, noisy(records), column="sex*site")
    assert [part.stratum.level for part in audit.parts] == ["all", "F × a", "M × a", "M × unknown", "unknown"]
    assert audit.verdict == "PASS"
    records = images(400, column=lambda i: known[2 + i % 2])
    assert audited(records, noisy(records), column="sex*site")[0].verdict == "INCONCLUSIVE"


def test_patients_of_two_levels_are_not_compared():
    records = images(200, per_patient=2, column=lambda i: {"site": "ab"[i % 2]})
    audit, cell = audited(records, noisy(records))
    assert (audit.verdict, cell.p_fail, cell.n_clusters) == ("INCONCLUSIVE", 1.0, 0)
    assert "Some patients have images of two levels of site." in audit.sentence


def test_rare_refusals_pass_and_fail():
    records = sites(600, "ab")
    few, many = noisy(records), noisy(records)
    few[[0, 2, 5]] = np.nan
    many[:90:2] = np.nan
    rules = held(within=0.05)
    assert audited(records, few, rules, effect=gap(share("refused")))[0].verdict == "PASS"
    audit, cell = audited(records, many, rules, effect=gap(share("refused")))
    assert (audit.verdict, audit.unit) == ("FAIL", "share")
    assert cell.estimate.value == pytest.approx(45 / 300)


def test_what_is_not_required_is_shown_and_the_rest_is_held():
    families = {**FAMILIES, "subgroups": {"within": 5.0, "required": ["sex"]}}
    rules = protocol(families=families)
    effects = {effect.name: effect for effect in subgroups()}
    records = images(300, column=lambda i: {"sex": "FM"[i % 2], "site": "ab"[i // 2 % 2]})
    data = measured(records, {(): answered(noisy(records, lambda levels: 9.0 * (levels["site"] == "a")))})
    check_limits(list(effects.values()), rules)
    judge = Judge(rules, data, list(effects.values()))
    sex, site, lost = (judge.audit(effects[name], "?") for name in ("sex", "site", "sex-lost"))
    assert (sex.verdict, sex.shown, site.shown, lost.shown) == ("PASS", False, True, True)
    assert site.verdict == "INCONCLUSIVE"
    assert site.limit == {}


def test_a_limit_in_points_for_shares_is_refused_with_what_to_name():
    rules = protocol(families={**FAMILIES, "subgroups": {"within": 5.0}})
    with pytest.raises(AuditkitError, match=r"within = 5 cannot be reached by sex-lost.*required"):
        check_limits(subgroups(), rules)


@pytest.mark.parametrize(
    ("effect", "family", "words"),
    [
        (gap(), {"at_most": 5.0, "within": None}, "a gap between groups"),
        (gap(), {"in_each": 8.0}, "in_each is a limit for each level of modality"),
        (gap(), {"tail": {"beyond": 25.0, "share": 0.1}}, "tail counts answers whose number jumps"),
        (gap(skill("pneumonia.present")), {"within": 0.1}, "compares what counts classes equally"),
        (gap(mean("quality", "expected")), {}, "what probabilities give"),
        (gap(), {"required": ["other"]}, "requires other"),
    ],
)
def test_what_a_gap_cannot_be_held_to_is_refused(effect, family, words):
    with pytest.raises(AuditkitError, match=words):
        check_limits([effect], held(**family))


def test_gaps_and_other_effects_do_not_share_a_limit():
    with pytest.raises(AuditkitError, match="Give the gaps a family of their own"):
        check_limits([gap(), mean(family="mine")], held(size=2))


def test_two_decisions_of_a_family_are_corrected_together_and_levels_are_not_counted():
    records = images(600, modalities=("ct",), column=lambda i: {"sex": "FM"[i % 2], "site": "ab"[i // 2 % 2]})
    values = noisy(records, lambda levels: 6.2 * (levels["sex"] == "F"), sd=6.0)
    data = measured(records, {(): answered(values)})
    alone = Judge(held(), data, [gap(column="sex")]).audit(gap(column="sex"), "?")
    both = Judge(held(size=2), data, [gap(column="sex"), gap()]).audit(gap(column="sex"), "?")
    assert both.p_fail == pytest.approx(2 * alone.p_fail)


def test_early_looks_leave_gaps_to_the_last_one():
    records = sites(400, "ab")
    data = measured(records, {(): answered(noisy(records))})
    fractions = {(MODALITY, "all"): (0.5,), (MODALITY, "ct"): (0.5,)}
    early = Judge(held(), data, [gap()], Look(1, 2, fractions))
    assert early.audit(gap(), "?").verdict == "INCONCLUSIVE"
    assert early.undecided() == (gap(),)
    late = Judge(held(), data, [gap()], Look(2, 2, dict.fromkeys(fractions, (0.5, 1.0))), early)
    assert late.audit(gap(), "?").verdict == "PASS"


def test_how_many_patients_would_settle_it_is_near_what_does():
    """Sixty of each level decide nothing; with the number told most data sets pass."""
    records = sites(300)
    audit, cell = audited(records, noisy(records, sd=14.0, seed=3))
    assert audit.verdict == "INCONCLUSIVE"
    more = cell.more_clusters
    assert 300 < more < 3000
    verdicts = []
    for seed in range(10):
        enough = sites(5 * ((300 + more) // 5))
        verdicts.append(audited(enough, noisy(enough, sd=14.0, seed=seed))[0].verdict)
    assert verdicts.count("PASS") >= 7


def test_an_error_among_the_answers_is_an_error():
    records = sites(200, "ab")
    values = noisy(records)
    values[3] = np.nan
    assert judged(gap(), measured(records, {(): answered(values, "error")}), held()).verdict == "ERROR"
