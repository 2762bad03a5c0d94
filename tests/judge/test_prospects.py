"""Every undecided cell says what would settle it, and the number it names does settle it."""

import numpy as np
import pytest

from auditkit.judge.prospects import Prospect, together
from auditkit.protocol.read import load_protocol
from auditkit.testing import FairReader, audit_all, made_up_images, simulate
from auditkit.vocabulary import Condition, Contrast, Group, Series
from tests.judge.build import answered, images, judged, measured
from tests.judge.test_means import equivalence, pair, series_scores

PROSPECT = ("more would likely settle it", "too close to the limit", "while so many scores are missing")


@pytest.mark.parametrize(("shift", "sd"), [(0, 20), (3, 15), (7, 20), (4.9, 10)])
def test_a_mean(shift, sd):
    [cell] = equivalence(*pair(40, shift, sd, seed=3)).by_modality
    assert cell.verdict == "INCONCLUSIVE"
    assert any(words in cell.sentence for words in PROSPECT)


def test_the_number_named_settles_it():
    """Nine times in ten, when the effect and the spread are what they were estimated to be."""
    [cell] = equivalence(*pair(30, 0, 12, seed=6)).by_modality
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
    [cell] = equivalence(records, clean, treated).by_modality
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters is not None
    assert cell.more_clusters > 20


def test_missing_scores_that_more_patients_would_not_mend():
    records, clean, treated = pair(60, 0, 1)
    treated[:20] = np.nan
    [cell] = equivalence(records, clean, treated).by_modality
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters is None
    assert "more patients would not settle it while so many scores are missing" in cell.sentence


def test_discrimination():
    records, columns = series_scores(33, [0, 0, -5, -5, -6])
    audit = judged(Series("pixelate", "discrimination", "pixelate"), measured(records, columns), "discrimination")
    still = [c for c in audit.by_modality if c.required and c.verdict == "INCONCLUSIVE"]
    assert still
    assert all(any(words in c.sentence for words in PROSPECT) for c in still)
    assert any(c.more_clusters for c in still)


@pytest.mark.parametrize("k", [2, 4, 6])
def test_a_rate(k):
    scores = np.full(40, 70.0)
    scores[:k] = np.nan
    audit = judged(Group("x-refused", "answers"), measured(images(40), {Condition(): answered(scores)}), "rate")
    [cell] = audit.by_modality
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters if k != 4 else "too close to the limit" in cell.sentence


def test_a_difference_of_rates():
    control, treated = np.full(40, 70.0), np.full(40, 70.0)
    treated[:2] = np.nan
    condition = Condition("pixelate", 5)
    data = measured(images(40), {Condition(): answered(control), condition: answered(treated)})
    [cell] = judged(Contrast("x", "differential", condition), data, "rate_difference").by_modality
    assert cell.verdict == "INCONCLUSIVE"
    assert cell.more_clusters


def test_several_conditions_are_settled_by_the_slowest_or_by_one_that_fails():
    assert together([Prospect(False, 30), Prospect(False, 50)]) == 50
    assert together([Prospect(False, None), Prospect(False, 50)]) is None
    assert together([Prospect(True, 80), Prospect(False, 50)]) == 80
    assert together([Prospect(True, 80), Prospect(True, 60)]) == 60
    assert together([]) is None


def test_every_undecided_cell_of_the_shipped_protocol_says_so(pytestconfig):
    from auditkit.protocol.shipped import SHIPPED
    from auditkit.testing import NOISES

    protocol = load_protocol(pytestconfig.rootpath / "audits/protocol.toml")
    comparisons = [c for listed in SHIPPED.values() for c in listed()]
    records = made_up_images({"ct": 26, "mr": 40})
    data = simulate(FairReader(noise=NOISES["noisy"]), records, comparisons, protocol, 1)
    audits = audit_all(data, comparisons, protocol).values()
    cells = [c for a in audits for c in a.by_modality if c.verdict == "INCONCLUSIVE" and c.required]
    assert len(cells) > 50
    for cell in cells:
        assert any(words in cell.sentence for words in PROSPECT), cell.sentence
        assert (cell.more_clusters is not None) == ("more would likely settle it" in cell.sentence)
