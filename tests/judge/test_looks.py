"""Early looks: who is seen when, at which level it is decided, and what stays decided."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditkit.ask.plan import stages
from auditkit.judge.judge import Judge
from auditkit.judge.looks import plan_looks
from auditkit.measure.columns import Measurements, joined
from auditkit.protocol.effects import change
from auditkit.stats.sequential import nominal_levels
from tests.judge.build import AGAIN, FAMILIES, HIGH, LOW, SCORE, answered, by_level, images, measured, protocol

TREATED, OTHER = (HIGH,), (LOW,)
A, B = change(HIGH, name="a", family="mine"), change(LOW, name="b", family="mine")
CT, MR, EVERYONE = ("modality", "ct"), ("modality", "mr"), ("modality", "all")


def looking(number, **changes):
    families = {"mine": {**FAMILIES["metadata"], "size": 2}}
    return protocol(families=families, looks={"number": number, **changes})


def wide():
    return protocol(families={"mine": {"within": 40.0, "size": 2}})


def through(rules, records, shift_a, shift_b, sd=4.0, seed=0, draw=None):
    """Judges of all looks, each on the patients seen by then; scores drawn once for every image."""
    rng = np.random.default_rng(seed)
    draw = draw or (lambda rng: rng.normal(0, sd, 2))
    clean = dict(zip((r.id for r in records), rng.integers(50, 70, len(records)).astype(float), strict=True))
    noise = {r.id: draw(rng) for r in records}
    staged = stages(records, rules.looks.number, rules.seed)
    judges, parts, judge = [], [], None
    for look, stage in zip(plan_looks(staged, rules), staged, strict=True):
        base = np.array([clean[r.id] for r in stage])
        own = np.array([noise[r.id] for r in stage])
        columns = {
            (): answered(base),
            TREATED: answered(base + shift_a + own[:, 0]),
            OTHER: answered(base + shift_b + own[:, 1]),
        }
        parts.append(measured(stage, columns))
        judge = Judge(rules, joined(parts), [A, B], look, before=judge)
        judges.append(judge)
    return judges


@given(
    patients=st.integers(1, 60),
    per_patient=st.integers(1, 3),
    number=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=60)
def test_stages_divide_the_patients(patients, per_patient, number, seed):
    records = images(patients * per_patient, ("ct", "mr"), per_patient)
    staged = stages(records, number, seed)
    assert sorted(r.id for stage in staged for r in stage) == sorted(r.id for r in records)
    held = [{r.cluster for r in stage} for stage in staged]
    assert sum(map(len, held)) == len(set().union(*held)), "no patient is in two stages"
    for modality in ("ct", "mr"):
        sizes = [len({r.cluster for r in stage if r.modality == modality}) for stage in staged]
        assert max(sizes) - min(sizes) <= 1
    assert stages(records[::-1], number, seed) == staged, "the order of the images does not matter"


def test_levels_are_those_of_the_spending_function_per_modality():
    rules = looking(4)
    records = images(128, ("ct",)) + images(40, ("mr",))
    looks = plan_looks(stages(records, 4, rules.seed), rules)
    assert [look.fractions[CT] for look in looks][-1] == (0.25, 0.5, 0.75, 1.0)
    expected = nominal_levels((0.25, 0.5, 0.75, 1.0), 0.05, "pocock")
    assert [look.levels(rules)[CT] for look in looks] == pytest.approx(expected)
    assert sum(expected) > 0.05 > max(expected)
    # 10, 20 and 30 of 40 patients are too few to decide early, so the whole error is left for the last look.
    assert all(MR in look.waiting for look in looks[:3])
    assert looks[-1].fractions[MR] == (1.0,)
    assert MR not in looks[-1].levels(rules)


def test_one_look_changes_nothing():
    records = images(60)
    rules = looking(1)
    [judge] = through(rules, records, 2.0, 0.0)
    plain = Judge(rules, judge.data, [A, B])
    for effect in (A, B):
        assert judge.audit(effect, "?") == plain.audit(effect, "?")


def test_a_clear_answer_falls_early_and_stays():
    judges = through(looking(4), images(480), 0.0, 20.0)
    first, last = judges[0], judges[-1]
    assert first.undecided() == ()
    for effect, verdict in ((A, "PASS"), (B, "FAIL")):
        audit = first.audit(effect, "?")
        assert (audit.verdict, audit.look) == (verdict, 1)
        assert audit.n_clusters == 120
        assert last.audit(effect, "?").parts == audit.parts


def test_an_early_interval_is_wider_than_the_last_one_would_be():
    audit = through(looking(4), images(160), 0.0, 0.0)[0].audit(A, "?")
    level = audit.parts[0].estimate.level
    assert level == pytest.approx(1 - 2 * nominal_levels((0.25,), 0.05, "pocock")[0], abs=1e-6)
    assert level > 0.9


def test_a_close_question_waits_for_the_last_patient():
    judges = through(looking(4), images(640), 5.0, 0.0, sd=10.0)
    assert [A in judge.undecided() for judge in judges] == [True] * 4
    assert [B in judge.undecided() for judge in judges] == [False] * 4
    audit = judges[-1].audit(A, "?")
    assert (audit.verdict, audit.look, audit.n_clusters) == ("INCONCLUSIVE", 4, 640)


def test_nothing_is_decided_before_enough_patients():
    judges = through(looking(4, min_clusters=130), images(480), 0.0, 20.0)  # 120, 240, 360, 480 patients
    assert [len(judge.undecided()) for judge in judges] == [2, 0, 0, 0]
    cell = judges[0].audit(A, "?").parts[0]
    assert cell.verdict == "INCONCLUSIVE"
    assert "120 patients are too few to decide early" in cell.sentence


@pytest.mark.slow
def test_error_over_all_looks_is_kept():
    """The truth on the margin: the share of false verdicts over four looks stays at alpha, without spending it would
    not.

    The changes lie anywhere between 0 and 80 points, so that what is seen of them and not the patients who were not
    seen bounds their mean of 40.
    """
    records = images(512)
    runs = 300
    rules, once = (looking(n).model_copy(update={"families": wide().families}) for n in (4, 1))
    false_pass = false_fail = naive = 0
    for seed in range(runs):
        judges = through(rules, records, -40.0, 40.0, seed=seed, draw=lambda rng: rng.uniform(-40, 40, 2))
        false_pass += judges[-1].audit(A, "?").verdict == "PASS"
        cell = judges[-1].audit(B, "?").parts[0]
        false_fail += cell.p_fail <= 0.05
        naive += any(Judge(once, judge.data, [A]).audit(A, "?").verdict == "PASS" for judge in judges)
    error = 3 * np.sqrt(0.05 * 0.95 / runs)
    assert false_pass / runs < 0.05 + error
    assert false_fail / runs < 0.05 + error
    assert naive / runs > 0.05 + error


def test_joined_measurements_are_those_of_all_images():
    records = images(7)
    scores = np.arange(7.0)
    whole = measured(sorted(records, key=lambda r: r.id), {(): answered(scores)})
    parts = [
        measured(records[4:], {(): answered(scores[4:]), TREATED: answered(scores[4:])}),
        measured(records[:4], {(): answered(scores[:4])}),
    ]
    both = joined(parts)
    assert isinstance(both, Measurements)
    assert both.records == whole.records
    np.testing.assert_array_equal(both.column(SCORE).scores, scores)
    treated = both.column(SCORE.under(HIGH))
    np.testing.assert_array_equal(treated.outcomes >= 0, [False] * 4 + [True] * 3)


def test_a_look_that_is_too_strict_for_the_bootstrap_waits():
    """O'Brien-Fleming-like spending leaves 0.00009 for the first of four looks: less than one of 1,001 resamples."""
    judges = through(looking(4, spending="obrien_fleming"), images(480), 0.0, 20.0)
    assert [len(judge.undecided()) for judge in judges] == [2, 0, 0, 0]
    rules = looking(4, spending="obrien_fleming")
    looks = plan_looks(stages(images(160), 4, rules.seed), rules)
    assert CT in looks[0].waiting
    assert looks[-1].fractions[CT] == (0.5, 0.75, 1.0)


