"""Are the answers still right when the image gets worse?"""

import pytest

from auditkit import diagnosis


@pytest.mark.source("arXiv:2505.15425 (accuracy under corruption)")
@pytest.mark.parametrize("effect", diagnosis.loss(), ids=str)
def test_right_answers_survive_corruption(effect, audit):
    """A corruption must cost few right answers, and there must be right answers to lose."""
    audit.at_most(effect)


@pytest.mark.source("ICH E10 (assay sensitivity)", "auditkit's own")
@pytest.mark.parametrize("effect", diagnosis.loss_by_class(), ids=str)
def test_neither_class_pays_for_the_other(effect, audit):
    """A corruption must cost little sensitivity and little specificity, each by itself."""
    audit.at_most(effect)
