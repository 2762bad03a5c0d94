"""What follows from the true values of a question: for effects of all kinds, none of which a defect knows."""

from __future__ import annotations

import pytest

from auditkit.protocol.effects import areas, change, differs, falls, mean, rises, share, wordings
from auditkit.protocol.model import Family
from auditkit.testing import (
    BatchDependent,
    Bias,
    Constant,
    HidesChanges,
    Insensitive,
    Inverted,
    OutlierPatient,
    Refuses,
    RefusesWorst,
    Squeezed,
    TemplateFragile,
    Unsteady,
)
from auditkit.vocabulary import Perturbation

HIGH = Perturbation("institution.reputation.high")
JPEG, PIXELATE = Perturbation("jpeg", 3), Perturbation("pixelate", 3)
AGAIN, ALONE = Perturbation("again", 1), Perturbation("alone")
REFUSED = share("refused")
BOTH = change(PIXELATE, HIGH).minus(change(PIXELATE)).minus(change(HIGH))
TAIL = {"beyond": 25.0, "share": 0.1}


@pytest.fixture
def says(protocol):
    """What a defect does to the audit of an effect of a family of its own: hit, touched, or nothing."""

    def give(defect, effect, **family):
        families = {"own": Family.model_validate(family)}
        declared = protocol.model_copy(update={"families": families})
        own = effect.named(effect.name, "own")
        return "hit" if defect.hits(own, declared) else "touched" if defect.touches(own, declared) else "free"

    return give


