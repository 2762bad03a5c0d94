"""Planning from a pilot: each cell against statsmodels or scipy, and from a pilot to a run that ends as planned."""

import math
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from auditkit.errors import AuditkitError
from auditkit.evidence import Audit, Estimate, Outcomes, ProtocolInfo
from auditkit.planning import Where, as_text, plan_from_pilot, with_margin
from auditkit.protocol.read import load_protocol
from auditkit.protocol.recorded import own_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.stats.tail import excess_of_jumps
from auditkit.testing import FairReader, Noise, audit_all, made_up_images, simulate
from tests.judge.build import protocol
from tests.planning.test_sample_size import t_power
from tests.report.sample import lean

SHIPPED_PROTOCOL = Path(__file__).parents[2] / "audits" / "protocol.toml"
RIGHT = ("authority_answers", "recognition", "recognition_loss", "recognition_looking")


def shipped_rules():
    """The shipped protocol: few resamples, nothing only shown, no metadata audits, which ask as the placebos do.

    Nor those of right answers: of two modalities nothing can be told of five.
    """
    rules = load_protocol(SHIPPED_PROTOCOL)
    left_out = {"metadata", *RIGHT}
    families = {name: f for name, f in rules.families.items() if name not in left_out and not f.shown}
    statistics = rules.statistics.model_copy(update={"resamples": 1000})
    return rules.model_copy(update={"families": families, "statistics": statistics})


def run(behaviour, patients, rules, seed, families=None):
    effects = [effect for name in families or rules.families for effect in SHIPPED[name]()]
    data = simulate(behaviour, made_up_images(patients), effects, rules, seed)
    return audit_all(data, effects, rules)


def evidence(audits, rules):
    info = ProtocolInfo(
        name=rules.name, sha256="0", profile=rules.profile, alpha=rules.alpha, criteria=rules.model_dump(mode="json")
    )
    return lean().model_copy(update={"audits": list(audits), "protocol": info, "not_run": []})


@pytest.fixture(scope="module")
def pilot():
    """40 patients in each of two modalities, read by a model that has no defect but some noise."""
    rules = shipped_rules()
    return evidence(run(FairReader(noise=Noise(sd=6.0)), {"ct": 40, "mr": 40}, rules, seed=3).values(), rules)


def test_from_pilot_to_a_run_that_passes(pilot):
    """With the patients that the pilot asks for, every audit of the whole gate passes."""
    plan = plan_from_pilot(pilot)
    whole = plan.patients(plan.needs, whole_gate=True)
    assert {need.settles for need in plan.needs} == {"PASS"}
    assert whole.total == sum(whole.by_stratum.values())
    patients = {where.level: n for where, n in whole.by_stratum.items()}
    assert min(patients.values()) > 32
    audits = run(FairReader(noise=Noise(sd=6.0)), patients, plan.protocol, seed=8)
    assert {audit.verdict for audit in audits.values() if not audit.shown} == {"PASS"}


def test_every_required_cell_of_the_pilot_has_its_need(pilot):
    plan = plan_from_pilot(pilot)
    cells = [(audit.id, cell.stratum.level) for audit in pilot.audits for cell in audit.parts if cell.required]
    assert [(need.audit, need.where.level) for need in plan.needs] == cells
    assert plan.audits == len(pilot.deciding)


def of_family(pilot, family, **changes):
    """The pilot with one audit of one cell, changed; a modality's mean rise is to lie below 10 points."""
    audit = next(a for a in pilot.audits if a.family == family)
    cell = next(c for c in audit.parts if c.required and c.stratum.level == "ct")
    # An estimate drawn towards those of other modalities would be planned with instead of the one given.
    changed = audit.model_copy(update={"parts": [cell.model_copy(update={"shrunken": None} | changes)]})
    return pilot.model_copy(update={"audits": [changed]})


def estimate(value, **more):
    return Estimate(value=value, level=0.9, **more)


