import json
import math
from itertools import product

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from auditkit.evidence import (
    AnswerColumn,
    Audit,
    Case,
    Cell,
    Data,
    Estimate,
    Evidence,
    ModalityCount,
    ModelInfo,
    Outcomes,
    Point,
    ProtocolInfo,
    Run,
    Stratum,
    json_schema,
    overall,
    whole_verdict,
)


def evidence(**changes) -> Evidence:
    estimate = Estimate(value=1.23456789, low=float("-inf"), high=math.nan, level=0.9)
    cell = Cell(
        stratum=Stratum(level="ct"), verdict="FAIL", sentence="because", estimate=estimate, outcomes=Outcomes(scored=3)
    )
    case = Case(
        item="i", modality="ct", synthetic=True, condition="noise",
        control_answer="<script>\x1b \u202e é", treated_answer="\x00",
    )  # fmt: skip
    audit = Audit(
        id="f/a", question="Does it?", family="f", verb="within", title="A", verdict="FAIL", sentence="because",
        estimate=estimate, parts=[cell], series=[Point(stratum=cell.stratum, condition="x", score=estimate)],
        cases=[case], p_fail=0.01,
    )  # fmt: skip
    whole = {
        "run": Run(id="r", started="2026-01-01T00:00:00+00:00", finished="2026-01-01T00:00:01+00:00",
                   git={"commit": None, "dirty": True}, machine={"cores": 2}),
        "model": ModelInfo(name="m"),
        "protocol": ProtocolInfo(name="p", sha256="0" * 64, profile="ci", alpha=0.05, criteria={"b": 1, "a": [2]}),
        "data": Data(source="demo", n_images=1, n_clusters=1, synthetic_share=1.0,
                     modalities=[ModalityCount(modality="ct", n_images=1, n_clusters=1, n_synthetic=1)]),
        "audits": [audit],
        "verdict": "FAIL",
        "sentence": "so",
    }  # fmt: skip
    return Evidence(**{**whole, **changes})


def test_round_trip_and_the_same_bytes():
    one = evidence()
    text = one.to_json()
    assert Evidence.from_json(text) == one
    assert Evidence.from_json(text).to_json() == text == evidence().to_json()
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_record_fits_the_published_schema_and_the_schema_is_one():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    record = json.loads(evidence().to_json())
    validator.validate(record)
    for change in ({"verdict": "MAYBE"}, {"unknown": 1}, {"audits": {}}):
        assert list(validator.iter_errors({**record, **change}))
    del record["verdict"]
    assert list(validator.iter_errors(record))


def test_unknown_keys_are_refused_at_every_depth():
    record = json.loads(evidence().to_json())
    for path in ([], ["run"], ["data"], ["audits", 0], ["audits", 0, "estimate"], ["audits", 0, "parts", 0]):
        changed = json.loads(json.dumps(record))
        place = changed
        for step in path:
            place = place[step]
        place["vlaue"] = 1
        with pytest.raises(ValidationError, match="vlaue"):
            Evidence.from_json(json.dumps(changed))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float64("nan"), np.float32("inf"), None])
def test_what_is_not_a_number_becomes_null(number):
    assert Estimate(value=number).value is None
    assert json.loads(json.dumps(Estimate(value=number).model_dump(mode="json"), allow_nan=False))["value"] is None


def test_whole_record_is_strict_json():
    json.loads(evidence().to_json(), parse_constant=lambda name: pytest.fail(name))


@given(st.floats(-1e6, 1e6))
def test_numbers_are_rounded_once_and_there_is_no_negative_zero(number):
    kept = Estimate(value=number).value
    assert abs(kept - number) <= 5.1e-7
    assert Estimate(value=kept).value == kept
    assert not (kept == 0 and math.copysign(1, kept) < 0)


@pytest.mark.parametrize("number", [np.float64(0.1), np.float32(0.1), np.int64(3), 3])
def test_numbers_of_numpy_are_plain_in_the_record(number):
    kept = Estimate(value=number)
    assert type(kept.model_dump(mode="json")["value"]) is float
    assert kept.value == pytest.approx(float(number), abs=1e-6)


def test_lone_surrogates_do_not_stop_the_record_from_being_written():
    text = evidence(sentence='file "\udcff\\ \ud800".png').to_json()
    assert Evidence.from_json(text.encode("utf-8").decode("utf-8")).sentence == 'file "\\udcff\\ \\ud800".png'


def test_outcomes_add_up():
    one = Outcomes(scored=1, refused=2, unparsed=3, out_of_range=4, truncated=5, error=6)
    assert one.total == 21
    assert (one + one).total == 42
    assert one + Outcomes() == one


def test_overall():
    assert overall([]) == "INCONCLUSIVE"
    assert overall(["PASS", "PASS"]) == "PASS"
    for one, other in product(["FAIL", "ERROR", "INCONCLUSIVE", "PASS"], repeat=2):
        assert overall([one, other]) == overall([other, one])
        assert (overall([one, other]) == "PASS") == (one == other == "PASS")
    assert overall(["ERROR", "FAIL"]) == "FAIL"
    assert overall(["INCONCLUSIVE", "ERROR"]) == "ERROR"


def shown(verdict: str) -> Audit:
    return Audit(
        id="g/b", question="", family="g", shown=True, title="B", verdict=verdict, sentence="", estimate=Estimate()
    )


@pytest.mark.parametrize("verdict", ["PASS", "FAIL", "INCONCLUSIVE", "ERROR"])
def test_what_is_shown_for_information_never_counts(verdict):
    decides = evidence().audits[0].model_copy(update={"verdict": "PASS"})
    record = evidence(audits=[decides, shown(verdict)])
    assert (record.deciding, record.informing) == ([decides], [shown(verdict)])
    assert whole_verdict(record.audits, []) == ("PASS", "1 PASS of 1 audits: every declared criterion was met.")
    assert whole_verdict([shown(verdict)], [])[0] == "INCONCLUSIVE"


def test_a_part_of_the_declared_audits_never_passes():
    decides = evidence().audits[0].model_copy(update={"verdict": "PASS"})
    verdict, sentence = whole_verdict([decides], ["x/y"])
    assert verdict == "INCONCLUSIVE"
    assert "1 declared audits were not run" in sentence
    assert whole_verdict(evidence().audits, ["x/y"])[0] == "FAIL"


def test_a_column_says_what_was_asked():
    column = AnswerColumn(
        task="quality", wording="direct", condition=[("pixelate", 3), ("again", 1)], values={"": "50 r"}
    )
    assert str(column.question) == "quality.direct pixelate-s3+again-s1"
    assert AnswerColumn.model_validate_json(column.model_dump_json()).question == column.question
