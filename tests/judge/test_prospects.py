"""Every undecided cell says what would settle it, and the number it names does settle it."""

import numpy as np
import pytest

from auditkit.judge.prospects import Prospect, together
from auditkit.protocol.effects import areas, share
from auditkit.protocol.read import load_protocol
from auditkit.protocol.shipped import SHIPPED
from auditkit.vocabulary import Perturbation
from tests.judge.build import answered, images, judged, measured, own
from tests.judge.test_means import equivalence, pair, series_scores

PROSPECT = (
    "more would likely settle it",
    "too close to the limit",
    "while so many scores are missing",
    "give items of every class",
    "who guesses has nothing to lose",
)


@pytest.mark.parametrize(("shift", "sd"), [(0, 20), (3, 15), (7, 20), (4.9, 10)])
def test_a_mean(shift, sd):
    [cell] = equivalence(*pair(40, shift, sd, seed=3)).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert any(words in cell.sentence for words in PROSPECT)


def test_the_number_named_settles_it():
    """Nine times in ten, when the effect and the spread are what they were estimated to be."""
    [cell] = equivalence(*pair(30, 0, 12, seed=6)).parts
    assert cell.verdict == "INCONCLUSIVE"
    records, clean, _ = pair(30 + cell.more_clusters, 0, 0)
    passed = 0
    for seed in range(60):
        noise = np.random.default_rng(seed).normal(cell.estimate.value, cell.sd, len(records))
        passed += equivalence(records, clean, clean + noise).verdict == "PASS"
    assert passed >= 46  # 90 %, less three standard errors


def test_a_tail_that_is_too_heavy():
    records, clean, treated = pair(40, 0, 1)
    treated[:2] += 30
    [cell] = equivalence(records, clean, treated).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters is not None
    assert cell.more_clusters > 20


def test_missing_scores_that_more_patients_would_not_mend():
    records, clean, treated = pair(60, 0, 1)
    treated[:20] = np.nan
    [cell] = equivalence(records, clean, treated).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters is None
    assert "more patients would not settle it while so many scores are missing" in cell.sentence


def test_discrimination():
    records, columns = series_scores(33, [0, 0, -5, -5, -6])
    audit = judged(areas("pixelate", family="discrimination"), measured(records, columns))
    still = [c for c in audit.parts if c.required and c.verdict == "INCONCLUSIVE"]
    assert still
    assert all(any(words in c.sentence for words in PROSPECT) for c in still)
    assert any(c.more_clusters for c in still)


@pytest.mark.parametrize("k", [2, 4, 6])
def test_a_rate(k):
    scores = np.full(40, 70.0)
    scores[:k] = np.nan
    audit = judged(share("refused", family="answers"), measured(images(40), {(): answered(scores)}))
    [cell] = audit.parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters if k != 4 else "too close to the limit" in cell.sentence


def test_a_difference_of_rates():
    control, treated = np.full(40, 70.0), np.full(40, 70.0)
    treated[:2] = np.nan
    pixelate, lost = Perturbation("pixelate", 5), share("lost")
    data = measured(images(40), {(): answered(control), (pixelate,): answered(treated)})
    [cell] = judged(lost.under(pixelate).minus(lost).named("x", "differential"), data).parts
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters


def test_several_conditions_are_settled_by_the_slowest_or_by_one_that_fails():
    assert together([Prospect(False, 30), Prospect(False, 50)]) == 50
    assert together([Prospect(False, None), Prospect(False, 50)]) is None
    assert together([Prospect(True, 80), Prospect(False, 50)]) == 80
    assert together([Prospect(True, 80), Prospect(True, 60)]) == 60
    assert together([]) is None


def test_every_undecided_cell_of_the_shipped_protocol_says_so(pytestconfig):
    from auditkit.testing import NOISES, FairReader, audit_all, made_up_images, simulate

    protocol = load_protocol(pytestconfig.rootpath / "audits/protocol.toml")
    effects = [effect for listed in SHIPPED.values() for effect in listed()]
    records = made_up_images({"ct": 26, "mr": 40})
    data = simulate(FairReader(noise=NOISES["noisy"]), records, effects, protocol, 1)
    audits = audit_all(data, effects, protocol).values()
    cells = [c for a in audits for c in a.parts if c.verdict == "INCONCLUSIVE" and c.required and c.n_clusters]
    assert len(cells) > 50
    for cell in cells:
        assert any(words in cell.sentence for words in PROSPECT), cell.sentence
        assert (cell.more_clusters is not None) == ("more would likely settle it" in cell.sentence)


@pytest.mark.parametrize("k", [38, 37])
def test_a_share_that_must_be_high(k):
    """38 of 40 refused is 2 of 40 not refused: turning it round asks for as many patients."""
    low = np.full(40, 70.0)
    low[: 40 - k] = np.nan
    high = np.where(np.isnan(low), 70.0, np.nan)
    mine = share("refused", family="mine")
    [at_least] = judged(mine, measured(images(40), {(): answered(high)}), own(at_least=0.9)).parts
    [at_most] = judged(mine, measured(images(40), {(): answered(low)}), own(at_most=0.1)).parts
    assert at_least.verdict == at_most.verdict == "INCONCLUSIVE"
    assert at_least.more_clusters == at_most.more_clusters > 0


def test_a_difference_within_a_limit_is_settled_by_its_slower_side():
    control, treated = np.full(40, 70.0), np.full(40, 70.0)
    treated[:2] = np.nan
    pixelate, lost = Perturbation("pixelate", 5), share("lost")
    effect = lost.under(pixelate).minus(lost).named("x", "mine")
    data = measured(images(40), {(): answered(control), (pixelate,): answered(treated)})
    [both] = judged(effect, data, own(within=0.1)).parts
    [one] = judged(effect, data, own(at_most=0.1)).parts
    assert both.verdict == one.verdict == "INCONCLUSIVE"
    assert both.more_clusters == one.more_clusters
