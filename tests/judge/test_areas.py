"""Telling clean from corrupted: which severities are required, chance, constant scores, too few patients."""

import numpy as np
import pytest

from auditkit.protocol.effects import areas
from auditkit.vocabulary import Perturbation
from tests.judge.build import answered, by_part, images, judged, measured
from tests.judge.test_means import series_scores

PIXELATE = areas("pixelate", family="discrimination")


def test_discrimination_requires_the_severities_named():
    records, columns = series_scores(40, [0, 0, -25, -30, -35])
    audit = judged(PIXELATE, measured(records, columns))
    assert audit.verdict == "PASS"
    cells = by_part(audit)
    assert list(cells) == [f"severity {s}" for s in range(1, 6)]
    assert [c.level for c in cells.values()] == [1, 2, 3, 4, 5]
    assert [c.required for c in cells.values()] == [False, False, True, True, True]
    assert cells["severity 1"].verdict == "INCONCLUSIVE"
    assert cells["severity 5"].estimate.value > 0.95
    assert (audit.statistic, audit.unit, audit.change) == ("area", "AUROC", False)


def test_discrimination_at_chance_fails():
    records, columns = series_scores(60, [0, 0, 0, 0, 0])
    audit = judged(PIXELATE, measured(records, columns))
    assert audit.verdict == "FAIL"
    assert audit.parts[-1].estimate.value == pytest.approx(0.5, abs=0.15)


def test_constant_scores_do_not_discriminate():
    records = images(60)
    columns = {(Perturbation("pixelate", s),) if s else (): answered(np.full(60, 70.0)) for s in range(6)}
    assert judged(PIXELATE, measured(records, columns)).verdict == "FAIL"


@pytest.mark.parametrize(("n", "verdict"), [(16, "INCONCLUSIVE"), (17, "PASS")])
def test_an_area_of_one_needs_17_patients_for_a_floor_of_070(n, verdict):
    """Of 16 patients 0.05^(1/16) = 0.829 of all can be stood for: 0.688 of the pairs, and 0.702 with 17."""
    columns = {
        (Perturbation("pixelate", s),) if s else (): answered(90 - 10.0 * s + np.arange(n) % 3) for s in range(6)
    }
    audit = judged(PIXELATE, measured(images(n), columns))
    assert audit.verdict == verdict
    assert {c.estimate.value for c in audit.parts} == {1.0}
    if verdict == "INCONCLUSIVE":
        assert (
            "16 patients are too few for an area 0.30 above its floor: one in 5 of all could be quite "
            "unlike them; it takes 17 or more"
        ) in audit.sentence


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    """Counted pair by pair, ties as halves."""
    records, columns = series_scores(33, [-1, -3, -5, -8, -2], seed=4)
    cells = by_part(judged(PIXELATE, measured(records, columns)))
    clean = columns[()].scores
    for severity in range(1, 6):
        treated = columns[Perturbation("pixelate", severity),].scores
        pairs = [1.0 if c > t else 0.5 if c == t else 0.0 for c in clean for t in treated]
        assert cells[f"severity {severity}"].estimate.value == pytest.approx(np.mean(pairs), abs=1e-6)


def test_all_items_together_are_shown_but_decide_nothing():
    """An area over all modalities compares items across them."""
    records, columns = series_scores(40, [0, 0, -25, -30, -35], modalities=("ct", "mr"))
    audit = judged(PIXELATE, measured(records, columns))
    assert {c.stratum.level for c in audit.parts} == {"ct", "mr"}
    assert audit.estimate.value > 0.9
    assert audit.p_pass == max(c.p_pass for c in audit.parts if c.required)


@pytest.mark.parametrize(("missing", "verdict"), [(0, "FAIL"), (2, "FAIL"), (30, "INCONCLUSIVE")])
def test_a_fail_survives_missing_scores_counted_as_right(missing, verdict):
    """At chance; with 30 of 90 treated scores at 0, a third of the pairs is right and of the rest half: 0.67."""
    rng = np.random.default_rng(3)
    scores = rng.permutation(np.arange(5.0, 95.0))
    conditions = [(), *((Perturbation("pixelate", s),) for s in range(1, 6))]
    columns = {c: answered(rng.permutation(scores)) for c in conditions}
    for condition in conditions[1:]:
        column = columns[condition]
        column.scores[:missing], column.outcomes[:missing] = np.nan, 1
    audit = judged(PIXELATE, measured(images(90), columns))
    assert audit.verdict == verdict, audit.sentence
    told = "with the missing scores counted as right it is not shown to be broken"
    assert (told in audit.sentence) == (verdict != "FAIL")
