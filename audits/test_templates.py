"""Does the way a question is worded move a score that should come from the image?"""

import pytest

from auditkit import shipped


@pytest.mark.source("arXiv:2604.09841 (sensitivity to prompts)", "arXiv:2605.30646 (stability under paraphrase)")
@pytest.mark.parametrize("effect", shipped.templates(), ids=str)
def test_score_ignores_wording(effect, audit):
    """The quality score must not depend on which of several equivalent questions is asked."""
    audit.within(effect)