@pytest.mark.parametrize("value", [0.0, 4.0, -2.0])
def test_a_mean_inside_its_margin_takes_what_its_spread_says(pilot, value):
    changed = of_family(pilot, "direction", estimate=estimate(value), sd=40.0, rule="t+bootstrap-t", n_clusters=40)
    need = plan_from_pilot(changed).needs[0]
    theirs = [
        TTestPower().power((10 - value) / 40, k, 0.05, alternative="larger")
        for k in (need.one_audit - 1, need.one_audit)
    ]
    assert theirs[0] < 0.9 <= theirs[1] + 1e-6
    assert need.one_audit == need.whole_gate
    assert need.settles == "PASS"


def test_a_mean_beyond_its_margin_takes_what_shows_the_fail(pilot):
    changed = of_family(pilot, "direction", estimate=estimate(20.0), sd=40.0, rule="t+bootstrap-t")
    need = plan_from_pilot(changed).needs[0]
    theirs = t_power(10 / 40, need.one_audit)
    assert theirs[0] < 0.9 <= theirs[1]
    assert need.settles == "FAIL"
    assert "1 of 1 audits end in FAIL" in as_text(plan_from_pilot(changed))


def test_a_fail_is_planned_with_at_least_the_patients_that_must_have_changed(pilot):
    """With fewer than 10 of them the sparse rule would decide, which takes many more."""
    changed = of_family(pilot, "direction", estimate=estimate(60.0), sd=5.0, rule="t+bootstrap-t")
    assert plan_from_pilot(changed).needs[0].one_audit == 10


def test_one_failing_cell_settles_an_audit():
    """Of modalities and their mean, the one beyond its margin and easiest to show is all that is planned."""
    rules = shipped_rules()
    audit = run(FairReader(), {"ct": 30, "mr": 30, "xray": 30}, rules, 1, ("direction",))["direction/brightness"]
    values = {"ct": 2.0, "mr": 9.0, "xray": 15.0, "all": 8.7}
    cells = [
        cell.model_copy(update={"estimate": estimate(values[cell.stratum.level]), "shrunken": None, "sd": 20.0})
        for cell in audit.parts
    ]
    plan = plan_from_pilot(evidence([audit.model_copy(update={"parts": cells})], rules))
    assert [(need.where.level, need.settles) for need in plan.needs] == [("xray", "FAIL")]
    assert plan.claims == 1
    assert plan.patients(plan.needs, whole_gate=False).by_stratum == {
        Where("ct"): 0,
        Where("mr"): 0,
        Where("xray"): plan.needs[0].one_audit,
    }


def test_a_planned_fail_is_found_as_often_as_planned():
    """A score that falls by 1 point per step instead of 2: ten audits in 12 runs of as many patients as planned."""
    rules = shipped_rules()
    flat = FairReader(fall=1.0, noise=Noise(sd=6.0))
    large = run(flat, {"ct": 400}, rules, 1, ("sensitivity",)).values()
    plan = plan_from_pilot(evidence(large, rules))
    assert {need.settles for need in plan.needs} == {"FAIL"}
    n = max(need.one_audit for need in plan.needs)
    assert 20 < n < 120
    verdicts = [
        a.verdict for seed in range(12) for a in run(flat, {"ct": n}, rules, 50 + seed, ("sensitivity",)).values()
    ]
    assert np.mean([verdict == "FAIL" for verdict in verdicts]) >= 0.85


def test_a_fail_is_planned_with_the_correction_of_its_family(pilot):
    one = of_family(pilot, "direction", estimate=estimate(20.0), sd=40.0, rule="t+bootstrap-t")
    four = one.model_copy(
        update={"audits": [one.audits[0].model_copy(update={"id": f"direction/{i}"}) for i in range(4)]}
    )
    n = plan_from_pilot(four).needs[0].one_audit
    theirs = t_power(10 / 40, n, 0.05 / 4)
    assert theirs[0] < 0.9 <= theirs[1]


def tail_of(x, alpha=0.05):
    """The estimate that a record holds of these excesses."""
    found = excess_of_jumps(x, 0.1, alpha)
    return Estimate(value=found.estimate, low=found.low, high=found.high, level=found.level, unit="share")


