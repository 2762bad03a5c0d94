"""Made-up models that say how sure they are: the honest one passes, and each planted danger is found."""

import numpy as np
import pytest

from auditkit.protocol import confidence
from auditkit.protocol.effects import share
from auditkit.protocol.read import load_protocol
from auditkit.tasks.truth import COLUMN_OF
from auditkit.testing import AbstainsOn, Confident, audit_all, labelled_images, made_up_images, simulate
from auditkit.vocabulary import Perturbation
from validation.confidence import PACK

TASK, DONE = "pneumonia.present", Perturbation("jpeg", 3)
OVER = confidence.overconfidence(TASK, family="overconfidence")
EFFECTS = [
    OVER,
    confidence.grows(OVER, DONE, family="overconfidence_under"),
    *(share("refused", TASK, family="refusals_by_class").where(COLUMN_OF + TASK, answer) for answer in ("yes", "no")),
]


@pytest.fixture(scope="module")
def audits():
    pack = load_protocol(PACK)
    family = type(pack.families["skill"])
    limits = {effect.family: family.model_validate({"at_most": 0.1, "size": 2}) for effect in EFFECTS}
    rules = pack.model_copy(update={"families": limits})
    rng = np.random.default_rng(4)
    records = made_up_images({"xray": 200})
    records = labelled_images(records, "label", ["bacterial" if ill else "normal" for ill in rng.random(200) < 0.5])

    def of(behaviour):
        found = audit_all(simulate(behaviour, records, EFFECTS, rules, 5), EFFECTS, rules)
        return [audit.verdict for audit in found.values()]

    return of


def test_who_is_right_as_often_as_it_says_passes(audits):
    assert audits(Confident()) == ["PASS"] * 4


def test_who_says_less_where_it_knows_less_passes(audits):
    """Accuracy falls by 15 points under the corruption, and the confidence with it."""
    assert audits(Confident(falls=0.05)) == ["PASS"] * 4


def test_overconfidence_under_corruption_alone_is_found_there_and_nowhere_else(audits):
    assert audits(Confident(falls=0.1, over_corrupted=0.3)) == ["PASS", "FAIL", "PASS", "PASS"]


def test_overconfidence_everywhere_is_no_growth(audits):
    found = audits(Confident(accuracy=0.7, spread=0.1, over=0.2))
    assert found == ["FAIL", "PASS", "PASS", "PASS"]


def test_who_declines_one_disease_is_found_there_and_nowhere_else(audits):
    assert audits(AbstainsOn(Confident(), "yes", 0.4))[2:] == ["FAIL", "PASS"]


def test_confidence_in_steps(audits):
    assert audits(Confident(steps=0.1)) == ["PASS"] * 4
