"""Images without a patient: no verdict rests on them, whatever the statistic, unless the protocol lets it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditkit.judge.judge import Judge
from auditkit.judge.versions import VersionJudge
from auditkit.measure.columns import Measurements
from auditkit.measure.recorded import from_answers, to_answers
from auditkit.protocol.effects import areas, change, differs, falls, share
from auditkit.vocabulary import Perturbation
from tests.judge.build import AGAIN, NEUTRAL, answered, by_level, images, judged, measured, protocol

N = 100
WORDS = change(NEUTRAL, name="words", family="metadata")
TREATED = (NEUTRAL,)
STAND = {"images": {"files_as_patients": True}}


def with_unit(data: Measurements, unit: str, chosen=lambda i: True) -> Measurements:
    """The same answers, with another thing standing for the patients of the chosen images."""
    records = [replace(r, unit=unit) if chosen(i) else r for i, r in enumerate(data.records)]
    return Measurements(records, {question: data.column(question) for question in data.asked()})


def moved(by: float, modalities=("ct",)) -> Measurements:
    rng = np.random.default_rng(11)
    records = images(N, modalities)
    clean = rng.integers(50, 71, len(records)).astype(float)
    return measured(records, {(): answered(clean), TREATED: answered(clean + by + rng.normal(0, 3, len(records)))})


def stepped(by: float) -> Measurements:
    rng = np.random.default_rng(12)
    records, clean = images(N), rng.normal(70, 3, N)
    columns = {(): answered(clean)}
    for severity in range(1, 6):
        columns[(Perturbation("pixelate", severity),)] = answered(clean - by * severity + rng.normal(0, 1, N))
    return measured(records, columns)


def asked_twice(different: int) -> Measurements:
    first = np.full(N, 70.0)
    return measured(
        images(N), {(): answered(first), (AGAIN,): answered(np.where(np.arange(N) < different, 71.0, first))}
    )


def refusing(k: int) -> Measurements:
    return measured(images(N), {(): answered(np.where(np.arange(N) < k, np.nan, 70.0))})


CASES = [
    (WORDS, moved(0), "PASS"),
    (WORDS, moved(12), "FAIL"),
    (falls("pixelate", name="pixelate", family="sensitivity"), stepped(6), "PASS"),
    (falls("pixelate", name="pixelate", family="sensitivity"), stepped(0), "FAIL"),
    (areas("pixelate", name="pixelate", family="discrimination"), stepped(6), "PASS"),
    (areas("pixelate", name="pixelate", family="discrimination"), stepped(0), "FAIL"),
    (differs(AGAIN, name="again", family="repeatability"), asked_twice(0), "PASS"),
    (differs(AGAIN, name="again", family="repeatability"), asked_twice(50), "FAIL"),
    (share("refused", name="refused", family="answers"), refusing(0), "PASS"),
    (share("refused", name="refused", family="answers"), refusing(50), "FAIL"),
]
NAMES = [f"{effect.name}-{verdict}" for effect, _, verdict in CASES]


@pytest.mark.parametrize(("effect", "data", "verdict"), CASES, ids=NAMES)
@pytest.mark.parametrize("unit", ["file", "series"])
def test_no_verdict_rests_on_files_that_stand_for_patients(effect, data, verdict, unit):
    assert judged(effect, data).verdict == verdict
    withheld = judged(effect, with_unit(data, unit))
    assert withheld.verdict == "INCONCLUSIVE"
    required = [cell for cell in withheld.parts if cell.required]
    assert {(cell.p_pass, cell.p_fail, cell.p_fail_holm) for cell in required} == {(1.0, 1.0, 1.0)}
    assert "100 of 100 images have no patient id, so the number of patients is not known" in withheld.sentence
    assert "give patient_id in a manifest, or set files_as_patients = true under [images]" in withheld.sentence
    assert "more would likely" not in withheld.sentence
    assert withheld.estimate == judged(effect, data).estimate, "what was measured is shown as before"


@pytest.mark.parametrize(("effect", "data", "verdict"), CASES, ids=NAMES)
def test_the_protocol_may_let_files_stand_for_patients_and_that_is_said(effect, data, verdict):
    audit = judged(effect, with_unit(data, "file"), protocol(**STAND))
    assert audit.verdict == verdict
    assert "100 of which are images without a patient id" in audit.sentence


@pytest.mark.parametrize(("effect", "data", "verdict"), CASES, ids=NAMES)
def test_a_study_is_known_well_enough(effect, data, verdict):
    assert judged(effect, with_unit(data, "study")).verdict == verdict


def test_one_image_is_enough_and_other_levels_decide_as_before():
    data = with_unit(moved(0, ("ct", "mr")), "file", lambda i: i == 3)
    cells = by_level(judged(WORDS, data))
    assert {level: cell.verdict for level, cell in cells.items()} == {
        "all": "INCONCLUSIVE",
        "ct": "INCONCLUSIVE",
        "mr": "PASS",
    }
    assert "1 of 100 images has no patient id" in cells["ct"].sentence
    assert "1 of 200 images has no patient id" in cells["all"].sentence


REFUSED = share("refused", name="refused", family="answers")


@pytest.mark.parametrize(
    ("effect", "old", "new", "verdict"),
    [
        (WORDS, moved(0), moved(0.5), "PASS"),
        (WORDS, moved(0), moved(0), "PASS"),  # to the letter as before
        (REFUSED, refusing(0), refusing(60), "FAIL"),
    ],
    ids=["close", "identical", "worse"],
)
def test_nor_does_a_verdict_against_an_earlier_run(effect, old, new, verdict):
    for unit, expected in (("patient", verdict), ("file", "INCONCLUSIVE")):
        judge = VersionJudge(protocol(), with_unit(new, unit), with_unit(old, unit), [effect])
        audit = judge.against("baseline", effect, "Question?", "run r")
        assert audit.verdict == expected
        assert ("have no patient id" in audit.sentence) == (unit == "file")


def test_what_is_only_shown_stays_as_it_is():
    effect = change(NEUTRAL, name="words", family="mine")
    rules = protocol(families={"mine": {"shown": True}})
    audit = judged(effect, with_unit(moved(0), "file"), rules)
    assert "files_as_patients" not in audit.sentence


def test_a_record_alone_gives_the_same_verdict():
    data = with_unit(moved(0), "file", lambda i: i % 2 == 0)
    again = from_answers(to_answers(data, 1))
    assert [r.unit for r in again.records] == [r.unit for r in data.records]
    first, second = (Judge(protocol(), d, [WORDS]).audit(WORDS, "Question?") for d in (data, again))
    assert first == second
    assert "50 of 100 images have no patient id" in first.sentence
