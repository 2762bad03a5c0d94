"""The situations in which the gates are measured: who answers, about how many patients, and what is true.

Every situation is named by a `Setting`; the truth lies exactly on the gate's margin, well inside it, or at twice it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast
from unittest import mock

from scipy import stats

from auditkit.evidence import Cell
from auditkit.images.record import ImageRecord
from auditkit.judge.judge import Judge
from auditkit.measure.columns import ALL
from auditkit.protocol.effects import areas, change, differs, falls, rises, share, steps, wordings
from auditkit.protocol.model import Protocol
from auditkit.protocol.read import load_protocol
from auditkit.testing import NOISES, Behaviour, Noise, made_up_images
from auditkit.testing.readers import FIVES, STICKY
from auditkit.vocabulary import Effect, Perturbation
from validation.models import CLEAN, Gaps, Jumping, Losing, Refusing, Shifting, TailJumping, Wavering, severity

SHIPPED_PROTOCOL = Path(__file__).resolve().parent.parent / "audits" / "protocol.toml"
LAYOUTS: dict[str, tuple[int, ...]] = {"1": (1,), "1-4": (1, 1, 2, 4), "4": (4,)}
"""Images per patient."""
FAMILY = "measured"
WORDS = Perturbation("institution.neutral")
TAIL = {"beyond": 25.0, "share": 0.10}
"""As shipped."""
EFFECTS = {"inside": 0.0, "margin": 1.0, "outside": 2.0}
"""The effect in units of the margin."""

Truth = Literal["inside", "margin", "outside"]
Missing = Literal["none", "random", "worst"]


@dataclass(frozen=True, slots=True)
class Setting:
    """Names a situation.

    Attributes
    ----------
    gate : str
        Key of `GATES`.
    kind : str
        Kind of noise or of events.
    layout : str
        Key of `LAYOUTS`.
    patients : int
        Per modality.
    truth : {"inside", "margin", "outside"}
        No effect (or a fall and an area well above the floor); exactly the margin; twice it (or no fall at all).
    missing : {"none", "random", "worst"}
        Which 5 % of the changed images are refused.
    """

    gate: str
    kind: str
    layout: str
    patients: int
    truth: Truth = "margin"
    missing: Missing = "none"

    def __str__(self) -> str:
        return "/".join(str(value) for value in asdict(self).values())

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Return the setting that has this name."""
        gate, kind, layout, patients, truth, missing = text.split("/")
        return cls(gate, kind, layout, int(patients), cast(Truth, truth), cast(Missing, missing))


@dataclass(frozen=True)
class Situation:
    """What to simulate, and what is true.

    Attributes
    ----------
    behaviour : Behaviour
        Who answers.
    effect : Effect
        What is judged, of the family `FAMILY`.
    family : dict
        Its declaration; a family of one effect.
    modalities : tuple of str
        Each with the setting's number of patients.
    value : callable
        True value of a cell's estimate; NaN where it is not known.
    on_margin : callable
        Whether a cell's true value lies on its margin.
    tail : float
        True share of patients with a large change; NaN where it is not known.
    change : callable or None
        Expected change of the score at a severity, for the points of the figures.
    """

    behaviour: Behaviour
    effect: Effect
    family: Mapping[str, Any]
    value: Callable[[Cell], float]
    modalities: tuple[str, ...] = ("ct",)
    on_margin: Callable[[Cell], bool] = lambda _: True
    tail: float = math.nan
    change: Callable[[int], float] | None = None


def situation(setting: Setting) -> Situation:
    """Build the situation that a setting names."""
    return GATES[setting.gate](setting)


def protocol_of(family: Mapping[str, Any], seed: int) -> Protocol:
    """Return the shipped protocol with one family of one effect and another seed."""
    shipped = load_protocol(SHIPPED_PROTOCOL)
    content = shipped.model_dump() | {"seed": seed, "families": {FAMILY: {"size": 1, **family}}}
    return Protocol.model_validate(content)


@contextmanager
def unplanned() -> Iterator[None]:
    """Leave out "about N more patients would settle it" while judging.

    On the margin nearly every answer is INCONCLUSIVE, and that number takes most of the time (for means of 64 patients
    40 of 60 ms, for differences of rates seconds); no verdict and no interval depends on it.
    """
    with mock.patch.object(Judge, PLANNING, _nothing, create=True):
        yield


