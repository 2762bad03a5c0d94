"""What an audit is called and what it compares, in words for people."""

from __future__ import annotations

from auditkit import perturbations, tasks
from auditkit.judge.wording import condition_label
from auditkit.vocabulary import CLEAN, Comparison, Contrast, Group, Series, Wordings


def sides(comparison: Comparison) -> tuple[str, str]:
    """Say in words what is treated and what it is compared with."""
    if isinstance(comparison, Contrast):
        return condition_label(comparison.treated), condition_label(comparison.control)
    if isinstance(comparison, Series):
        return f"{title(comparison)}, severity 1 to {comparison.severities[-1]}", condition_label(comparison.control)
    if isinstance(comparison, Wordings):
        return ", ".join(comparison.templates), "every other of them"
    if isinstance(comparison, Group):
        return "; ".join(condition_label(c) for c in comparison.conditions), ""
    return comparison.name, ""


def title(comparison: Comparison) -> str:
    """Name what is changed in a few words (some 34 characters fit the figures)."""
    if isinstance(comparison, Series):
        return _corruption_label(comparison.corruption)
    if isinstance(comparison, Group):
        return comparison.name.replace("_", " ").replace(".", ", ").replace("-", ": ")
    if isinstance(comparison, Wordings):
        return f"{len(comparison.templates)} wordings, {comparison.name}"
    if isinstance(comparison, Contrast):
        return _contrast_title(comparison)
    return comparison.name


def _contrast_title(contrast: Contrast) -> str:
    treated = contrast.treated
    level = tasks.levels().get(treated.context)
    if level is not None:
        other = tasks.levels().get(contrast.control.context)
        against = other.side if other is not None else "neutral"
        return f"{level.pair}: {level.side} vs {against}".replace("_", " ").capitalize()
    if treated.context in tasks.placebos():
        return f"{treated.context.partition('.')[0]}: neutral sentence".replace("_", " ").capitalize()
    if treated.corruption != CLEAN:
        return f"{_corruption_label(treated.corruption)}, severity {treated.severity}"
    return contrast.name.replace("-", " ").capitalize()


def _corruption_label(name: str) -> str:
    known = perturbations.catalogue().get(name)
    return known.label if known else name


def hazard(comparison: Comparison, family_hazard: str) -> str:
    """Prefer the hazard written beside an attribute; else the family's."""
    if isinstance(comparison, Contrast):
        level = tasks.levels().get(comparison.treated.context)
        if level is not None:
            return level.hazard
    return family_hazard