def test_the_tail_decides_where_it_is_the_harder(pilot):
    """Of 40 patients 4 jump and 2 by noise alone: as many as planned, drawn from these, through the tail's own gate."""
    x = np.repeat([1.0, -1.0, 0.0], [4, 2, 34])
    changed = of_family(
        pilot, "placebo", estimate=estimate(0.0), sd=5.0, rule="t+bootstrap-t", tail=tail_of(x), n_clusters=40
    )
    need = plan_from_pilot(changed).needs[0]
    assert need.claim == "at most 10 % more answers move by > 25 points than by noise"
    assert need.assumed == "5 % more answers"
    drawn = np.random.default_rng(1).choice(x, (300, need.one_audit))
    passed = np.mean([excess_of_jumps(row, 0.1, 0.05).decision == "inside" for row in drawn])
    assert 0.95 - 0.045 <= passed < 0.99
    many = np.repeat([1.0, 0.0], [20, 20])
    too_many = of_family(
        pilot, "placebo", estimate=estimate(0.0), sd=5.0, rule="t+bootstrap-t", tail=tail_of(many), n_clusters=40
    )
    assert plan_from_pilot(too_many).needs[0].settles == "FAIL"


def test_a_tail_without_any_jump_takes_what_the_range_asks_for(pilot):
    """0.9^29 < 0.05: nothing else makes it uncertain."""
    changed = of_family(
        pilot, "placebo", estimate=estimate(0.0), sd=40.0, rule="t+bootstrap-t", tail=tail_of(np.zeros(40)),
        n_clusters=40,
    )  # fmt: skip
    rules = own_protocol(pilot)
    placebo = rules.families["placebo"].model_copy(update={"within": 99.0, "in_each": None})
    wide = rules.model_copy(update={"families": rules.families | {"placebo": placebo}})
    assert plan_from_pilot(changed, wide).needs[0].one_audit == 29


def test_cells_without_spread_take_what_the_range_asks_for(pilot):
    changed = of_family(pilot, "direction", estimate=estimate(0.0), sd=0.0, rule="sparse: bounded mean")
    assert plan_from_pilot(changed).needs[0].one_audit == 29  # 0.9^29 < 0.05
    assert plan_from_pilot(changed).needs[0].assumed == "mean 0.0, sd 0.0 points"


@pytest.mark.parametrize(("area", "arm"), [(0.85, 0.6), (0.75, 0.3)])
def test_the_spread_of_an_area_is_read_off_its_interval(pilot, area, arm):
    """Logit(area) has the standard error arm / t with 40 patients; Student's power for the distance to the floor."""
    logit = math.log(area / (1 - area))
    ends = {"low": 1 / (1 + math.exp(arm - logit)), "high": 1 / (1 + math.exp(-arm - logit))}
    changed = of_family(pilot, "discrimination", estimate=estimate(area, unit="AUROC", **ends), n_clusters=40)
    need = plan_from_pilot(changed).needs[0]
    sd = arm / stats.t.ppf(0.95, 39) * math.sqrt(40)
    distance = (logit - math.log(0.7 / 0.3)) / sd
    theirs = t_power(distance, need.one_audit)
    assert theirs[1] >= 0.9 - 1e-4
    assert theirs[0] < 0.9 + 1e-4 or need.one_audit == 32


def test_lost_answers_are_planned_as_if_no_image_lost_both(pilot):
    lost, kept = Outcomes(scored=36, refused=4), Outcomes(scored=38, unparsed=1, truncated=1)
    changed = of_family(pilot, "differential", estimate=estimate(0.05), outcomes=lost, control_outcomes=kept)
    need = plan_from_pilot(changed).needs[0]
    assert need.assumed == "10 % lost when treated, 5 % in control"
    none = of_family(
        pilot,
        "differential",
        estimate=estimate(0.0),
        outcomes=Outcomes(scored=40),
        control_outcomes=Outcomes(scored=40),
    )
    assert plan_from_pilot(none).needs[0].one_audit == 29 < need.one_audit


