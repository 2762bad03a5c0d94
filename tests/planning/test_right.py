"""Patients for audits of right answers: those with the disease are few where it is rare."""

import math
from pathlib import Path

import pytest
from scipy import stats

from auditkit import AuditkitError, load_protocol
from auditkit.cli import main
from auditkit.planning import AssumedRight, plan_right
from auditkit.protocol import diagnosis

ROOT = Path(__file__).parents[2]
PROTOCOL = load_protocol(ROOT / "packs/diagnosis/protocol.toml")


def needs(family, **assumed):
    found = plan_right(PROTOCOL, AssumedRight(**{"accuracy": 0.9, **assumed}), diagnosis.FAMILIES[family]())
    return {need.about: need for need in found}


def test_the_ill_are_those_who_count_for_sensitivity():
    rare = needs("recall", prevalence=0.1)
    assert rare["with the disease"].counting == rare["without the disease"].counting
    n = rare["with the disease"].counting
    assert rare["with the disease"].in_all == 10 * n
    assert rare["without the disease"].in_all == math.ceil(n / 0.9)
    assert needs("recall", prevalence=0.5)["with the disease"].in_all == 2 * n


def test_the_patients_of_a_loss_are_about_those_of_the_usual_formula():
    """n = psi (z + z)^2 / margin^2 for discordant answers psi and no loss: here by each of two parts at 95 %."""
    psi, margin, power = 0.2, 0.10, 0.95
    usual = psi * (stats.norm.ppf(0.95) + stats.norm.ppf(power)) ** 2 / margin**2
    assert needs("loss", changed=psi)["all"].counting == pytest.approx(usual, rel=0.05)


def test_a_rare_disease_makes_a_skill_harder_to_show():
    def most(prevalence):
        found = plan_right(PROTOCOL, AssumedRight(0.8, prevalence), diagnosis.skill())
        return max(need.in_all for need in found)

    assert most(0.5) < most(0.2) < most(0.05)


def test_every_audit_is_planned_for_once():
    planned = plan_right(PROTOCOL, AssumedRight(0.9))
    declared = {name: len(make()) for name, make in diagnosis.OF_ANSWERS.items() if not PROTOCOL.families[name].shown}
    assert {name: sum(n.audits for n in planned if n.family == name) for name in declared} == declared


def test_no_number_of_patients_passes_what_is_not_so():
    assert needs("recall", accuracy=0.6)["with the disease"].in_all is None


@pytest.mark.parametrize(("wrong", "said"), [({"accuracy": 90.0}, "--accuracy is a share"), ({"prevalence": 0.0}, "-")])
def test_what_is_no_share_is_refused(wrong, said):
    with pytest.raises(AuditkitError, match=said):
        needs("recall", **wrong)


def test_the_command_plans_the_shipped_pack(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["plan", "--accuracy=0.9", "--prevalence=0.1"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 120
    assert "with the disease" in out
    assert "Not planned, because nothing is assumed of it: overconfidence, " in out
    assert main(["plan", "--accuracy=0.9", "--model-sd=12"]) == 4
    assert "one of them is needed" in capsys.readouterr().err
    assert main(["plan", "--model-sd=12", "--prevalence=0.1"]) == 4
    assert "go with --accuracy: --prevalence" in capsys.readouterr().err
    assert main(["plan", "--accuracy=0.9", "--effect=2"]) == 4
    assert "do not go with --accuracy: --effect" in capsys.readouterr().err
    assert main(["plan", "--accuracy=0.9", f"--protocol={ROOT / 'audits/protocol.toml'}"]) == 4
    assert "declares no family of right answers" in capsys.readouterr().err
