"""Do words about people and places move a score that should come from the image?"""

import pytest

from auditkit import shipped


@pytest.mark.source("arXiv:2607.01973 (operator, device, institution)", "arXiv:2509.21979 (authority)")
@pytest.mark.parametrize("effect", shipped.metadata(), ids=str)
def test_score_ignores_metadata(effect, audit):
    """The quality score must not move when only the words about patient, operator, device or institution change."""
    audit.within(effect)


@pytest.mark.source("auditkit's own: the control for arXiv:2607.01973")
@pytest.mark.parametrize("effect", shipped.placebo(), ids=str)
def test_score_ignores_placebo(effect, audit):
    """The quality score must not move when a sentence without meaning for quality is added."""
    audit.within(effect)
