"""Can the decider be relied on?"""

import pytest

from auditkit import description


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", description.decider(), ids=str)
def test_decider_reads(effect, audit):
    """The decider must be right clearly more often than by guessing."""
    audit.at_least(effect)


@pytest.mark.source("auditkit's own")
@pytest.mark.parametrize("effect", description.position(), ids=str)
def test_decider_ignores_order(effect, audit):
    """The decision must stay the same when the options change places."""
    audit.at_most(effect)


@pytest.mark.source("arXiv:2604.09841 (rate of refusals)")
@pytest.mark.parametrize("effect", description.lost(), ids=str)
def test_answers_can_be_used(effect, audit):
    """Descriptions and decisions must be given, in the form that was asked for."""
    audit.at_most(effect)