PLANNING = "_more_clusters"


def _nothing(*_: object) -> None:
    """Stands in for what is left out."""


@lru_cache(maxsize=8)
def images(setting_layout: str, patients: int, modalities: tuple[str, ...]) -> tuple[ImageRecord, ...]:
    """Return the made-up images of a layout."""
    return made_up_images(dict.fromkeys(modalities, patients), LAYOUTS[setting_layout])


def _equivalence(setting: Setting) -> Situation:
    effect = -5.0 * EFFECTS[setting.truth]
    # The mean alone: as long as a large change is one above 100 points, the tail stands in nobody's way. Scores that
    # go missing are judged by the criterion as shipped, whose tail counts them as large changes.
    tail = {"beyond": 100.0, "share": 0.5} if setting.missing == "none" else TAIL
    return Situation(
        behaviour=_with_gaps(_moving(setting, effect), setting, -1),
        effect=change(WORDS, name="words", family=FAMILY),
        family={"within": 5.0, "tail": tail},
        value=lambda _: effect,
    )


def _pooled(setting: Setting) -> Situation:
    effect = -5.0 * EFFECTS[setting.truth]
    behaviour = _moving(setting, effect)
    return Situation(
        behaviour=behaviour,
        effect=change(WORDS, name="words", family=FAMILY),
        family={"within": 5.0, "in_each": 10.0, "tail": TAIL},
        modalities=("ct", "mr"),
        value=lambda _: effect,
        on_margin=lambda cell: cell.stratum.level == ALL,
        # Of several images any may jump; with one, the share of patients is the share of images.
        tail=behaviour.probability if isinstance(behaviour, Jumping) and setting.layout == "1" else math.nan,
    )


def _opposite(setting: Setting) -> Situation:
    by = {"ct": -10.0 * EFFECTS[setting.truth], "mr": 10.0 * EFFECTS[setting.truth], ALL: 0.0}
    return Situation(
        behaviour=Shifting(lambda q, m: by[m] if q.condition else 0.0, NOISES[setting.kind]),
        effect=change(WORDS, name="words", family=FAMILY),
        family={"within": 5.0, "in_each": 10.0, "tail": TAIL},
        modalities=("ct", "mr"),
        value=lambda cell: by[cell.stratum.level],
        on_margin=lambda cell: cell.stratum.level != ALL,
    )


def _tail(setting: Setting) -> Situation:
    share = 0.10 * EFFECTS[setting.truth]
    return Situation(
        behaviour=TailJumping(share),
        effect=change(WORDS, name="words", family=FAMILY),
        # The mean change is 0 and its margin out of reach, so that the tail alone decides.
        family={"within": 25.0, "tail": TAIL},
        value=lambda _: 0.0,
        tail=share,
    )


def _templates(setting: Setting) -> Situation:
    effect = -10.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=Shifting(lambda q, _m: effect if q.wording == "reader" else 0.0, NOISES[setting.kind]),
        effect=wordings("quality", ("direct", "reader"), name="two", family=FAMILY),
        family={"within": 10.0},
        value=lambda _: effect,
    )


def _not_raised(setting: Setting) -> Situation:
    effect = 5.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=_with_gaps(_moving(setting, effect), setting, 1),
        effect=rises("brightness", (5,), family=FAMILY),
        family={"at_most": 5.0},
        value=lambda _: effect,
        change=lambda severity: effect if severity else 0.0,
    )


def _monotone(setting: Setting) -> Situation:
    effect = 5.0 * EFFECTS[setting.truth]
    return Situation(
        behaviour=_moving(setting, effect),
        effect=steps("jpeg", (1,), family=FAMILY),
        family={"at_most": 5.0},
        value=lambda _: effect,
        change=lambda severity: effect if severity else 0.0,
    )


def _sensitivity(setting: Setting) -> Situation:
    slope = -2.0 * {"inside": 2.0, "margin": 1.0, "outside": 0.0}[setting.truth]
    return Situation(
        behaviour=_with_gaps(_moving(setting, slope, growing=True), setting, 1),
        effect=falls("jpeg", family=FAMILY),
        family={"at_least": 2.0},
        value=lambda _: -slope,
        change=lambda severity: slope * severity,
    )