def test_a_modality_that_has_not_begun_keeps_its_audits_open():
    """Patients with images of both modalities stand in the queue of the first: the other can begin late."""
    rules = looking(2, min_clusters=24)
    first, late = images(100, ("ct",)), images(40, ("mr",))
    looks = plan_looks((first, late), rules)
    assert looks[0].waiting == {MR, EVERYONE}
    rng = np.random.default_rng(2)
    parts, judge, opened = [], None, []
    for look, stage in zip(looks, (first, late), strict=True):
        clean = rng.integers(50, 70, len(stage)).astype(float)
        shift = 20.0 if stage is late else 0.0
        columns = {(): answered(clean), TREATED: answered(clean + shift + rng.normal(0, 4, len(stage)))}
        parts.append(measured(stage, columns))
        judge = Judge(rules, joined(parts), [A], look, before=judge)
        opened.append(judge.undecided())
    assert opened == [(A,), ()]
    audit = judge.audit(A, "?")
    assert audit.verdict == "FAIL"
    assert {level: c.verdict for level, c in by_level(audit).items() if level != "all"} == {"ct": "PASS", "mr": "FAIL"}


# ------------------------------------------------------------------------------------------------- by another column


def by_scanner(number, **changes):
    families = {"mine": {**FAMILIES["metadata"], "by": "scanner", "size": 2}}
    return protocol(families=families, looks={"number": number, **changes})