def test_values_that_are_no_outcome_are_planned_from_their_spread(pilot):
    """Of 40 patients 3 are flagged under the corruption only, and 1 without it only."""
    x = np.repeat([1.0, -1.0, 0.0], [3, 1, 36])
    changed = of_family(pilot, "spared", estimate=estimate(x.mean()), sd=float(x.std(ddof=1)), n_clusters=40)
    assert plan_from_pilot(changed).needs[0].assumed == "7.5 % flagged when treated, 2.5 % in control"
    never = of_family(pilot, "spared", estimate=estimate(0.0), sd=0.0, n_clusters=40)
    assert plan_from_pilot(never).needs[0].one_audit == 29  # 0.9^29 < 0.05
    alone = of_family(pilot, "spared", estimate=estimate(0.0), sd=None, n_clusters=1)
    assert plan_from_pilot(alone).needs[0].assumed == "50 % flagged when treated, 50 % in control"


def test_what_a_pilot_cannot_tell_of_right_answers_is_said():
    """Decisions that count every modality alike have no levels by modality, and a loss takes that there is a skill."""
    rules = load_protocol(SHIPPED_PROTOCOL)
    plan = plan_from_pilot(evidence(run(FairReader(), {"ct": 30, "mr": 30}, rules, 1, RIGHT).values(), rules))
    assert {need.family for need in plan.needs} == {"authority_answers", "recognition_loss"}
    assert {where.level for where in plan.strata} == {"ct", "mr"}
    assert any(
        "every kind of right answer counts alike" in note and "each has: recognition and recognition_looking." in note
        for note in plan.notes
    )
    assert any("A PASS of recognition_loss also takes that the model is shown to be" in note for note in plan.notes)


def test_what_was_not_measured_is_not_planned(pilot):
    changed = of_family(pilot, "sensitivity", estimate=Estimate(), sd=None)
    assert plan_from_pilot(changed).needs[0].one_audit is None
    alone = of_family(pilot, "sensitivity", estimate=estimate(5.0), sd=None, n_clusters=1)
    assert plan_from_pilot(alone).needs[0].claim == "one patient shows no spread"


def test_other_criteria_for_the_same_pilot(pilot):
    wide = with_margin(own_protocol(pilot), 20.0)
    narrow, own = plan_from_pilot(pilot, wide), plan_from_pilot(pilot)
    assert narrow.patients(narrow.needs, whole_gate=True).total <= own.patients(own.needs, whole_gate=True).total
    strict = plan_from_pilot(pilot, own_protocol(pilot, "pilot"))
    assert strict.protocol.alpha == 0.025
    assert strict.patients(strict.needs, whole_gate=True).total > own.patients(own.needs, whole_gate=True).total


def test_pilots_that_cannot_be_used(pilot):
    with pytest.raises(AuditkitError, match="nothing to plan from"):
        plan_from_pilot(pilot.model_copy(update={"audits": []}))
    with pytest.raises(AuditkitError, match=r"does not say how far the patients of sensitivity/.* spread"):
        plan_from_pilot(of_family(pilot, "sensitivity", sd=None))
    only_metadata = protocol(families={"metadata": {"within": 5.0}})
    with pytest.raises(
        AuditkitError, match=r"does not declare for the family 'sensitivity'; declared: metadata \(within\)"
    ):
        plan_from_pilot(of_family(pilot, "sensitivity"), only_metadata)
    with pytest.raises(AuditkitError, match="profile 'none' is not declared"):
        own_protocol(pilot, "none")
    with pytest.raises(AuditkitError, match="power is a probability"):
        plan_from_pilot(pilot, power=1.2)


def test_what_is_shown_and_what_an_earlier_run_was_held_against_are_not_planned(pilot):
    shown = pilot.audits[0].model_copy(update={"shown": True})
    against = pilot.audits[1].model_copy(update={"id": "baseline/x", "family": "baseline", "statistic": "worsening"})
    plan = plan_from_pilot(pilot.model_copy(update={"audits": [shown, against, *pilot.audits[2:]]}))
    assert plan.audits == len(pilot.deciding) - 2
    assert {need.audit for need in plan.needs} == {audit.id for audit in pilot.deciding[2:]}


