"""What plans say of gaps between groups."""

import pytest

from auditkit.planning.assumed import Assumed, plan_from_sd
from auditkit.planning.least import least_patients
from auditkit.protocol.effects import between, mean, share
from tests.judge.build import FAMILIES, protocol


def rules(limit):
    return protocol(families={**FAMILIES, "groups": {"within": limit, "size": 1}})


@pytest.mark.parametrize(
    ("effect", "limit", "each"),
    # 0.95^59 and 0.9^29 are the first powers below 0.05; a smaller number than the protocol's least does not count.
    [(share("refused"), 0.05, 59), (share("refused"), 0.10, 29), (mean(), 5.0, 29), (mean(), 20.0, 24)],
)
def test_the_fewest_of_each_level_follow_from_the_patients_not_seen(effect, limit, each):
    least = least_patients(between("site", effect, family="groups"), rules(limit))
    assert (least.each, least.together) == (each, None)


def test_a_plan_names_the_families_of_gaps_and_plans_the_others():
    held = protocol(families={**FAMILIES, "subgroups": {"within": 5.0, "required": ["sex"]}})
    plan = plan_from_sd(held, Assumed(model_sd=6.0))
    [said] = [note for note in plan.notes if "each group" in note]
    assert "subgroups" in said
    assert plan.needs
