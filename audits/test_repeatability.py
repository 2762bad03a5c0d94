"""Does the same question get the same answer?"""

import pytest

from auditkit.protocol.shipped import repeatability_contrasts


@pytest.mark.parametrize("contrast", repeatability_contrasts(), ids=str)
def test_same_question_same_answer(contrast, audit):
    """Asking again, or alone instead of in a batch, must give the same answer."""
    audit.agrees(contrast)
