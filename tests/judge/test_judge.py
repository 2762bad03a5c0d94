"""The correction within the declared family, what is only shown, and what an audit's author is told to write."""

import re

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.judge import Judge
from auditkit.protocol.effects import areas, change, differs, falls, rises, share
from auditkit.vocabulary import Perturbation
from tests.judge.build import FAMILIES, HIGH, NEUTRAL, answered, by_part, images, judged, measured, own, protocol
from tests.judge.test_means import CHANGE, TREATED, pair, series_scores

ROUNDED = 1e-6  # records hold six decimals


def test_a_fail_is_corrected_for_the_declared_family_not_for_what_was_run():
    """Just significant alone, not within a family of thousands: running one audit must not make it a FAIL."""
    records, clean, treated = pair(80, 10.0, 10)
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    effect, tail = CHANGE.named("x", "mine"), FAMILIES["metadata"]["tail"]
    alone = judged(effect, data, own(within=5.0, tail=tail, size=1))
    within = judged(effect, data, own(within=5.0, tail=tail, size=100_000))
    assert alone.verdict == "FAIL"
    assert within.verdict == "INCONCLUSIVE"
    assert "not confirmed after Holm" in within.sentence
    assert within.parts[0].estimate == alone.parts[0].estimate


def test_a_shipped_family_counts_all_that_it_declares():
    """One audit of sixty is run; the smallest p-value of sixty is multiplied by sixty."""
    records, clean, treated = pair(80, 10.0, 24)
    shipped = change(HIGH, against=[NEUTRAL], name="institution.reputation-high-vs-neutral", family="metadata")
    data = measured(records, {(NEUTRAL,): answered(clean), TREATED: answered(treated)})
    cell = judged(shipped, data, protocol(families={"metadata": {"within": 5.0}})).parts[0]
    assert 1e-4 < cell.p_fail < 1 / 61
    assert cell.p_fail_holm == pytest.approx(60 * cell.p_fail, abs=60 * ROUNDED)
    one_more = {"metadata": {"within": 5.0, "size": 61}}
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    cell = judged(CHANGE, data, protocol(families=one_more)).parts[0]
    assert cell.p_fail_holm == pytest.approx(61 * cell.p_fail, abs=61 * ROUNDED)


def test_what_is_collected_beside_does_not_change_the_correction():
    """The size is declared, so a FAIL stays one whatever other tests are collected with it."""
    records, clean, treated = pair(80, 10.0, 16)
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    one = CHANGE.named("one", "mine")
    others = [CHANGE.named(f"other-{i}", "mine") for i in range(4)]
    alone, beside = (judged(one, data, own(within=5.0, size=5), [one, *more]) for more in ([], others))
    assert alone.parts[0].p_fail_holm == pytest.approx(5 * alone.parts[0].p_fail, abs=5 * ROUNDED)
    assert [c.p_fail for c in alone.parts] == [c.p_fail for c in beside.parts]
    assert beside.parts[0].p_fail_holm == pytest.approx(alone.parts[0].p_fail_holm, abs=ROUNDED)


def test_parts_and_levels_count_and_all_together_beside_them():
    """Five severities, two modalities and all patients together: fifteen decisions."""
    records, columns = series_scores(80, [0, 0, 9, 0, 0], modalities=("ct", "mr"), sd=16)
    effect = rises("pixelate", family="mine")
    audit = judged(effect, measured(records, columns), own(at_most=5.0, size=5))
    cells = [c for c in audit.parts if c.required]
    assert len(cells) == 15
    smallest = min(cells, key=lambda c: c.p_fail)
    assert 1e-4 < smallest.p_fail < 1 / 15
    assert smallest.p_fail_holm == pytest.approx(15 * smallest.p_fail, abs=15 * ROUNDED)


def test_an_undeclared_family_says_what_to_add():
    effect = change(HIGH, family="mine")
    judge = Judge(protocol(), measured(images(2), {}), [effect])
    with pytest.raises(AuditkitError, match=r"Add \[families\.mine\] with within = \.\.\. to the protocol"):
        judge.audit(effect, "")
    with pytest.raises(AuditkitError, match=r"Add \[families\.mine\] with at_most = \.\.\. to the protocol"):
        judge.audit(effect, "", "at_most")
    with pytest.raises(AuditkitError, match=r"family=NAME"):
        judge.audit(change(HIGH), "")


