"""What is measured and shown, and decides nothing."""

import pytest

from auditkit import shipped


@pytest.mark.source("ISO/IEC TR 24027 (bias between groups)")
@pytest.mark.parametrize("effect", shipped.subgroups(), ids=str)
def test_results_by_patient_and_equipment(effect, audit):
    """Are the results the same for all patients, and on the equipment of every site?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2603.07769 (calibration shift)")
@pytest.mark.parametrize("effect", shipped.calibration(), ids=str)
def test_score_as_chance(effect, audit):
    """Can the score be read as the chance that an image is undamaged?"""
    audit.shows(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", shipped.scoring(), ids=str)
def test_probabilities_beside_answers(effect, audit):
    """Do the probabilities of the choices say what the model wrote about clean images?"""
    audit.shows(effect)


@pytest.mark.source("arXiv:2607.01973 (displacement of embeddings)")
@pytest.mark.parametrize("effect", shipped.embeddings(), ids=str)
def test_what_the_model_holds_inside(effect, audit):
    """Does the model see the degradation, and does its score follow?"""
    audit.shows(effect)
