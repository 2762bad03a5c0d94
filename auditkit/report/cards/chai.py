"""The CHAI Applied Model Card (schema v0.2) as XML, from what a record holds.

The record knows the run; it does not know who made the model, of what, or for whom, beyond what the protocol states.
Such elements are required by the schema: they read "not stated", for the developer to fill in.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from auditkit.evidence import Audit, Estimate, Evidence
from auditkit.report.cards import words
from auditkit.report.cards.markdown import escaped
from auditkit.report.cards.words import NOT_STATED, listing, paragraph, stated
from auditkit.report.right_answers import tells_rightness
from auditkit.report.views import families, verdict_counts
from auditkit.words import audit_name, format_words, modality_name, moment, visible

NAMESPACE = "https://mc.chai.org/v0.2/schema.xsd"

Content = str | Sequence[tuple[str, "Content"]]


def chai_card(evidence: Evidence) -> str:
    """Return an Applied Model Card.

    Parameters
    ----------
    evidence : Evidence
        The record of a run.

    Returns
    -------
    str
        XML with a declaration of UTF-8. Texts are Markdown, as the schema's documentation allows; foreign text in them
        is escaped. Numbers are the record's, in the record's units.
    """
    root = ET.Element("AppliedModelCard", xmlns=NAMESPACE)
    _fill(root, _content(evidence))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _fill(element: ET.Element, content: Content) -> None:
    if isinstance(content, str):
        element.text = visible(content)  # last stop: some characters have no place in XML at all
        return
    for name, inner in content:
        _fill(ET.SubElement(element, name), inner)


def _content(evidence: Evidence) -> Content:
    """Elements in the order of the schema."""
    model = evidence.model
    kinds = [modality_name(s.modality) for s in evidence.data.modalities]
    keywords = ["vision-language model", "robustness", "bias", *kinds]
    return (
        (
            "BasicInfo",
            (("ModelName", stated(model.name)), ("ModelDeveloper", NOT_STATED), ("DeveloperContact", NOT_STATED)),
        ),
        (
            "ReleaseInfo",
            (
                ("ReleaseStage", NOT_STATED),
                ("ReleaseDate", NOT_STATED),
                ("ReleaseVersion", stated(model.revision)),
                ("GlobalAvailability", NOT_STATED),
            ),
        ),
        (
            "ModelSummary",
            (("Summary", _summary(evidence)), ("Keywords", [("Keyword", escaped(word)) for word in keywords])),
        ),
        (
            "UsesAndDirections",
            (
                ("IntendedUseAndWorkflow", words.intended(evidence, "purpose")),
                ("PrimaryIntendedUsers", words.intended(evidence, "users")),
                ("HowToUse", NOT_STATED),
                ("TargetedPatientPopulation", words.intended(evidence, "population")),
                ("CautionedOutOfScopeSettings", words.intended(evidence, "out_of_scope")),
            ),
        ),
        ("Warnings", _warnings(evidence)),
        ("TrustIngredients", _trust(evidence)),
        ("KeyMetrics", _metrics(evidence)),
        ("Resources", (("PeerReviewedPublications", NOT_STATED), ("PatientConsentOrDisclosure", NOT_STATED))),
        ("Bibliography", ""),
    )


def _summary(evidence: Evidence) -> str:
    finished = moment(evidence.run.finished) if evidence.run.finished else NOT_STATED
    return paragraph(
        f"What the model is: {stated(evidence.model.description)}.",
        f"Audited by auditkit (run {stated(evidence.run.id)}, {escaped(finished)}). {words.conclusion(evidence)}",
        listing((f"Answered beside it: {line}" for line in words.beside(evidence)), ""),
        "This card was written from the record of that audit. It supports, and does not establish, conformity.",
    )


def _warnings(evidence: Evidence) -> Content:
    kinds = _by_kind(evidence)
    bias = kinds.pop("FairnessEquity")
    others = [audit for audits in kinds.values() for audit in audits]
    return (
        (
            "KnownRisksAndLimitations",
            paragraph(
                "Limits of the audit:",
                listing(words.limits(evidence), "None stated."),
                "Audits that were not passed:",
                listing(words.not_passed(others), "None of those that ran."),
            ),
        ),
        (
            "KnownBiasesOrEthicalConsiderations",
            paragraph(
                f"Audits of bias: {words.counted(bias) or 'none was run'}. Not passed:",
                listing(words.not_passed(bias), "None of those that ran."),
                words.known_strata(evidence),
                listing((f"{escaped(n)}: {escaped(s)}" for n, _, s in words.gaps(evidence) if s), ""),
            ),
        ),
        ("ClinicalRiskLevel", NOT_STATED),
    )


def _trust(evidence: Evidence) -> Content:
    formats = "; ".join(sorted({escaped(format_words(prompt.scorer)) for prompt in evidence.prompts})) or NOT_STATED
    kind = ", ".join(part for part in (evidence.model.family, evidence.model.backend) if part)
    return (
        (
            "AISystemFacts",
            (
                ("OutcomesAndOutputs", f"Answers in the audit: {formats}. {words.outcomes(evidence)}"),
                ("ModelType", f"Vision-language model; architecture and back end: {stated(kind)}"),
                ("InputDataSource", f"In use: {NOT_STATED}. In the audit: {words.data(evidence)}"),
                ("OutputAndInputDataTypes", f"Input: an image with a question. Output: text, read as {formats}."),
                ("DevelopmentDataCharacterization", NOT_STATED),
                ("BiasMitigationApproaches", NOT_STATED),
                ("OngoingMaintenance", _maintenance(evidence)),
            ),
        ),
        ("TransparencyInformation", (("FundingSource", NOT_STATED), ("StakeholdersConsulted", NOT_STATED))),
    )


def _maintenance(evidence: Evidence) -> str:
    held = words.references(evidence)
    return paragraph("Held against earlier runs:", listing(held, "")) if held else NOT_STATED


def _metrics(evidence: Evidence) -> Content:
    kinds = _by_kind(evidence)
    for_information: dict[str, Sequence[tuple[str, Estimate]]] = {
        "UsefulnessUsabilityEfficacy": _rightness(evidence),
        "FairnessEquity": [(f"Largest difference, {name}", gap) for name, gap, _ in words.gaps(evidence)],
    }
    return [(name, _metric(evidence, audits, for_information.get(name, ()))) for name, audits in kinds.items()]


def _rightness(evidence: Evidence) -> list[tuple[str, Estimate]]:
    """Return what is shown of right answers and decides nothing: up to `words.SHOWN` of each family."""
    shown: dict[str, list[Audit]] = {}
    for audit in filter(tells_rightness, evidence.informing):
        shown.setdefault(audit.family, []).append(audit)
    return [
        (f"{audit_name(audit)} ({audit.id}), {audit.n_images} images, {audit.n_clusters} clusters", audit.estimate)
        for own in shown.values()
        for audit in own[: words.SHOWN]
    ]


def _by_kind(evidence: Evidence) -> dict[str, list[Audit]]:
    """Return the audits by kind of metric.

    Of use is what must be noticed and how often answers are right; fair, that words which must not matter do not;
    everything else is reliability, what corruption costs among it.
    """
    kinds: dict[str, list[Audit]] = {"UsefulnessUsabilityEfficacy": [], "FairnessEquity": [], "SafetyReliability": []}
    for family in families(evidence):
        if family.kind == "noticed" or any(map(tells_rightness, family.audits)):
            kinds["UsefulnessUsabilityEfficacy"] += family.audits
        elif family.kind == "words" or family.compares_answers:
            kinds["FairnessEquity"] += family.audits
        else:
            kinds["SafetyReliability"] += family.audits
    return kinds


def _metric(evidence: Evidence, audits: list[Audit], informing: Sequence[tuple[str, Estimate]]) -> Content:
    names = {audit.family for audit in audits}
    own = [family for family in words.listed(evidence) if family[0] in names]
    results = [(_label(audit), audit.estimate) for _, _, shown, _ in own for audit in shown]
    results += [(f"{label}, for information", estimate) for label, estimate in informing if estimate.value is not None]
    counts = listing((f"{escaped(name)}: {words.counted(everyone)}" for name, _, _, everyone in own), "")
    goals = listing((f"{escaped(name)}: {escaped(question)}" for name, question, _, _ in own), NOT_STATED)
    decided = sum(n for verdict, n in verdict_counts(audits).items() if verdict in ("PASS", "FAIL"))
    return (
        ("MetricGoal", goals),
        (
            "Results",
            [("MetricResult", _result(label, estimate)) for label, estimate in results or [(NOTHING, Estimate())]],
        ),
        (
            "Interpretation",
            paragraph(counts, words.RULE, f"{decided} of {len(audits)} audits came to an answer.")
            if audits
            else NOTHING,
        ),
        ("TestType", "Retrospective audit of answers to images given twice: as they are, and with one thing changed"),
        ("TestingDataDescription", paragraph(words.data(evidence), words.known_strata(evidence))),
        ("ValidationProcessAndJustification", words.procedure(evidence)),
    )


NOTHING = "No audit of this kind was run"


def _label(audit: Audit) -> str:
    return f"{audit_name(audit)} ({audit.id}): {audit.verdict}, {audit.n_images} images, {audit.n_clusters} clusters"


def _result(label: str, estimate: Estimate) -> Content:
    """The two forms of ``ValueJson`` that the schema's examples use; the schema itself asks for a string only."""
    value: dict[str, object]
    if estimate.value is not None and estimate.low is not None and estimate.high is not None:
        level = None if estimate.level is None else round(100 * estimate.level, 4)
        value = {
            "kind": "estimate_ci",
            "estimate": estimate.value,
            "lower": estimate.low,
            "upper": estimate.high,
            "level": level,
        }
    else:
        value = {"kind": "single", "value": estimate.value}
    if estimate.unit:
        value["unit"] = estimate.unit
    return (("Label", escaped(label)), ("ValueJson", json.dumps(value, ensure_ascii=False)))