def test_another_margin_is_put_into_the_own_families_of_a_pilot_that_was_held_against_an_earlier_run(pilot):
    against = [
        audit.model_copy(update={"id": f"baseline/{audit.id}", "family": "baseline", "statistic": "worsening",
                                 "definition": None})
        for audit in pilot.deciding
    ]  # fmt: skip
    held = pilot.model_copy(update={"audits": [*pilot.audits, *against]})
    rules = own_protocol(pilot)
    changed = with_margin(rules, 4.0, held)
    assert changed == with_margin(rules, 4.0, pilot)
    assert changed.families["placebo"].limit == 4.0
    assert plan_from_pilot(held, changed).needs == plan_from_pilot(pilot, changed).needs


def renamed(pilot, family: str) -> Audit:
    """The first audit of a family of the pilot under a name that auditkit does not ship."""
    audit = next(a for a in pilot.audits if a.family == family)
    return audit.model_copy(update={"id": "mine/one", "family": "mine"})


@pytest.mark.parametrize("family", ["sensitivity", "discrimination", "direction", "placebo", "answers", "differential"])
def test_audits_of_ones_own_are_planned_from_what_the_record_says(pilot, family):
    """The same audit under a name that auditkit does not ship: only the range of a fall is not in the record."""
    rules = own_protocol(pilot)
    mine = renamed(pilot, family)
    families = {**rules.families, "mine": rules.families[family]}
    both = [audit for audit in pilot.audits if audit.family == family][:1]
    alone = plan_from_pilot(pilot.model_copy(update={"audits": both}), rules)
    other = plan_from_pilot(
        pilot.model_copy(update={"audits": [mine]}), rules.model_copy(update={"families": families})
    )
    assert [n.claim for n in alone.needs] == [n.claim for n in other.needs]
    assert [n.one_audit for n in alone.needs] == [n.one_audit for n in other.needs]


def test_levels_of_another_column_are_not_added_to_modalities(pilot):
    """Modalities and scanners divide the same patients: the larger of the two sums is enough."""
    audit = next(a for a in pilot.audits if a.family == "direction")
    cells = [
        cell.model_copy(update={"stratum": cell.stratum.model_copy(update={"column": "scanner"})})
        for cell in audit.parts
    ]
    scanners = audit.model_copy(update={"id": "direction/scanners", "parts": cells})
    one, both = (
        plan_from_pilot(pilot.model_copy(update={"audits": audits})) for audits in ([audit], [audit, scanners])
    )
    alone = {where.level: n for where, n in one.patients(one.needs, whole_gate=False).by_stratum.items()}
    found = both.patients(both.needs, whole_gate=False)
    assert found.total == sum(alone.values())
    assert {where.column for where in found.by_stratum} == {"modality", "scanner"}
    assert "Scanner: ct" in as_text(both)


def test_a_margin_reaches_the_families_that_the_pilot_measured(pilot):
    rules = own_protocol(pilot)
    mine = renamed(pilot, "direction")
    families = {**rules.families, "mine": rules.families["direction"]}
    wide = with_margin(
        rules.model_copy(update={"families": families}), 20.0, pilot.model_copy(update={"audits": [mine]})
    )
    assert (wide.families["mine"].at_most, wide.families["direction"].at_most) == (20.0, 20.0)
    assert wide.families["sensitivity"] == rules.families["sensitivity"]
    assert with_margin(rules.model_copy(update={"families": families}), 20.0).families["mine"].at_most == 5.0


def test_the_text_of_a_pilots_plan_has_one_line_per_audit(pilot):
    text = as_text(plan_from_pilot(pilot))
    lines = text.splitlines()
    for audit in pilot.deciding:
        assert sum(line.startswith(f"{audit.id} ") for line in lines) == 1
    assert "taken for the truth" in text
    steps = next(line.split() for line in lines if line.startswith("patients in each modality"))
    settled = next(line.split() for line in lines if line.startswith("audits settled"))
    assert steps[-6:] == ["32", "64", "128", "256", "512", "1024"]
    plan = plan_from_pilot(pilot)
    for n, count in zip(steps[-6:], settled[-6:], strict=True):
        enough = {a.id for a in pilot.deciding}
        for need in plan.needs:
            if need.one_audit is None or need.one_audit > int(n) * (2 if need.where.level == "all" else 1):
                enough.discard(need.audit)
        assert int(count) == len(enough)
    assert any(line.startswith("CT ") for line in lines)
