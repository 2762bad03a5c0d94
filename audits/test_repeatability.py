"""Does the same question get the same answer?"""

import pytest

from auditkit import shipped


@pytest.mark.source("arXiv:2603.07769 (agreement of repeated answers)")
@pytest.mark.parametrize("effect", shipped.repeatability(), ids=str)
def test_same_question_same_answer(effect, audit):
    """Asking again, or alone instead of in a batch, must give the same answer."""
    audit.at_most(effect)
