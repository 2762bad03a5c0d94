"""Does the way a question is worded move a score that should come from the image?"""

import pytest

from auditkit.protocol.shipped import template_wordings


@pytest.mark.parametrize("wordings", template_wordings(), ids=str)
def test_score_ignores_wording(wordings, audit):
    """The quality score must not depend on which of several equivalent questions is asked."""
    audit.same_in_words(wordings)
