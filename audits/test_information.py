"""What is measured and shown, and decides nothing."""

import pytest

from auditkit import shipped


@pytest.mark.parametrize("effect", shipped.subgroups(), ids=str)
def test_results_by_patient_and_equipment(effect, audit):
    """Are the results the same for all patients, and on the equipment of every site?"""
    audit.shows(effect)
