"""The Applied Model Card: in the schema's order, with the record's numbers, and nothing invented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from lxml import etree

from auditkit.evidence import Audit, Definition, Evidence, PartDefinition, Term
from auditkit.report.cards import chai_card
from auditkit.report.cards.chai import NAMESPACE, NOTHING
from auditkit.report.cards.words import NOT_STATED
from tests.report.cards.foreign import poisoned, texts
from tests.report.clauses.build import FAMILIES, INTERVAL, audit, complete, empty, group, right
from tests.report.sample import lean

DTD = etree.DTD(str(Path(__file__).with_name("applied_model_card.dtd")))
STRICT = etree.XMLParser(resolve_entities=False, no_network=True)


def _card(evidence: Evidence) -> etree._Element:
    root = etree.fromstring(chai_card(evidence).encode(), STRICT)
    assert DTD.validate(root), DTD.error_log
    return root


def _text(root: etree._Element, path: str) -> str:
    found = root.find("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/")))
    assert found is not None, path
    return found.text or ""


def _results(root: etree._Element, kind: str) -> Iterator[tuple[str, dict]]:
    for result in root.find(f".//{{{NAMESPACE}}}{kind}").iter(f"{{{NAMESPACE}}}MetricResult"):
        yield _text(result, "Label"), json.loads(_text(result, "ValueJson"))


@pytest.mark.parametrize("make", [complete, empty, lean])
def test_every_record_makes_a_card_with_all_required_elements_in_their_order(make):
    root = _card(make())
    assert root.tag == f"{{{NAMESPACE}}}AppliedModelCard"
    assert root.nsmap == {None: NAMESPACE}


def test_what_the_test_holds_the_card_to_can_fail():
    root = _card(complete())
    root.remove(root[3])
    assert not DTD.validate(root)
    root = _card(complete())
    root.insert(0, root[1])
    assert not DTD.validate(root)


@given(texts)
def test_hostile_text_stays_text(text: str):
    root = _card(poisoned(text))
    assert not root.xpath("//processing-instruction() | //comment()")
    assert all(child.tag.startswith(f"{{{NAMESPACE}}}") for child in root.iter())


def test_what_the_record_does_not_know_is_not_invented():
    for evidence in (empty(), complete()):
        root = _card(evidence)
        for path in (
            "BasicInfo/ModelDeveloper", "BasicInfo/DeveloperContact", "ReleaseInfo/ReleaseStage",
            "ReleaseInfo/ReleaseDate", "UsesAndDirections/HowToUse", "Warnings/ClinicalRiskLevel",
            "TrustIngredients/AISystemFacts/DevelopmentDataCharacterization",
            "TrustIngredients/AISystemFacts/BiasMitigationApproaches",
            "TrustIngredients/TransparencyInformation/FundingSource", "Resources/PeerReviewedPublications",
        ):  # fmt: skip
            assert _text(root, path) == NOT_STATED
    root = _card(empty())
    for path in ("BasicInfo/ModelName", "ReleaseInfo/ReleaseVersion", "UsesAndDirections/IntendedUseAndWorkflow"):
        assert _text(root, path) == NOT_STATED


def test_the_intended_use_is_the_protocols():
    root = _card(complete())
    assert _text(root, "UsesAndDirections/IntendedUseAndWorkflow") == "P."
    assert _text(root, "UsesAndDirections/PrimaryIntendedUsers") == "U."
    assert _text(root, "UsesAndDirections/TargetedPatientPopulation") == "Q."
    assert _text(root, "UsesAndDirections/CautionedOutOfScopeSettings") == "O."


def test_numbers_are_the_records_and_carry_verdict_and_n():
    root = _card(complete())
    kinds = ("UsefulnessUsabilityEfficacy", "FairnessEquity", "SafetyReliability")
    results = [entry for kind in kinds for entry in _results(root, kind)]
    own = [value for label, value in results if not label.endswith("for information")]
    assert len(own) == len(complete().deciding)
    assert all(
        value == {"kind": "estimate_ci", "estimate": 1.25, "lower": -0.5, "upper": 3.0, "level": 95.0, "unit": "points"}
        for label, value in results
        if "skill" not in label
    )
    assert all(
        "PASS, 100 images, 90 clusters" in label for label, _ in results if not label.endswith("for information")
    )
    assert (
        sum("Largest difference, " in label for label, _ in _results(root, "FairnessEquity")) == 5
    )  # by four columns, and right answers by sex


def test_audits_are_placed_by_what_they_hold_and_not_by_their_names():
    root = _card(complete(audits=[audit(family, name="x") for family in FAMILIES]))
    placed = {
        kind: [label.partition("(")[2].partition("/")[0] for label, _ in _results(root, kind)]
        for kind in ("UsefulnessUsabilityEfficacy", "FairnessEquity", "SafetyReliability")
    }
    assert placed == {
        "UsefulnessUsabilityEfficacy": ["sensitivity", "discrimination"],
        "FairnessEquity": ["metadata", "placebo", "differential"],
        "SafetyReliability": ["templates", "direction", "answers", "repeatability", "baseline"],
    }
    deciding = complete().deciding
    renamed = [a.model_copy(update={"family": f"own-{a.family}", "id": f"own-{a.id}"}) for a in deciding]
    root = _card(complete(audits=renamed))
    assert {label.partition("(own-")[2].partition("/")[0] for label, _ in _results(root, "FairnessEquity")} == {
        "metadata",
        "placebo",
        "differential",
    }


def test_right_answers_are_of_use_and_what_is_lost_of_them_is_reliability():
    def lost(family: str, *terms: Term, **more: Any) -> Audit:
        own = {"quantity": terms[0].value, "definition": Definition(parts=[PartDefinition(terms=list(terms))])}
        return audit(family, verb="at_most", **(own | more))

    term = {"task": "pneumonia.present", "value": "correct"}
    root = _card(
        complete(
            audits=[
                right("own-skill", value="above_chance", change=False, verb="at_least"),
                right("own-auc", value="chance of malignant", statistic="separation", change=False),
                right("own-share", change=False, shown=True),
                right("rated", value="completeness", role="judge", change=False, verb="at_least"),
                right("own-decider", value="above_chance", role="decider", change=False, verb="at_least"),
                lost(
                    "own-loss",
                    Term(**term, weight=1.0),
                    Term(**term, weight=-1.0, condition=[("jpeg", 3)]),
                    change=True,
                ),
                lost("own-corrupted", Term(**term, weight=1.0, condition=[("jpeg", 3)]), change=False),
                lost("own-refused", Term(task="pneumonia.present", value="refused", weight=1.0), change=False),
            ]
        )
    )
    placed = {
        kind: [label.partition("(")[2].partition("/")[0] for label, _ in _results(root, kind)]
        for kind in ("UsefulnessUsabilityEfficacy", "FairnessEquity", "SafetyReliability")
    }
    assert sorted(placed["UsefulnessUsabilityEfficacy"]) == ["own-auc", "own-share", "own-skill", "rated"]
    assert sorted(placed["SafetyReliability"]) == ["own-corrupted", "own-decider", "own-loss", "own-refused"]
    assert any(label.endswith("for information") for label, _ in _results(root, "UsefulnessUsabilityEfficacy"))


def test_an_estimate_that_is_missing_is_null_and_an_interval_that_is_missing_is_left_out():
    alone = INTERVAL.model_copy(update={"low": None})
    nothing = INTERVAL.model_copy(update={"value": None})
    root = _card(
        complete(
            audits=[
                audit("metadata", "ERROR", estimate=nothing),
                audit("placebo", estimate=alone),
                group("sex", "a", gap=None),
            ],
        )
    )
    values = {label.split(" ")[1]: value for label, value in _results(root, "FairnessEquity")}
    assert values["(metadata/one):"] == {"kind": "single", "value": None, "unit": "points"}
    assert values["(placebo/one):"] == {"kind": "single", "value": 1.25, "unit": "points"}
    assert len(values) == 2  # no gap was measured: nothing is written as its value
    assert [label for label, _ in _results(root, "SafetyReliability")] == [NOTHING]
    assert _text(root, "KeyMetrics/SafetyReliability/Interpretation") == NOTHING


def test_what_was_not_passed_is_a_warning_by_name():
    root = _card(complete(audits=[audit("metadata", "FAIL", "prestige"), audit("sensitivity", "INCONCLUSIVE", "blur")]))
    assert "- INCONCLUSIVE, Blur (sensitivity/blur): S." in _text(root, "Warnings/KnownRisksAndLimitations")
    assert "metadata/prestige" in _text(root, "Warnings/KnownBiasesOrEthicalConsiderations")
    assert "0 of 1 audits came to an answer" in _text(root, "KeyMetrics/UsefulnessUsabilityEfficacy/Interpretation")


def test_the_worst_stand_first_and_the_rest_are_counted():
    many = [audit("sensitivity", name=f"a{n}", p_pass=n / 100) for n in range(9)]
    many.append(audit("sensitivity", "FAIL", "z", p_pass=0.99))
    root = _card(complete(audits=many))
    names = [label.split("/")[1].split(")")[0] for label, _ in _results(root, "UsefulnessUsabilityEfficacy")]
    assert names == ["z", "a8", "a7", "a6", "a5"]
    assert "9 PASS, 1 FAIL" in _text(root, "KeyMetrics/UsefulnessUsabilityEfficacy/Interpretation")
