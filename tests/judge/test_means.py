"""Means within, at most and at least a limit, from columns of scores to the verdict and its sentence."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from auditkit.protocol.effects import change, falls, rises
from auditkit.vocabulary import Perturbation
from tests.judge.build import FAMILIES, HIGH, LOW, answered, by_level, by_part, images, judged, measured, protocol

TREATED = (HIGH,)
CHANGE = change(HIGH, name="x", family="metadata")
RNG = np.random.default_rng


def pair(n, shift, sd, modalities=("ct",), per_patient=1, seed=0):
    """Records with clean scores near 60 and treated ones shifted (per modality, when a list is given)."""
    rng = RNG(seed)
    records = images(n, modalities, per_patient)
    clean = rng.integers(50, 71, len(records)).astype(float)
    shifts = np.repeat(np.broadcast_to(shift, len(modalities)).astype(float), n)
    return records, clean, clean + shifts + rng.normal(0, sd, len(records)).round()


def equivalence(records, clean, treated, **changes):
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    return judged(CHANGE, data, protocol(**changes))


def test_no_effect_passes():
    audit = equivalence(*pair(80, 0, 4))
    assert audit.verdict == "PASS"
    cell = audit.parts[0]
    assert -5 < cell.estimate.low < cell.estimate.high < 5
    assert cell.p_pass < 0.05
    assert cell.mde == pytest.approx(100 * (1 - 0.05 ** (1 / 80)), abs=1e-5)  # patients who were not seen ask for more
    assert cell.more_clusters is None


def test_twice_the_margin_fails_with_the_numbers_in_the_sentence():
    audit = equivalence(*pair(80, 10, 4))
    assert audit.verdict == "FAIL"
    assert audit.estimate.value == pytest.approx(10, abs=1.5)
    assert "±5.0" in audit.sentence
    assert "80 patients" in audit.sentence
    assert "Holm" in audit.sentence
    assert "nan" not in audit.sentence


def test_on_the_margin_is_undecided():
    audit = equivalence(*pair(80, 5, 8))
    assert audit.verdict == "INCONCLUSIVE"
    assert audit.parts[0].p_fail_holm > 0.05


def test_opposite_shifts_do_not_cancel():
    """Pooled they would pass: every modality decides alone."""
    modalities = ("ct", "mr", "oct", "xray", "fundus", "nuclear", "histology")
    audit = equivalence(*pair(160, [6, 6, 6, -8, -8, -1, -1], 3, modalities))
    assert abs(audit.estimate.value) < 1
    assert audit.verdict == "FAIL"
    verdicts = {level: c.verdict for level, c in by_level(audit).items()}
    assert verdicts["nuclear"] == verdicts["histology"] == "PASS"
    assert verdicts["xray"] == verdicts["fundus"] == "FAIL"


def two_margins(margin, each):
    return {**FAMILIES, "metadata": {**FAMILIES["metadata"], "within": margin, "in_each": each}}


def test_two_margins_both_have_to_hold():
    modalities = ("ct", "mr", "oct")
    records, clean, _ = pair(34, 0, 0, modalities)
    still = equivalence(records, clean, clean, families=two_margins(5.0, 10.0))
    assert still.verdict == "PASS"  # 34 patients cannot show 5 points each, but 102 can
    assert [c.stratum.level for c in still.parts] == ["all", "ct", "mr", "oct"]
    assert "all together" in still.sentence
    everywhere = equivalence(*pair(120, 7, 3, modalities), families=two_margins(5.0, 10.0))
    assert {level: c.verdict for level, c in by_level(everywhere).items()} == {
        "all": "FAIL", "ct": "PASS", "mr": "PASS", "oct": "PASS",
    }  # fmt: skip
    assert everywhere.verdict == "FAIL"
    one = equivalence(*pair(120, [14, 0, 0], 3, modalities), families=two_margins(5.0, 10.0))
    assert by_level(one)["ct"].verdict == "FAIL"
    assert one.n_clusters == 360


def test_too_few_patients_never_pass():
    audit = equivalence(*pair(20, 0, 1))
    assert audit.verdict == "INCONCLUSIVE"
    assert "too few" in audit.sentence


def test_too_few_patients_are_told_how_many_it_takes():
    """0.05^(1/40) = 0.928: were 7.2 % of all patients 100 points off, 40 might hold none; 59 hold one nearly surely."""
    records, clean, _ = pair(40, 0, 0)
    audit = equivalence(records, clean, clean + np.tile([-2.0, 2.0], 20))
    assert audit.verdict == "INCONCLUSIVE"
    assert (
        "undecided, because 40 patients are too few for a limit 5.0 from the estimate: one in 13 of all could be "
        "quite unlike them; it takes 59 or more"
    ) in audit.sentence
    [cell] = audit.parts
    assert (cell.estimate.low, cell.estimate.high) == pytest.approx((-7.215750, 7.215750), abs=1e-5)


AWAY, NEEDED = "too few for a limit 5.0 from the estimate", "it takes 59 or more"


@pytest.mark.parametrize(
    ("n", "words"),
    [
        (1, f"undecided, because 1 patient is {AWAY}; {NEEDED}."),  # nothing is known of the spread
        (4, f"undecided, because 4 patients are {AWAY}; {NEEDED}; about 55 patients more would likely settle it."),
        # 0.05^(1/5) = 0.549, so that 45 % of all may be unlike five.
        (5, f"undecided, because 5 patients are {AWAY}: one in 2 of all could be quite unlike them"),
    ],
)
def test_of_a_handful_nobody_is_told_why_they_are_too_few(n, words):
    records, clean, _ = pair(n, 0, 0)
    assert words in equivalence(records, clean, clean).sentence


def test_a_score_that_never_moves_needs_59_patients():
    for n, verdict in ((34, "INCONCLUSIVE"), (58, "INCONCLUSIVE"), (60, "PASS")):
        records, clean, _ = pair(n, 0, 0)
        audit = equivalence(records, clean, clean)
        assert audit.verdict == verdict, n
        assert "bounded mean" in audit.parts[0].rule
        if verdict == "INCONCLUSIVE":
            assert audit.parts[0].more_clusters == 59 - n


def test_one_patient_with_many_slices_counts_once():
    records, clean, treated = pair(40, 0, 3)
    slices = images(32, ("ct",), per_patient=32)
    slices = [type(r)(f"s{i}", "one", "ct", r.pictures, False, "test") for i, r in enumerate(slices)]
    clean = np.r_[clean, np.full(32, 60.0)]
    treated = np.r_[treated, np.full(32, 84.0)]
    audit = equivalence([*records, *slices], clean, treated)
    assert audit.parts[0].n_clusters == 41
    assert audit.parts[0].n_images == 72
    assert audit.parts[0].estimate.value < 2


def test_a_mean_of_zero_does_not_hide_jumps():
    records, clean, treated = pair(160, 0, 2)
    treated[:24], treated[24:48] = clean[:24] + 30, clean[24:48] - 30
    audit = equivalence(records, clean, treated)
    assert audit.parts[0].tail.value == pytest.approx(0.3)
    assert audit.verdict == "FAIL"
    assert "30.0 % more of a patient's answers jump by more than 25 points than do by" in audit.sentence


def test_refusing_the_bad_images_does_not_pass():
    """Complete cases look fine because the model refused the images on which it would have failed."""
    records, clean, treated = pair(100, 0, 2)
    treated[:10] = np.nan
    audit = equivalence(records, clean, treated)
    cell = audit.parts[0]
    assert cell.estimate.high < 5
    assert audit.verdict == "INCONCLUSIVE"
    assert "with the missing answers at the worst they can be, the limit is no longer met" in audit.sentence
    assert cell.worst_case.high > cell.estimate.high
    assert cell.outcomes.refused == 10
    assert cell.outcomes.total == 100


PLAIN = {**FAMILIES, "metadata": {"within": 5.0, "size": 61}}


@pytest.mark.parametrize(("missing", "verdict"), [(0, "FAIL"), (4, "FAIL"), (40, "INCONCLUSIVE")])
def test_a_fail_survives_missing_answers_at_their_harmless_end(missing, verdict):
    """The score rises by 12 from 60; an answer that is missing may have been 0, which is 60 less."""
    rng = RNG(2)
    clean = np.full(160, 60.0)
    treated = clean + 12 + rng.normal(0, 3, 160)
    treated[:missing] = np.nan
    audit = equivalence(images(160), clean, treated, families=PLAIN)
    [cell] = audit.parts
    assert cell.verdict == verdict, cell.sentence
    filled = np.where(np.isnan(treated), 0.0, treated) - clean
    assert cell.estimate.value == pytest.approx(np.nanmean(treated - 60), abs=1e-5)
    assert cell.p_fail == pytest.approx(stats.ttest_1samp(filled, 5.0, alternative="greater").pvalue, abs=1e-4)
    assert (
        "with the missing answers at the most harmless they can be, it is not shown to be broken" in cell.sentence
    ) == (verdict != "FAIL")


def test_what_is_missing_cannot_carry_a_fail_from_one_side_to_the_other():
    """Filled at one end the mean lies above the limit, at the other below: beyond it on no side for certain."""
    rng = RNG(2)
    clean = np.full(160, 50.0)
    treated = clean + 12 + rng.normal(0, 3, 160)
    treated[:120] = np.nan
    [cell] = equivalence(images(160), clean, treated, families=PLAIN).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.p_fail > 0.999


def test_refusals_alone_are_no_failure_of_invariance():
    records, clean, _ = pair(60, 0, 2)
    audit = equivalence(records, clean, np.full(60, np.nan))
    assert audit.verdict == "INCONCLUSIVE"
    assert audit.estimate.value is None
    assert "nothing was measured" in audit.sentence


def test_an_error_is_no_verdict():
    records, clean, treated = pair(60, 0, 2)
    treated[3] = np.nan
    data = measured(records, {(): answered(clean), TREATED: answered(treated, "error")})
    audit = judged(CHANGE, data)
    assert audit.verdict == "ERROR"
    assert "1 of 120 questions got no answer" in audit.sentence


def test_a_question_that_was_not_asked_is_not_missing():
    records, clean, treated = pair(100, 0, 2)
    column = answered(treated)
    column.outcomes[:20], column.scores[:20] = -1, np.nan
    data = measured(records, {(): answered(clean), TREATED: column})
    audit = judged(CHANGE, data)
    assert audit.parts[0].n_clusters == 80
    assert audit.verdict == "PASS"


@given(st.integers(0, 10_000))
@settings(max_examples=15)
def test_order_of_images_and_of_other_comparisons_does_not_matter(seed):
    records, clean, treated = pair(30, 2, 5, ("ct", "mr"), seed=seed)
    other = (LOW,)
    company = change(LOW, name="y", family="metadata")
    noise = clean + RNG(seed).normal(0, 9, len(clean)).round()
    columns = {(): clean, TREATED: treated, other: noise}
    alone = judged(CHANGE, measured(records, {c: answered(v) for c, v in columns.items()}))
    order = RNG(seed).permutation(len(records))
    shuffled = measured([records[i] for i in order], {c: answered(v[order]) for c, v in columns.items()})
    together = judged(CHANGE, shuffled, planned=[company, CHANGE])
    assert [c.verdict for c in alone.parts] == [c.verdict for c in together.parts]
    for a, b in zip(alone.parts, together.parts, strict=True):
        assert a.estimate.value == pytest.approx(b.estimate.value)
        # The patients' codes follow their names, so a resample holds the same patients in any order of images.
        assert a.estimate.low == pytest.approx(b.estimate.low, abs=1e-9)


def series_scores(n, steps, sd=3, seed=0, modalities=("ct",)):
    rng = RNG(seed)
    records = images(n, modalities)
    clean = rng.integers(60, 80, len(records)).astype(float)
    columns = {(): answered(clean)}
    for severity, step in enumerate(steps, start=1):
        scores = np.clip(clean + step + rng.normal(0, sd, len(records)).round(), 0, 100)
        columns[Perturbation("pixelate", severity),] = answered(scores)
    return records, columns


PIXELATE = falls("pixelate", family="sensitivity")


@pytest.mark.parametrize(
    ("steps", "verdict"),
    [([-6, -12, -18, -24, -30], "PASS"), ([0, 0, 0, 0, 0], "FAIL"), ([6, 12, 18, 24, 20], "FAIL"),
     ([-2, -4, -6, -8, -10], "INCONCLUSIVE")],
)  # fmt: skip
def test_sensitivity(steps, verdict):
    records, columns = series_scores(60, steps, sd=6)
    audit = judged(PIXELATE, measured(records, columns))
    assert audit.verdict == verdict
    # A fall counts downwards: what the clean item loses per step stands with a plus.
    assert audit.estimate.value == pytest.approx(-np.polyfit(range(6), [0, *steps], 1)[0], abs=0.6)
    assert audit.parts[0].estimate.unit == "points per severity step"
    assert [p.level for p in audit.series if p.stratum.level == "ct"] == [0, 1, 2, 3, 4, 5]


def test_sensitivity_with_missing_scores_must_survive_no_fall():
    records, columns = series_scores(96, [-4, -8, -12, -16, -20], sd=2)
    column = columns[Perturbation("pixelate", 5),]
    column.scores[:32], column.outcomes[:32] = np.nan, 1
    audit = judged(PIXELATE, measured(records, columns))
    [cell] = audit.parts
    assert cell.n_clusters == 64
    assert cell.worst_case.low < 2 < cell.estimate.low
    assert audit.verdict == "INCONCLUSIVE"
    assert "missing" in audit.sentence


def test_not_raised():
    rising = rises("pixelate", family="direction")
    records, columns = series_scores(80, [0, 2, 4, 12, 14])
    audit = judged(rising, measured(records, columns))
    assert audit.verdict == "FAIL"
    assert by_part(audit)["severity 1"].verdict == "PASS"
    records, columns = series_scores(80, [0, -2, -4, -12, -14])
    assert judged(rising, measured(records, columns)).verdict == "PASS"


def test_a_score_that_never_moves_fails_over_all_patients_together():
    """Too few patients in each modality to tell; enough in all of them."""
    modalities = ("ct", "mr", "xray", "oct", "fundus")
    records = images(32, modalities)
    columns = {(Perturbation("pixelate", s),) if s else (): answered(np.full(160, 70.0)) for s in range(6)}
    audit = judged(PIXELATE, measured(records, columns))
    assert audit.verdict == "FAIL"
    assert {level: c.verdict for level, c in by_level(audit).items()} == {
        "all": "FAIL",
        **dict.fromkeys(modalities, "INCONCLUSIVE"),
    }
    assert audit.sentence.startswith("Not met in all patients together.")


def test_one_modality_alone_is_not_decided_twice():
    audit = equivalence(*pair(40, 0, 4))
    assert [c.stratum.level for c in audit.parts] == ["ct"]


def test_a_model_that_refuses_what_it_would_have_changed_does_not_pass():
    """6 % of the images drop by 80 points; four in five of these are refused, and only these."""
    n = 256
    clean, treated = np.full(n, 90.0), np.full(n, 90.0)
    treated[:3] = 10.0
    treated[3:16] = np.nan
    [cell] = equivalence(images(n), clean, treated).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.worst_case.low < -5 < cell.estimate.low
    assert "with the missing answers at the worst they can be, the limit is no longer met" in cell.sentence


def test_a_few_harmless_refusals_do_not_keep_a_pass_away():
    n = 256
    clean = np.full(n, 60.0)
    treated = clean.copy()
    treated[:3] = np.nan
    assert equivalence(images(n), clean, treated).verdict == "PASS"
