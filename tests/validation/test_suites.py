"""The whole protocol, the detection matrix, and several looks."""

from __future__ import annotations

import math

import pytest

from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.testing import DEFECTS, NOISES, audit_all, made_up_images, simulate
from validation import families, looks, matrix
from validation.jobs import Job
from validation.measured import situation
from validation.setting import SHIPPED_PROTOCOL, Setting, images, protocol_of, unplanned
from validation.tables import of_families, of_looks, of_matrix

PROTOCOL = load_protocol(SHIPPED_PROTOCOL)
QUICK = PROTOCOL.model_copy(update={"statistics": PROTOCOL.statistics.model_copy(update={"resamples": 1000})})


def test_every_shipped_family_has_a_model_on_its_margin():
    decide = {name for name in SHIPPED if not PROTOCOL.families[name].shown}
    assert set(families.BOUNDARY) == decide - families.LABELLED
    assert decide > families.LABELLED
    assert set(matrix.SUBSET) == set(families.BOUNDARY)


@pytest.mark.parametrize("family", list(families.BOUNDARY))
def test_the_whole_family_is_on_its_margin(family):
    """Of every effect some required cell has its true value on a margin and none beyond; shown by 400 patients."""
    effects = SHIPPED[family]()[:12]
    records = made_up_images({"ct": 400, "mr": 400})
    data = simulate(families.BOUNDARY[family], records, effects, QUICK, 11)
    with unplanned():
        audits = audit_all(data, effects, QUICK)
    for id_, audit in audits.items():
        distances = []
        for cell in (c for c in audit.parts if c.required):
            estimate = cell.estimate
            assert estimate.value is not None
            half = max(abs((estimate.low or 0) - estimate.value), abs((estimate.high or 0) - estimate.value))
            beyond = max(
                -math.inf if cell.margin_high is None else estimate.value - cell.margin_high,
                -math.inf if cell.margin_low is None else cell.margin_low - estimate.value,
            )
            if family == "discrimination":  # the margin is a floor
                beyond = cell.margin_low - estimate.value
            distances.append(beyond / half)
        near = max(distances)
        assert near < 3, (id_, distances)
        assert (near > -3) == families._on_margin(id_), (id_, distances)


def test_a_model_without_fault_passes_and_one_on_the_margin_does_not():
    counts = families.run(Job("families", "no fault", 0, 1))
    assert counts["whole protocol, any FAIL"] == 0
    assert counts["whole protocol, audits"] == sum(len(SHIPPED[name]()) for name in families.BOUNDARY)
    assert counts["whole protocol, all PASS"] == 1
    counts = families.run(Job("families", "on the margin", 0, 1))
    assert counts["whole protocol, all PASS"] == 0
    assert counts["metadata, audits"] == 40  # 60 less the 20 levels that are neutral
    (table,) = of_families({("families", "on the margin"): counts})
    assert [row[1] for row in table.rows()][-1] == "whole protocol"


def test_the_matrix_covers_every_defect_and_noise():
    rows = matrix.rows()
    assert set(DEFECTS) <= set(rows)
    assert {f"none: {noise}" for noise in NOISES} <= set(rows)
    records = images("1", 32, matrix.MODALITIES)
    for name, make in DEFECTS.items():
        defect = make(2.0, PROTOCOL, records)
        hit = [effect for effect in matrix.effects() if defect.hits(effect, PROTOCOL)]
        assert bool(hit) == (name != "outlier_patient"), name


def test_a_planted_defect_is_counted_where_it_belongs():
    counts = matrix.run(Job("matrix", "opposite", 0, 1))
    assert counts["metadata, hit"] == counts["metadata, hit FAIL"] == 2
    assert counts["any, blamed"] == 0
    counts = matrix.run(Job("matrix", "none: discrete", 0, 1))
    assert "metadata, hit" not in counts
    assert counts["metadata, free PASS"] == counts["metadata, free"] == 6
    titles = [t.title for t in of_matrix({("matrix", "none: discrete"): counts}) if t.rates]
    assert titles == ["Models without defects: PASS, by family", "Models without defects: any FAIL, by family"]


def test_one_look_is_no_look():
    setting = Setting("equivalence", "discrete", "1-4", 40)
    what = situation(setting)
    protocol = protocol_of(what, 3)
    records = images("1-4", 40, what.modalities)
    audit = looks.judged_in_looks(what, setting, protocol, seed=9)
    answers = looks.seed_of("stage", "1", "9")
    (plain,) = audit_all(
        simulate(what.behaviour, records, [what.effect], protocol, answers), [what.effect], protocol
    ).values()
    assert audit.verdict == plain.verdict
    assert [c.estimate for c in audit.parts] == [c.estimate for c in plain.parts]


def test_looks_settle_what_is_clear_early():
    counts = looks.run(Job("looks", "equivalence/discrete/1-4/128/inside/none|4|pocock", 0, 2))
    assert counts["early"] == counts["audit PASS"] == 2
    (table,) = [
        t for t in of_looks({("looks", "equivalence/discrete/1-4/128/inside/none|4|pocock"): counts}) if t.rates
    ]
    assert {rate.claim: rate.value for rate in table.rates} == {"right verdict": 1, "wrong verdict": 0, "early": 1}
