"""What an audit's effect in a model is, in words."""

from __future__ import annotations

from auditkit.judge.decisions import unit_of
from auditkit.judge.procedures import is_change
from auditkit.judge.right import named
from auditkit.judge.rules import Rules
from auditkit.judge.titles import Titles
from auditkit.protocol.model import Protocol
from auditkit.tasks import ABOVE_CHANCE, CORRECT
from auditkit.vocabulary import Effect
from auditkit.words import and_listed

ANSWERS = {"lost": "without a score", "refused": "refused", "unusable": "not usable"}
"""What answers are called that are counted; another value by its own name."""

GUESSING = "balanced way from guessing (0 %) to always right (100 %)"
"""What `skill` is."""


def unit_in(effect: Effect, protocol: Protocol) -> str:
    """Return the unit of an effect's estimates."""
    return unit_of(effect, Rules(protocol))


def described(effect: Effect, protocol: Protocol, *, distance: bool = False) -> str:
    """Say what an effect is.

    Parameters
    ----------
    effect : Effect
        Resolved; the parts that count.
    protocol : Protocol
        Whose catalogue names conditions and values.
    distance : bool
        Whether the sizes of its parts are averaged.
    """
    titles = Titles(protocol.catalogue)
    quantity = titles.quantity(effect).replace("_", " ")
    if effect.statistic == "area":
        control = effect.parts[0].terms[1][1].question.condition
        others = and_listed([part.label or "changed ones" for part in effect.parts])
        first = f"images with {titles.condition(control)}" if control else "clean images"
        return f"AUROC of {first} against {others}, all modalities together"
    if effect.statistic == "differs":
        return "share of images whose answer differs"
    if len({question.role for question in effect.questions()}) > 1:
        return f"mean difference of the {quantity} between two models"
    if distance:
        return f"mean distance of two answers' {quantity}s within an image"
    if right := _right(effect, protocol):
        return right
    if unit_in(effect, protocol) == "share":
        what = f"share of answers {ANSWERS.get(quantity, f'with {quantity}')}"
        return f"change of the {what}" if is_change(effect) else what
    if effect.per:
        return f"mean fall of the {quantity} per {effect.per}"
    change = f"mean change of the {quantity}" if is_change(effect) else f"mean {quantity}"
    return f"{change} over {len(effect.parts)} conditions" if len(effect.parts) > 1 else change


def _right(effect: Effect, protocol: Protocol) -> str:
    """Say what an effect on right answers is; empty where it is about anything else."""
    part, change = effect.parts[0], is_change(effect)
    if {value.name for _, value in part.terms} == {ABOVE_CHANCE.name}:
        return f"difference in {GUESSING}" if change else GUESSING
    if {value.name for _, value in part.terms} != {CORRECT.name}:
        return ""
    what = named(part, change=change, catalogue=protocol.catalogue) or "share of right answers"
    return f"{what}, mean of {len(effect.parts)} conditions" if len(effect.parts) > 1 else what