def test_another_verb_than_the_protocol_declares_is_an_error():
    judge = Judge(protocol(), measured(images(2), {}), [CHANGE])
    with pytest.raises(AuditkitError, match=r"holds x to at_most, but the protocol declares within") as raised:
        judge.audit(CHANGE, "", "at_most")
    assert "Write audit.within(...) in the audit, or at_most = ... in the protocol" in str(raised.value)


def test_an_own_family_must_declare_its_size():
    records, clean, treated = pair(30, 0, 2)
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    one, five = change(HIGH, family="mine"), rises("pixelate", family="mine")
    for effects, size in (([one], 1), ([one, five], 6)):
        judge = Judge(protocol(families={"mine": {"within": 5.0}}), data, effects)
        with pytest.raises(AuditkitError, match=rf"size = {size} \(the number of decisions"):
            judge.audit(one, "")


def test_every_sentence_is_clean():
    records, clean, treated = pair(30, 3, 8, ("ct", "other"))
    treated[:3] = np.nan
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    audit = judged(CHANGE, data)
    for sentence in (audit.sentence, *(c.sentence for c in audit.parts)):
        assert sentence.endswith(".")
        for ugly in ("nan", "inf", "None", "e+", "  ", ".."):
            assert ugly not in sentence


# --------------------------------------------------------------------------------------------------- shown, required


@pytest.mark.parametrize("limits", [{}, {"within": 5.0}, {"at_most": 5.0}, {"at_least": 50.0}])
def test_what_is_only_shown_never_fails(limits):
    records, clean, treated = pair(60, 20, 3, ("ct", "mr"))
    data = measured(records, {(): answered(clean), TREATED: answered(treated)})
    audit = judged(change(HIGH, family="mine"), data, own(shown=True, size=None, **limits))
    assert audit.shown
    assert audit.verdict != "FAIL"
    assert all(c.verdict != "FAIL" and not c.required and c.p_fail_holm is None for c in audit.parts)
    assert {c.stratum.level for c in audit.parts} == {"all", "ct", "mr"}
    assert audit.sentence.startswith("For information.")
    assert audit.parts[0].estimate.value == pytest.approx(20, abs=1)
    assert audit.estimate.value == audit.parts[0].estimate.value


@pytest.mark.parametrize(
    "effect",
    [
        share("refused"),
        share("lost").under(HIGH).minus(share("lost")),
        change(HIGH),
        falls("pixelate", (1, 5)),
        areas("pixelate", (1, 5)),
        differs(HIGH),
    ],
    ids=str,
)
def test_what_is_only_shown_needs_no_limit(effect):
    rng = np.random.default_rng(5)
    conditions = [(), TREATED, *((Perturbation("pixelate", s),) for s in (1, 5))]
    data = measured(images(40), {c: answered(np.where(rng.random(40) < 0.5, 70.0, np.nan)) for c in conditions})
    audit = judged(effect.named("x", "mine"), data, own(shown=True, size=None))
    assert audit.limit == {}
    assert all((c.margin_low, c.margin_high) == (None, None) for c in audit.parts)
    for sentence in (audit.sentence, *(c.sentence for c in audit.parts)):
        assert not re.search(r"must|\binf\b|∞|nan|None", sentence), sentence


def test_only_the_required_parts_decide():
    records, columns = series_scores(80, [0, 0, 0, 0, 20])
    effect = rises("pixelate", family="mine")
    labels = [f"severity {s}" for s in (1, 2)]
    lenient = judged(effect, measured(records, columns), own(at_most=5.0, required=labels, size=2))
    assert lenient.verdict == "PASS"
    cells = by_part(lenient)
    assert [c.required for c in cells.values()] == [True, True, False, False, False]
    assert cells["severity 5"].verdict == "INCONCLUSIVE"
    assert cells["severity 5"].estimate.value == pytest.approx(20, abs=2)
    assert judged(effect, measured(records, columns), own(at_most=5.0, size=5)).verdict == "FAIL"
