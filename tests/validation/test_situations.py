"""Every situation on the margin is on the margin that the judge applies."""

from __future__ import annotations

import math

import pytest

from auditkit.judge.judge import Judge
from auditkit.judge.procedures import TABLE, row_of
from auditkit.protocol.model import VERBS
from auditkit.testing import audit_all, simulate
from validation import looks, situations
from validation.models import Jumping, Shifting
from validation.plan import GAPS, KINDS, plan
from validation.situations import GATES, LAYOUTS, Setting, images, protocol_of, situation, unplanned


def audit_of(setting, seed=1):
    what = situation(setting)
    protocol = protocol_of(what.family, 5)
    records = images(setting.layout, setting.patients, what.modalities)
    data = simulate(what.behaviour, records, [what.effect], protocol, seed)
    with unplanned():
        (audit,) = audit_all(data, [what.effect], protocol).values()
    return what, audit


def test_every_procedure_is_measured():
    """Every row of the table by which effects are decided, and every kind of limit of a mean."""
    every = [situation(Setting(gate, kinds[0][0], "1", 32)) for gate, kinds in KINDS.items()]
    protocol = protocol_of(every[0].family, 5)
    measured = {row_of(what.effect, protocol).alone for what in every}
    assert measured == {row.alone for row in TABLE.values() if row.verbs}
    of_means = row_of(every[0].effect, protocol).alone
    verbs = {v for v in VERBS for w in every if v in w.family and row_of(w.effect, protocol).alone is of_means}
    assert verbs == set(VERBS)
    assert set(KINDS) == set(GATES)


@pytest.mark.parametrize(
    "setting",
    [Setting(gate, kind, "1-4", 24) for gate, kinds in KINDS.items() for kind in (*kinds[0], *kinds[1])],
    ids=str,
)
def test_the_truth_lies_on_the_margin_of_the_cell(setting):
    what, audit = audit_of(setting)
    cells = [cell for cell in audit.parts if what.on_margin(cell)]
    assert cells
    assert all(cell.required for cell in cells)
    for cell in cells:
        truth = what.tail if setting.gate == "tail" else what.value(cell)
        limits = (what.family["tail"]["share"],) if setting.gate == "tail" else (cell.margin_low, cell.margin_high)
        assert min(abs(truth - limit) for limit in limits if limit is not None) < 1e-6
        assert not math.isnan(truth)


@pytest.mark.parametrize(
    "setting",
    [Setting(gate, kinds[0][0], "1", 24) for gate, kinds in KINDS.items() if "," not in gate],
    ids=str,
)
def test_a_family_is_one_decision(setting):
    """So that a false FAIL is counted at alpha: the p-value is not multiplied."""
    _, audit = audit_of(setting)
    (cell,) = [cell for cell in audit.parts if cell.required]
    assert cell.p_fail_holm == pytest.approx(cell.p_fail)


@pytest.mark.parametrize("gate", list(GATES))
@pytest.mark.parametrize("truth", ["inside", "outside"])
def test_away_from_the_margin_the_truth_is_on_the_right_side(gate, truth):
    setting = Setting(gate, KINDS[gate][0][0], "1", 64, truth)
    what, audit = audit_of(setting)
    for cell in audit.parts:
        if gate == "tail":
            inside = what.tail < what.family["tail"]["share"]
        else:
            low = -math.inf if cell.margin_low is None else cell.margin_low
            high = math.inf if cell.margin_high is None else cell.margin_high
            inside = low < what.value(cell) < high
        if what.on_margin(cell):
            assert inside == (truth == "inside")
    assert audit.verdict in ({"inside": "PASS", "outside": "FAIL"}[truth], "INCONCLUSIVE")


@pytest.mark.parametrize("missing", GAPS)
def test_gaps_are_in_the_changed_answers_only(missing):
    _, audit = audit_of(Setting("equivalence", "discrete", "1", 200, "margin", missing))
    (cell,) = [cell for cell in audit.parts if cell.stratum.level == "ct"]
    assert cell.control_outcomes.refused == 0
    assert 0 < cell.outcomes.refused <= 24
    assert cell.worst_case is not None


def test_settings_have_names_that_can_be_read_back():
    for setting in [*plan(), *looks.SETTINGS]:
        assert Setting.parse(str(setting)) == setting
        assert setting.layout in LAYOUTS
        assert 24 <= setting.patients <= 256
    assert len({str(setting) for setting in plan()}) == len(plan())
    assert set(plan(7).values()) == {7}


def test_headline_rows_have_2000_replicates():
    wanted = {(s.gate, s.kind) for s, n in plan().items() if n == 2000}
    assert wanted == {(gate, kind) for gate, (quoted, _) in KINDS.items() for kind in quoted}
    layouts = {s.layout for s in plan() if s.gate == "equivalence"}
    assert layouts == set(LAYOUTS)


@pytest.mark.parametrize("gate", ["equivalence", "rate difference", "discrimination", "not raised"])
def test_leaving_out_the_planning_changes_no_verdict(gate):
    setting = Setting(gate, KINDS[gate][0][0], "1", 32)
    what, quick = audit_of(setting)
    protocol = protocol_of(what.family, 5)
    data = simulate(what.behaviour, images("1", 32, ("ct",)), [what.effect], protocol, 1)
    judge = Judge(protocol, data, [what.effect])
    judged = [d for d in judge._judged(what.effect) if d.draft.required]
    assert [d.verdict for d in judged] == [c.verdict for c in quick.parts if c.required]
    assert callable(getattr(Judge, situations.PLANNING))  # renamed: the simulations would only become slow


def test_models_know_their_base():
    shift = situation(Setting("sensitivity", "discrete", "1", 24)).behaviour
    jump = situation(Setting("not raised", "rare", "1", 24)).behaviour
    assert isinstance(shift, Shifting)
    assert isinstance(jump, Jumping)
    assert jump.base == 10.0
    assert jump.probability * 80 == pytest.approx(5.0)
