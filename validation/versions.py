"""The situations in which a new version is held against an earlier run: every margin of ``[baseline]``.

Kinds of means end in `` from N`` where the earlier version had an effect of N points already, else it had none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from auditkit.evidence import Cell
from auditkit.measure.columns import ALL
from auditkit.protocol.effects import areas, change, differs, falls, rises, share
from auditkit.testing import Behaviour, Noise
from auditkit.vocabulary import Effect, Perturbation
from validation.models import Losing, Refusing, Wavering
from validation.rare import Earlier, Struck, Swapping
from validation.setting import EFFECTS, FAMILY, WORDS, Setting, Situation
from validation.situations import KINDS_OF_NOISE, moving, share_of, with_gaps

POINTS, PER_STEP, SHARE = 5.0, 1.0, 0.05
"""As shipped, for all patients together."""
ALONE = " alone"
"""Ends the names of kinds in which nothing has changed but the few answers that jump."""


def _against(effect: Effect, old: Behaviour, new: Behaviour, worse: float, family: Mapping[str, Any]) -> Situation:
    return Situation(
        behaviour=new,
        old=Earlier(old),
        effect=effect,
        family=family,
        value=lambda _: worse,
        on_margin=_together,
    )


def _together(cell: Cell) -> bool:
    """With one modality its own margin is wider, and met."""
    return cell.stratum.level == ALL


def _of_means(
    setting: Setting, effect: Effect, family: Mapping[str, Any], before: float, worse: float, *, growing: bool = False
) -> Situation:
    """An effect that was ``before``, or what the kind says, and moves by ``worse``; what is worse has its sign."""
    kind, _, said = setting.kind.partition(" from ")
    before = math.copysign(float(said), worse) if said else before
    adverse = -1 if worse < 0 else 1
    old: Behaviour
    new: Behaviour
    after = before + worse * EFFECTS[setting.truth]
    if kind.endswith(ALONE):
        size = float(kind.removeprefix("jump ").removesuffix(ALONE))
        old, new = (Struck(abs(by) / size, adverse * size, noise=Noise()) for by in (before, after))
    else:
        quiet, moved = (replace(setting, kind=k) for k in (kind if kind in KINDS_OF_NOISE else "sd 2", kind))
        old, new = (moving(some, by, growing=growing) for some, by in ((quiet, before), (moved, after)))
    worse = abs(worse) * EFFECTS[setting.truth]
    return _against(effect, old, with_gaps(new, setting, adverse), worse, family)


def _within(setting: Setting) -> Situation:
    return _of_means(setting, change(WORDS, name="words", family=FAMILY), {"within": 5.0}, 0.0, -POINTS)


def _at_most(setting: Setting) -> Situation:
    return _of_means(setting, rises("brightness", (5,), family=FAMILY), {"at_most": 5.0}, 0.0, POINTS)


def _at_least(setting: Setting) -> Situation:
    """A fall of 4 points per step becomes smaller."""
    return _of_means(setting, falls("jpeg", family=FAMILY), {"at_least": 2.0}, -4.0, PER_STEP, growing=True)


def _shares(
    setting: Setting, effect: Effect, model: Callable[[float, float], Behaviour], family: Mapping[str, Any]
) -> Situation:
    old, correlation = share_of(setting.kind)
    worse = SHARE * EFFECTS[setting.truth]
    return _against(effect, model(old, correlation), model(old + worse, correlation), worse, family)


def _share(setting: Setting) -> Situation:
    return _shares(setting, share("refused", name="direct-refused", family=FAMILY), Refusing, {"at_most": 0.10})


def _share_difference(setting: Setting) -> Situation:
    lost = share("lost", family=FAMILY)
    effect = lost.under(WORDS).minus(lost).named("words")
    return _shares(setting, effect, lambda more, _: Losing(more, 0.02), {"at_most": 0.10})


def _differs(setting: Setting) -> Situation:
    effect = differs(Perturbation("again", 1), name="twice", family=FAMILY)
    return _shares(setting, effect, Wavering, {"at_most": 0.10})


def _areas(setting: Setting) -> Situation:
    """Kinds are ``<swap, swap alone or fall> by <margin>``, of an area of 0.95 or, with a fall, of 0.90 before.

    "swap": patients change places, and everybody's noise is another; "swap alone": nobody else's answers change.
    """
    name, _, margin = setting.kind.partition(" by ")
    worse = float(margin) * EFFECTS[setting.truth]
    old = Swapping(0.90 if name == "fall" else 0.95)
    new = Swapping(old.area - worse, version="new")
    if name != "fall":
        new = replace(old, share=1 - (1 - worse / old.area) ** 0.5, version="" if name == "swap alone" else "new")
    return Situation(
        behaviour=with_gaps(new, setting, 1),
        old=old,
        effect=areas("jpeg", (5,), family=FAMILY),
        family={"at_least": 0.70, "required": ("severity 5",)},
        value=lambda _: -worse,
        baseline={"auroc": float(margin)},
    )


VERSIONS: dict[str, Callable[[Setting], Situation]] = {
    "worse, within": _within,
    "worse, at most": _at_most,
    "worse, at least": _at_least,
    "worse, share": _share,
    "worse, share difference": _share_difference,
    "worse, differs": _differs,
    "worse, area": _areas,
}