AREAS = {"low": 0.70, "high": 0.92}
CLEAR = {"low": 0.90, "high": 0.98}
_SD = 7.0


def _discrimination(setting: Setting) -> Situation:
    """Kinds are ``<noise> <area>``; the floor is put on the area that the scores have, not the other way round."""
    name, _, area = setting.kind.partition(" ")
    noise = Noise(sd=_SD, levels={"fine": (), "discrete": FIVES, "sticky": STICKY}[name])
    base = 82.0 if name == "sticky" else 65.0
    wanted = {"inside": CLEAR[area], "margin": AREAS[area], "outside": 0.50}[setting.truth]
    shift = -float(stats.norm.ppf(wanted)) * 2.0 * _SD
    behaviour = Shifting(lambda q, _m: shift if severity(q) else 0.0, noise, base, between=_SD)
    truth = behaviour.auroc(shift)
    return Situation(
        behaviour=_with_gaps(behaviour, setting, 1),
        effect=areas("jpeg", (5,), family=FAMILY),
        family={"at_least": truth if setting.truth == "margin" else AREAS[area], "required": ("severity 5",)},
        value=lambda _: truth,
        change=lambda severity: shift if severity else 0.0,
    )


def _rate(setting: Setting) -> Situation:
    """Kinds are ``<per cent> <independent or correlated>``."""
    cap, correlation = _share(setting.kind)
    true = cap * EFFECTS[setting.truth]
    return Situation(
        behaviour=Refusing(true, correlation),
        effect=share("refused", name="direct-refused", family=FAMILY),
        family={"at_most": cap},
        value=lambda _: true,
    )


def _agreement(setting: Setting) -> Situation:
    cap, correlation = _share(setting.kind)
    true = cap * EFFECTS[setting.truth]
    return Situation(
        behaviour=Wavering(true, correlation),
        effect=differs(Perturbation("again", 1), name="twice", family=FAMILY),
        family={"at_most": cap},
        value=lambda _: true,
    )


def _rate_difference(setting: Setting) -> Situation:
    """Kinds are ``<per cent> <one way or both ways>``; both ways: another 2 % are lost under the control only."""
    per_cent, _, way = setting.kind.partition(" ")
    margin, less = float(per_cent) / 100, 0.02 if way == "both ways" else 0.0
    difference = margin * EFFECTS[setting.truth]
    lost = share("lost", family=FAMILY)
    return Situation(
        behaviour=Losing(difference + less, less),
        effect=lost.under(WORDS).minus(lost).named("words"),
        family={"at_most": margin},
        value=lambda _: difference,
    )


GATES: dict[str, Callable[[Setting], Situation]] = {
    "equivalence": _equivalence,
    "equivalence, pooled": _pooled,
    "equivalence, opposite": _opposite,
    "tail": _tail,
    "templates": _templates,
    "not raised": _not_raised,
    "monotone": _monotone,
    "sensitivity": _sensitivity,
    "discrimination": _discrimination,
    "rate": _rate,
    "rate difference": _rate_difference,
    "agreement": _agreement,
}


def _share(kind: str) -> tuple[float, float]:
    per_cent, _, how = kind.partition(" ")
    return float(per_cent) / 100, {"independent": 0.0, "correlated": 0.5}[how]


def _moving(setting: Setting, effect: float, *, growing: bool = False) -> Shifting | Jumping:
    """Return a model whose score moves by the effect on average (growing: per step of severity)."""
    sizes = {"drops": (25.0, 75.0), "rare": (80.0, 80.0)}.get(setting.kind)
    if sizes is None:
        return Shifting(lambda q, _m: effect * (severity(q) if growing else q.condition != CLEAN), NOISES[setting.kind])
    full = effect * 5 if growing else effect
    sign = -1.0 if full < 0 or setting.gate in ("equivalence", "equivalence, pooled", "sensitivity") else 1.0
    return Jumping(abs(full) / (sum(sizes) / 2), (sign * sizes[0], sign * sizes[1]), growing)


def _with_gaps(behaviour: Behaviour, setting: Setting, adverse: int) -> Behaviour:
    return behaviour if setting.missing == "none" else Gaps(behaviour, setting.missing, adverse)
