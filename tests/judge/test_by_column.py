"""Families that decide the levels of another column than the modality, one by one."""

import numpy as np
import pytest

from auditkit.judge.versions import VersionJudge
from auditkit.protocol.effects import areas, change, falls, share
from tests.judge.build import HIGH, answered, by_level, images, judged, measured, own
from tests.judge.test_means import series_scores

TREATED = (HIGH,)


def scanners(n=120, of=3):
    """Images of two modalities; in each the scanners take turns, so that every scanner has both."""
    return images(n, ("ct", "mr"), column=lambda i: {"scanner": ["north", "south", "west"][i % of]})


def shifted(records, by_scanner, sd=3.0, seed=7):
    rng = np.random.default_rng(seed)
    clean = rng.integers(50, 70, len(records)).astype(float)
    shift = np.array([by_scanner.get(r.attributes["scanner"], 0.0) for r in records])
    return measured(records, {(): answered(clean), TREATED: answered(clean + shift + rng.normal(0, sd, len(records)))})


def test_every_level_is_decided_and_the_sentence_names_the_column():
    data = shifted(scanners(), {"south": 12.0})
    audit = judged(change(HIGH, family="mine"), data, own(within=5.0, by="scanner"))
    assert audit.verdict == "FAIL"
    cells = by_level(audit)
    assert {level: c.verdict for level, c in cells.items() if level != "all"} == {
        "north": "PASS", "south": "FAIL", "west": "PASS",
    }  # fmt: skip
    assert {c.stratum.column for c in audit.parts} == {"scanner"}
    assert "1 of 3 levels of scanner (scanner south)" in audit.sentence
    assert "(scanner south). +1" in audit.sentence  # the only one, and named: it is no instance
    assert audit.rule.startswith("every scanner must pass")
    assert sum(c.n_clusters for level, c in cells.items() if level != "all") == cells["all"].n_clusters == 240
    by_modality = judged(change(HIGH, family="mine"), data, own(within=5.0))
    assert set(by_level(by_modality)) == {"all", "ct", "mr"}
    assert "FAIL" not in {c.verdict for c in by_modality.parts}, "a third of the images moved: the modalities hide it"


def test_two_limits_by_another_column():
    data = shifted(scanners(), {"south": 6.0})
    audit = judged(change(HIGH, family="mine"), data, own(within=5.0, in_each=10.0, by="scanner"))
    assert audit.verdict == "PASS"
    assert [c.stratum.level for c in audit.parts] == ["all", "north", "south", "west"]
    assert audit.sentence.startswith("Met in all 3 levels of scanner and over all together.")
    assert "modalit" not in audit.sentence


def test_items_without_a_level_are_a_level_of_their_own():
    records = images(60, column=lambda i: {"scanner": "north"} if i % 2 else {})
    rng = np.random.default_rng(1)
    clean = rng.integers(50, 70, 60).astype(float)
    data = measured(records, {(): answered(clean), TREATED: answered(clean + rng.normal(0, 2, 60))})
    audit = judged(change(HIGH, family="mine"), data, own(within=5.0, by="scanner"))
    assert [c.stratum.level for c in audit.parts if c.stratum.level != "all"] == ["north", "unknown"]
    assert sum(c.n_clusters for c in audit.parts if c.stratum.level != "all") == 60


def test_a_column_that_nobody_has_is_one_unknown_level():
    data = measured(images(60), {(): answered(np.full(60, 60.0)), TREATED: answered(np.full(60, 60.0))})
    audit = judged(change(HIGH, family="mine"), data, own(within=5.0, by="scaner"))
    assert [c.stratum.level for c in audit.parts] == ["unknown"]


def test_levels_count_in_the_correction():
    """Three scanners and all together: four decisions of a family of one."""
    data = shifted(scanners(), {"south": 10.0}, sd=20)
    cells = judged(change(HIGH, family="mine"), data, own(within=5.0, by="scanner")).parts
    smallest = min((c for c in cells if c.required), key=lambda c: c.p_fail)
    assert 0.001 < smallest.p_fail < 0.25
    assert smallest.p_fail_holm == pytest.approx(4 * smallest.p_fail, abs=1e-5)


def test_shares_areas_and_series_follow_the_column():
    records, columns = series_scores(120, [-20, -25, -25, -30, -35])
    records = images(120, column=lambda i: {"scanner": ["north", "south", "west"][i % 3]})
    columns[()].scores[::3] = np.nan
    columns[()].outcomes[::3] = 1
    data = measured(records, columns)
    refused = by_level(judged(share("refused", family="mine"), data, own(at_most=0.5, by="scanner")))
    assert [refused[level].estimate.value for level in ("north", "south", "west")] == [1.0, 0.0, 0.0]
    assert [refused[level].verdict for level in ("north", "south", "west")] == ["FAIL", "PASS", "PASS"]
    area = judged(areas("pixelate", (5,), family="mine"), data, own(at_least=0.7, by="scanner"))
    assert {c.stratum.level: c.verdict for c in area.parts} == {
        "north": "INCONCLUSIVE", "south": "PASS", "west": "PASS",
    }  # fmt: skip
    fall = judged(falls("pixelate", family="mine"), data, own(at_least=2.0, by="scanner"))
    assert {(p.stratum.column, p.stratum.level) for p in fall.series} == {
        ("scanner", level) for level in ("all", "north", "south", "west")
    }


def test_a_new_version_is_held_to_the_same_levels():
    new, old = shifted(scanners(), {"south": 15.0}), shifted(scanners(), {}, seed=8)
    effect = change(HIGH, family="mine")
    judge = VersionJudge(own(within=5.0, by="scanner"), new, old, [effect])
    audit = judge.against("baseline", effect, "Question?", "run r of m")
    assert audit.verdict == "FAIL"
    assert {level: c.verdict for level, c in by_level(audit).items() if level != "all"} == {
        "north": "PASS", "south": "FAIL", "west": "PASS",
    }  # fmt: skip
    assert "scanner south" in audit.sentence
