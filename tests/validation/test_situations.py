"""Every situation on the margin is on the margin that the judge applies."""

from __future__ import annotations

import math

import pytest

from auditkit.judge.judge import Judge
from auditkit.judge.procedures import TABLE, kind_of
from auditkit.protocol.model import VERBS
from auditkit.testing import simulate
from validation import arrays, confidence, groups, looks, tracking
from validation import setting as setting_module
from validation.measured import GATES, situation
from validation.models import Jumping, Shifting
from validation.plan import GAPS, KINDS, RARE, UNEQUAL, plan
from validation.rare import Struck
from validation.setting import LAYOUTS, Setting, images, judged, protocol_of

EVERY_KIND = sorted({(s.gate, s.kind): s for s in plan(1) if s.truth == "margin"}.values(), key=str)


def audit_of(setting, seed=1):
    what = situation(setting)
    records = images(setting.layout, setting.patients, what.modalities)
    return what, judged(what, records, protocol_of(what, 5), seed)


@pytest.mark.parametrize("worse", [False, True])
def test_every_procedure_is_measured(worse):
    """Every kind of effect that may decide, and every kind of limit of a mean; against an earlier run too."""
    every = [situation(Setting(gate, kinds[0][0], "1", 32)) for gate, kinds in KINDS.items()]
    every = [what for what in every if (what.old is not None) == worse]
    protocol = protocol_of(every[0], 5)
    measured = {(what.effect.statistic, kind_of(what.effect, protocol)) for what in every}
    decide = {key for key, row in TABLE.items() if (row.worsening if worse else row.verbs)}
    decide -= {key for key, row in TABLE.items() if not row.verbs}
    elsewhere = set() if worse else set().union(*(m.DECIDES for m in (arrays, confidence, groups, tracking)))
    assert measured | elsewhere == decide, "what is only shown decides nothing"
    verbs = {v for v in VERBS for w in every if v in w.family and kind_of(w.effect, protocol) == "number"}
    assert verbs == set(VERBS)
    assert set(KINDS) == set(GATES)


@pytest.mark.parametrize("setting", EVERY_KIND, ids=str)
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
    """So that a false FAIL is counted at alpha: the p-value is not multiplied.

    (Against an earlier run all patients together are always a second decision.)
    """
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
        assert 24 <= setting.patients <= 400
    assert len({str(setting) for setting in plan()}) == len(plan())
    assert set(plan(7).values()) == {7}


def test_headline_rows_have_500_replicates():
    wanted = {(s.gate, s.kind) for s, n in plan().items() if n == 500}
    alone = {gate: quoted for gate, (quoted, _) in KINDS.items() if not gate.startswith("worse")}
    assert wanted == {(gate, kind) for gate, quoted in alone.items() for kind in quoted}
    layouts = {s.layout for s in plan() if s.gate == "equivalence"}
    assert layouts == set(LAYOUTS) - {"1-12"}  # which is for whole hospitals


def test_what_the_gates_were_found_wanting_in_is_measured():
    every = set(plan())
    assert {s.missing for s in every} == {"none", *GAPS}
    assert {s.gate for s in every if s.layout == "1 or 12"} == set(UNEQUAL)
    assert {s.patients for s in every if s.kind == "jump 100"} == {24, 32, 48, 64, 96, 200}
    assert set(RARE) <= {s.gate for s in every if isinstance(situation(s).behaviour, Struck)}


@pytest.mark.parametrize("gate", ["equivalence", "rate difference", "discrimination", "not raised"])
def test_leaving_out_the_planning_changes_no_verdict(gate):
    setting = Setting(gate, KINDS[gate][0][0], "1", 32)
    what, quick = audit_of(setting)
    protocol = protocol_of(what, 5)
    data = simulate(what.behaviour, images("1", 32, ("ct",)), [what.effect], protocol, 1)
    judge = Judge(protocol, data, [what.effect])
    judged = [d for d in judge._judged(what.effect) if d.draft.required]
    assert [d.verdict for d in judged] == [c.verdict for c in quick.parts if c.required]
    for left_out in (setting_module.PLANNING, setting_module.FIGURES):
        assert callable(getattr(Judge, left_out))  # renamed: the simulations would only become slow


def test_models_know_their_base():
    shift = situation(Setting("sensitivity", "discrete", "1", 24)).behaviour
    jump = situation(Setting("not raised", "rare", "1", 24)).behaviour
    assert isinstance(shift, Shifting)
    assert isinstance(jump, Jumping)
    assert jump.base == 10.0
    assert jump.probability * 80 == pytest.approx(5.0)
