"""Does the model know when it does not know?"""

import pytest

from auditkit import diagnosis


@pytest.mark.source("Van Calster 2016 (calibration in the large)")
@pytest.mark.parametrize("effect", diagnosis.overconfidence(), ids=str)
def test_is_as_often_right_as_it_says(effect, audit):
    """The confidence in the answers must not lie far above the share of right ones."""
    audit.at_most(effect)


@pytest.mark.source("Van Calster 2016 (calibration in the large)", "auditkit's own")
@pytest.mark.parametrize("effect", diagnosis.overconfidence_under(), ids=str)
def test_says_so_where_corruption_makes_it_wrong(effect, audit):
    """Where a corruption costs right answers, the confidence must fall too."""
    audit.at_most(effect)


@pytest.mark.source("Brier 1950 (proper score)", "auditkit's own")
@pytest.mark.parametrize("effect", diagnosis.brier_under(), ids=str)
def test_probabilities_survive_corruption(effect, audit):
    """A corruption must not make the probabilities much worse."""
    audit.at_most(effect)


@pytest.mark.source("Geifman & El-Yaniv 2017 (selective classification)")
@pytest.mark.parametrize("effect", diagnosis.kept(), ids=str)
def test_surest_answers_are_right(effect, audit):
    """Of the four fifths of the images that the model is surest of, most answers must be right."""
    audit.at_least(effect)


@pytest.mark.source("Geifman & El-Yaniv 2017 (risk and coverage)")
@pytest.mark.parametrize("effect", diagnosis.risk(), ids=str)
def test_risk_against_coverage(effect, audit):
    """How many of the answers are right when the model keeps those it is surest of?"""
    audit.shows(effect)


@pytest.mark.source("Van Calster 2019 (calibration)")
@pytest.mark.parametrize("effect", diagnosis.reliability(), ids=str)
def test_confidence_against_right_answers(effect, audit):
    """How often are answers of a confidence right, on clean and on corrupted images?"""
    audit.shows(effect)


@pytest.mark.source("Vovk 2012 (split conformal prediction)")
@pytest.mark.parametrize("effect", diagnosis.referral(), ids=str)
def test_referral_by_a_threshold(effect, audit):
    """A threshold chosen on half of the patients refers what is unclear: what does it cover and refer of the others?"""
    audit.shows(effect)
