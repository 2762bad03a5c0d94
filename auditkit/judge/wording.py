"""The words of the verdicts: numbers with sign and unit, conditions in plain language."""

from __future__ import annotations

import math

from auditkit import perturbations, tasks
from auditkit.evidence import Estimate
from auditkit.vocabulary import CLEAN, NO_CONTEXT, Condition

MODALITY_LABELS = {
    "xray": "X-ray",
    "ct": "CT",
    "mr": "MRI",
    "ultrasound": "ultrasound",
    "mammography": "mammography",
    "nuclear": "nuclear medicine",
    "oct": "OCT",
    "fundus": "fundus photography",
    "endoscopy": "endoscopy",
    "dermoscopy": "dermoscopy",
    "histology": "histology",
    "other": "other images",
    "all": "all modalities",
}


def modality_label(modality: str) -> str:
    """Return the name of a modality for people."""
    return MODALITY_LABELS.get(modality, modality)


def number(value: float | None, unit: str) -> str:
    """Format a value in its unit: signed points, shares in per cent, AUROC with two decimals."""
    if value is None or not math.isfinite(value):
        return "not measured"
    if unit.startswith("points"):
        return f"{value:+.1f}".replace("-", "−")
    text = f"{100 * value:.1f} %" if unit == "share" else f"{value:.2f}"
    return text.replace("-", "−")


def interval(estimate: Estimate) -> str:
    """Format an estimate with its interval and unit."""
    value = number(estimate.value, estimate.unit)
    if estimate.low is None and estimate.high is None:
        return f"{value} {estimate.unit}" if estimate.unit.startswith("points") else value
    ends = f"[{number(estimate.low, estimate.unit)}, {number(estimate.high, estimate.unit)}]"
    words = {"share": "", "AUROC": "AUROC "}
    return (
        f"{value} {ends} {estimate.unit}"
        if estimate.unit.startswith("points")
        else (f"{words.get(estimate.unit, '')}{value} {ends}")
    )


def patients(n: int) -> str:
    """Format a number of clusters."""
    return "1 patient" if n == 1 else f"{n} patients"


def condition_label(condition: Condition) -> str:
    """Say in words what a condition does."""
    parts = []
    if condition.corruption != CLEAN:
        known = perturbations.catalogue().get(condition.corruption)
        parts.append(f"{known.label if known else condition.corruption}, severity {condition.severity}")
    if condition.context != NO_CONTEXT:
        parts.append(f"“{tasks.context_sentence(condition.context)}”")
    if condition.repeat:
        parts.append("asked a second time")
    if condition.alone:
        parts.append("asked alone")
    return ", ".join(parts) or "clean image, no extra sentence"