def test_looks_wait_for_the_levels_of_the_column_that_decides():
    """Of 160 patients of one modality, 24 have the scanner N: too few to decide early, though the modality is not."""
    rules = by_scanner(2)
    records = images(160, column=lambda i: {"scanner": "N" if i % 20 < 3 else "S"})
    staged = stages(records, 2, rules.seed)
    looks = plan_looks(staged, rules)
    assert {stratum for look in looks for stratum in (*look.fractions, *look.waiting)} == {
        CT, EVERYONE, ("scanner", "N"), ("scanner", "S"), ("scanner", "all"),
    }  # fmt: skip
    assert looks[0].waiting == {("scanner", "N")}
    assert looks[1].fractions["scanner", "N"] == (1.0,)
    first = sum(r.attributes["scanner"] == "S" for r in staged[0]) / sum(
        r.attributes["scanner"] == "S" for r in records
    )
    assert looks[1].fractions["scanner", "S"] == (first, 1.0)
    judges = through(rules, records, 0.0, 20.0)
    audit = judges[0].audit(A, "?")
    assert {level: (c.stratum.column, c.verdict) for level, c in by_level(audit).items()} == {
        "all": ("scanner", "PASS"), "S": ("scanner", "PASS"), "N": ("scanner", "INCONCLUSIVE"),
    }  # fmt: skip
    assert "too few to decide early" in by_level(audit)["N"].sentence
    assert judges[0].undecided() == (A,)
    assert judges[0].audit(B, "?").verdict == "FAIL"
    last = by_level(judges[1].audit(A, "?"))
    assert (last["S"].look, last["all"].look, last["N"].look) == (1, 1, 2)
    assert last["S"] == by_level(audit)["S"]


def test_a_level_that_has_not_begun_keeps_its_audits_open():
    rules = by_scanner(2, min_clusters=24)
    early = images(60, ("ct",), column=lambda i: {"scanner": "S"})
    late = images(40, ("mr",), column=lambda i: {"scanner": "N"})
    looks = plan_looks((early, late), rules)
    assert ("scanner", "N") in looks[0].waiting
    assert ("scanner", "all") in looks[0].waiting
    judge = Judge(rules, measured(early, dict.fromkeys(((), TREATED), answered(np.full(60, 60.0)))), [A], looks[0])
    assert judge.undecided() == (A,)
    assert by_level(judge.audit(A, "?"))["S"].verdict == "PASS"


def test_what_is_only_shown_takes_the_questions_of_what_decides():
    """It holds nothing up and keeps no settled question alive; questions of its own go on being asked."""
    shared, own = A.named("shared", "shown"), A.under(AGAIN).named("own", "shown")
    families = {"mine": {**FAMILIES["metadata"], "size": 2}, "shown": {"shown": True}}
    rules = protocol(families=families, looks={"number": 2})
    records = images(160)
    staged = stages(records, 2, rules.seed)
    look, n = plan_looks(staged, rules)[0], len(staged[0])
    noise = np.resize([-10.0, 10.0], n)
    for shift, still in ((5.0, (A, own)), (0.0, ())):
        columns = {(): answered(np.full(n, 60.0)), TREATED: answered(60 + shift + (noise if still else 0 * noise))}
        columns |= {(*condition, AGAIN): column for condition, column in columns.items()}
        judge = Judge(rules, measured(staged[0], columns), [A, shared, own], look)
        assert judge.undecided() == still
        assert judge.n_settled == (0 if still else 1)