@pytest.mark.parametrize(
    ("defect", "effect", "family", "wanted"),
    [
        # A mean change, its limits in words and by modality
        (Bias((HIGH.name,), 6.0), change(HIGH), {"within": 5.0}, "hit"),
        (Bias((HIGH.name,), 6.0), change(HIGH), {"within": 5.0, "in_each": 10.0}, "hit"),
        (Bias((HIGH.name,), by_modality=(("ct", 6.0),)), change(HIGH), {"within": 5.0, "in_each": 10.0}, "touched"),
        (Bias((HIGH.name,), by_modality=(("ct", 12.0),)), change(HIGH), {"within": 5.0, "in_each": 10.0}, "hit"),
        (Bias((HIGH.name,), -6.0), change(HIGH), {"at_most": 5.0}, "touched"),
        (Bias((HIGH.name,), 5.0), change(HIGH), {"within": 5.0}, "touched"),  # exactly on the limit
        (Bias((HIGH.name,), 6.0), change(HIGH), {"shown": True}, "touched"),
        (Bias((HIGH.name,), 6.0), change(JPEG), {"within": 5.0}, "free"),
        (Bias((HIGH.name,), 6.0), change(HIGH, JPEG, against=(HIGH,)), {"within": 5.0}, "free"),
        (Bias((HIGH.name,), 6.0), change(HIGH, JPEG), {"within": 5.0}, "hit"),
        # A difference of differences: what adds up cancels, what is not seen with the words does not
        (Bias((HIGH.name,), 6.0), BOTH, {"within": 5.0}, "free"),
        (Inverted(("pixelate",), 4.0), BOTH, {"within": 5.0}, "free"),
        # The tail: few items that change a lot
        (BatchDependent(0.15, 30.0), change(ALONE), {"within": 5.0}, "touched"),
        (BatchDependent(0.15, 30.0), change(ALONE), {"within": 5.0, "tail": TAIL}, "hit"),
        (OutlierPatient((HIGH.name,), "p", 90.0), change(HIGH), {"within": 5.0, "tail": TAIL}, "touched"),
        # A fall, a rise, an area
        (Insensitive(("jpeg",)), falls("jpeg"), {"at_least": 2.0}, "hit"),
        (Insensitive(("jpeg",)), falls("pixelate"), {"at_least": 2.0}, "free"),
        (Insensitive(), falls("pixelate"), {"at_least": 2.0}, "hit"),
        (Insensitive(("jpeg",)), rises("jpeg"), {"at_most": 5.0}, "free"),  # unseen is not raised
        (Inverted(("jpeg",), 2.0), rises("jpeg", (1, 2)), {"at_most": 5.0}, "touched"),
        (Inverted(("jpeg",), 2.0), rises("jpeg", (1, 2, 3)), {"at_most": 5.0}, "hit"),
        (Inverted(("jpeg",), 2.0), rises("jpeg"), {"at_most": 5.0, "required": ["severity 1"]}, "touched"),
        (Constant(), areas("jpeg"), {"at_least": 0.7}, "hit"),
        (Squeezed(0.0, 4.0), areas("jpeg"), {"at_least": 0.7}, "free"),  # the order is kept
        (Squeezed(0.0, 9.0), falls("jpeg"), {"at_least": 2.0}, "hit"),
        (Squeezed(0.0, 50.0), falls("jpeg"), {"at_least": 2.0}, "touched"),
        (RefusesWorst(), falls("jpeg"), {"at_least": 2.0}, "touched"),
        (RefusesWorst(), falls("jpeg", (1, 2)), {"at_least": 2.0}, "touched"),
        (Unsteady(0.1, sd=0.5), areas("jpeg"), {"at_least": 0.7}, "touched"),
        # Shares and answers that differ
        (Refuses((HIGH.name,), 0.2), REFUSED.under(HIGH), {"at_most": 0.1}, "hit"),
        (Refuses((HIGH.name,), 0.2), REFUSED.under(HIGH).minus(REFUSED), {"at_most": 0.3}, "touched"),
        (Refuses((HIGH.name,), 0.2), REFUSED.under(HIGH), {"at_least": 0.1}, "touched"),
        (HidesChanges((HIGH.name,), 0.2, 50.0), change(HIGH), {"within": 5.0}, "touched"),
        (Refuses((HIGH.name,), 0.2), share("unusable").under(HIGH), {"at_most": 0.1}, "free"),
        (BatchDependent(0.2), differs(ALONE), {"at_most": 0.1}, "hit"),
        (BatchDependent(0.2), differs(AGAIN), {"at_most": 0.1}, "free"),
        (Unsteady(0.1), differs(AGAIN), {"at_most": 0.18}, "hit"),  # 19 %
        (Unsteady(0.1), differs(AGAIN), {"at_most": 0.20}, "touched"),
        (Unsteady(0.1), REFUSED, {"at_most": 0.1}, "free"),
        # Wordings and levels
        (
            TemplateFragile(("quality.reader",), 20.0),
            wordings("quality", ("direct", "reader")),
            {"within": 10.0},
            "hit",
        ),
        (TemplateFragile(("quality.reader",), 20.0), change(HIGH, wording="reader"), {"within": 10.0}, "free"),
        (Constant(40.0), mean(), {"at_least": 60.0}, "hit"),
        (Constant(70.0), mean(), {"at_least": 60.0}, "touched"),
        # Some items only
        (Bias((HIGH.name,), 6.0), change(HIGH).where("label", "pneumonia"), {"within": 5.0}, "hit"),
        (Bias((HIGH.name,), by_modality=(("ct", 6.0),)), change(HIGH).where("modality", "ct"), {"within": 5.0}, "hit"),
        (Bias((HIGH.name,), by_modality=(("ct", 6.0),)), change(HIGH).where("modality", "mr"), {"within": 5.0}, "free"),
    ],
    ids=str,
)
def test_what_follows_for_an_effect(defect, effect, family, wanted, says):
    assert says(defect, effect, **family) == wanted


def test_a_defect_is_not_blamed_for_what_a_model_without_faults_does(says):
    """Nobody has said that the score should rise with severity, so a model that falls is not the defect's doing."""
    assert says(Bias((HIGH.name,), 6.0), rises("jpeg", (5,)), at_least=2.0) == "free"


def test_without_a_declared_family_nothing_follows(protocol):
    effect = change(HIGH, family="unheard of")
    defect = Bias((HIGH.name,), 50.0)
    assert not defect.hits(effect, protocol)
    assert not defect.touches(effect, protocol)
