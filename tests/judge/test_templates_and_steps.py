"""Wordings compared pair by pair, and severities step by step."""

import numpy as np
import pytest

from auditkit.errors import AuditkitError
from auditkit.judge.judge import decisions
from auditkit.measure.columns import Measurements
from auditkit.vocabulary import Condition, Contrast, Series, Wordings
from tests.judge.build import answered, images, judged, measured, protocol
from tests.judge.test_means import series_scores

NAMES = ("score_100.direct", "score_100.reader", "score_100.acceptance")
WORDINGS = Wordings("numbers", "templates", NAMES)
STEPS = Series("pixelate", "monotone", "pixelate")


def worded(n, shifts, sd=3.0, modalities=("ct",), seed=0):
    rng = np.random.default_rng(seed)
    records = images(n, modalities)
    clean = rng.uniform(50, 70, len(records))
    columns = {
        (Condition(), name): answered(clean + shift + rng.normal(0, sd, len(records)))
        for name, shift in zip(NAMES, shifts, strict=True)
    }
    return Measurements(records, columns, {})


def test_wordings_that_agree_pass_in_every_pair():
    audit = judged(WORDINGS, worded(60, [0, 0, 0]), "template_equivalence")
    assert audit.verdict == "PASS"
    assert len(audit.by_modality) == 3
    assert {c.condition for c in audit.by_modality} >= {"score_100.reader vs score_100.direct"}


def test_one_wording_apart_fails_where_it_is_compared():
    audit = judged(WORDINGS, worded(60, [0, 0, 12]), "template_equivalence")
    assert audit.verdict == "FAIL"
    by_pair = {c.condition: c for c in audit.by_modality}
    assert by_pair["score_100.reader vs score_100.direct"].verdict == "PASS"
    for other in ("direct", "reader"):
        cell = by_pair[f"score_100.acceptance vs score_100.{other}"]
        assert cell.verdict == "FAIL"
        assert cell.estimate.value == pytest.approx(12, abs=2)
        assert "must stay within ±5.0" in cell.sentence
    assert abs(audit.estimate.value) == pytest.approx(12, abs=2)


def test_three_wordings_spread_over_the_margin_do_not_pass():
    """0, 3.5 and 7: neighbours agree, the ends do not."""
    audit = judged(WORDINGS, worded(100, [0, 3.5, 7]), "template_equivalence")
    assert audit.verdict == "FAIL"
    assert sum(c.verdict == "FAIL" for c in audit.by_modality) == 1


def test_every_pair_counts_in_the_correction():
    family = protocol().families["templates"]
    assert decisions(family, WORDINGS) == 3
    assert decisions(protocol().families["monotone"], STEPS) == 5


def test_wordings_are_needed():
    with pytest.raises(AuditkitError, match="Wordings"):
        judged(Contrast("x", "templates", Condition()), worded(30, [0, 0, 0]), "template_equivalence")


def test_wordings_ask_each_template_once():
    probes = list(WORDINGS.probes(["a", "b"]))
    assert len(probes) == 6
    assert {p.template for p in probes if p.image == "a"} == set(NAMES)
    assert WORDINGS.template == NAMES[0]


def test_a_falling_score_is_monotone():
    records, columns = series_scores(60, [-5, -10, -15, -20, -25])
    audit = judged(STEPS, measured(records, columns), "monotone")
    assert audit.verdict == "PASS"
    assert [c.condition for c in audit.by_modality][:2] == ["severity 0 to 1", "severity 1 to 2"]


def test_a_rise_between_two_severities_fails_there():
    records, columns = series_scores(60, [-5, -10, 2, -20, -25])
    audit = judged(STEPS, measured(records, columns), "monotone")
    assert audit.verdict == "FAIL"
    assert [c.condition for c in audit.by_modality if c.verdict == "FAIL"] == ["severity 2 to 3"]


def test_steps_need_a_series():
    with pytest.raises(AuditkitError, match="Series"):
        judged(Contrast("x", "monotone", Condition()), measured(images(30), {}), "monotone")
